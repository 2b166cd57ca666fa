"""Folders as tables: texts and images by label, images by a column."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from luodi.contracts import ROW, DataError
from luodi.data.sources import collect
from luodi.project.sources import ImagesSource, TextsSource


def test_a_folder_a_label(tmp_path: Path) -> None:
    files = {
        "好/1.txt": "很好".encode(),
        "好/deep/2.txt": "不错".encode("gb18030"),
        "bad/1.txt": b"awful",
        "bad/2": b"poor",
        "bad/empty.txt": b"  ",
        "bad/x.exe": b"MZ\0",
        "bad/.hidden.txt": b"no",
        "top.txt": b"no",
    }
    for name, raw in files.items():
        (tmp_path / "texts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "texts" / name).write_bytes(raw)
    collected = collect(TextsSource(texts="texts"), tmp_path)
    assert collected.table.drop(ROW).rows() == [
        ("awful", "bad", "bad/1.txt"), ("poor", "bad", "bad/2"),
        ("很好", "好", "好/1.txt"), ("不错", "好", "好/deep/2.txt"),
    ]  # fmt: skip
    assert {(f.code, f.count) for f in collected.findings} == {
        ("empty-files", 1), ("other-files", 1), ("unlabelled-files", 1),
    }  # fmt: skip


def test_a_text_of_endless_length_and_a_pipe(tmp_path: Path, monkeypatch) -> None:
    from luodi.data import folders

    (tmp_path / "texts/a").mkdir(parents=True)
    (tmp_path / "texts/a/1.txt").write_text("x" * 100)
    os.mkfifo(tmp_path / "texts/a/pipe.txt")
    collected = collect(TextsSource(texts="texts"), tmp_path)
    assert [(f.code, f.count) for f in collected.findings] == [("other-files", 1)]
    monkeypatch.setattr(folders, "_LARGEST_TEXT", 64)
    with pytest.raises(DataError, match=r"texts/a/1\.txt is longer than"):
        collect(TextsSource(texts="texts"), tmp_path)


def picture(path: Path, size: tuple[int, int] = (8, 6)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (200, 10, 10)).save(path)


def test_images_by_folder(tmp_path: Path) -> None:
    picture(tmp_path / "shots/猫/1.png")
    picture(tmp_path / "shots/dog/2.jpg", (5, 5))
    cut = tmp_path / "shots/dog/cut.png"
    picture(cut, (64, 64))
    cut.write_bytes(cut.read_bytes()[:60])
    (tmp_path / "shots/dog/notes.txt").write_text("x")
    collected = collect(ImagesSource(images="shots"), tmp_path)
    assert collected.table.select("path", "label", "width", "height", "mode").rows() == [
        ("shots/dog/2.jpg", "dog", 5, 5, "RGB"), ("shots/猫/1.png", "猫", 8, 6, "RGB"),
    ]  # fmt: skip
    found = {finding.code: finding for finding in collected.findings}
    assert found["unreadable-images"].count == 1
    assert "dog/cut.png" in str(found["unreadable-images"].examples)
    assert found["other-files"].count == 1


def test_images_by_a_column(tmp_path: Path) -> None:
    picture(tmp_path / "shots/a.png")
    (tmp_path / "list.csv").write_text("file,label\na.png,cat\ngone.png,dog\n")
    source = ImagesSource(images="shots", table="list.csv", path="file")
    collected = collect(source, tmp_path)
    assert collected.table.select("file", "label", "width").rows() == [("a.png", "cat", 8)]
    assert [(f.code, f.count) for f in collected.findings] == [("unreadable-images", 1)]
    (tmp_path / "list.csv").write_text("file,label\na.png,cat\n../list.csv,dog\n")
    with pytest.raises(DataError, match=r"row 2: the path '\.\./list\.csv' leaves shots"):
        collect(source, tmp_path)
    with pytest.raises(DataError, match=r"no column path.*There are: file, label"):
        collect(ImagesSource(images="shots", table="list.csv"), tmp_path)


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "texts/a").mkdir(parents=True)
    (tmp_path / "texts/a/x.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(DataError, match="leaves texts"):
        collect(TextsSource(texts="texts"), tmp_path)


def test_an_image_of_too_many_pixels(tmp_path: Path, monkeypatch) -> None:
    picture(tmp_path / "shots/a/1.png", (100, 100))
    picture(tmp_path / "shots/a/2.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5_000)
    collected = collect(ImagesSource(images="shots"), tmp_path)
    assert collected.table.height == 1
    assert "decompression bomb" in str(collected.findings[0].examples)


@pytest.mark.parametrize("kind", [TextsSource, ImagesSource])
def test_no_such_folder_and_no_labels(kind, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no folder x"):
        collect(kind(**{kind.kind: "x"}), tmp_path)
    (tmp_path / "x").mkdir()
    with pytest.raises(DataError, match="holds no folders"):
        collect(kind(**{kind.kind: "x"}), tmp_path)
