"""Pictures as rows: what is wrong is counted, and nothing they hold breaks the reading."""

from __future__ import annotations

import io
import os
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from luodi.contracts import ROW, DataError, Finding
from luodi.data.pictures import facts_of
from luodi.data.sources import collect
from luodi.project.sources import ImagesSource


def scene(seed: int = 0, size: tuple[int, int] = (48, 40)) -> Image.Image:
    """A picture with large forms, as photographs have."""
    coarse = np.random.default_rng(seed).integers(0, 255, (5, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def saved(path: Path, image: Image.Image | None = None, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or scene()).save(path, **options)
    return path


def told(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.code: finding for finding in findings}


def test_sizes_kinds_copies_and_conflicts_are_counted(tmp_path: Path) -> None:
    saved(tmp_path / "shots/cat/1.png")
    saved(tmp_path / "shots/cat/2.jpg", quality=60)  # the same, saved otherwise
    saved(tmp_path / "shots/dog/3.png")  # the same file under another label
    saved(tmp_path / "shots/dog/4.png", scene(4, (96, 80)).convert("L"))
    saved(tmp_path / "shots/dog/5.png", scene(5, (1, 1)))
    saved(tmp_path / "shots/loose.png")
    collected = collect(ImagesSource(images="shots"), tmp_path)
    assert collected.table.height == 5
    assert collected.table.columns == [
        ROW, "path", "label", "width", "height", "mode", "sha256", "look",
    ]  # fmt: skip
    found = told(collected.findings)
    assert {code: finding.count for code, finding in found.items()} == {
        "image-sizes": 5, "tiny-images": 1, "image-modes": 1, "duplicate-images": 1,
        "near-duplicate-images": 1, "image-label-conflicts": 1, "unlabelled-files": 1,
    }  # fmt: skip
    assert "3 sizes, from 1 × 1 to 96 × 80" in found["image-sizes"].message
    assert found["image-modes"].details["modes"] == {"RGB": 4, "L": 1}
    assert "shots/dog/3.png" in str(found["image-label-conflicts"].examples)


def test_pictures_that_differ_look_different(tmp_path: Path) -> None:
    for seed in range(40):
        saved(tmp_path / f"shots/a/{seed}.png", scene(seed))
        Image.new("RGB", (20, 20), (seed, 9, 9)).save(tmp_path / f"shots/a/flat{seed}.png")
    collected = collect(ImagesSource(images="shots"), tmp_path)
    assert collected.table["look"].n_unique() == 80
    assert set(told(collected.findings)) == {"image-sizes"}


def test_a_folder_without_folders_has_no_labels(tmp_path: Path) -> None:
    saved(tmp_path / "shots/1.png")
    (tmp_path / "shots/readme.txt").write_text("x")
    collected = collect(ImagesSource(images="shots"), tmp_path)
    assert "label" not in collected.table.columns
    assert collected.table.height == 1
    assert told(collected.findings)["other-files"].count == 1


def test_rows_without_a_path_are_counted(tmp_path: Path) -> None:
    saved(tmp_path / "shots/a.png")
    pl.DataFrame({"path": ["a.png", None, " "], "y": [1, 2, 3]}).write_csv(tmp_path / "t.csv")
    collected = collect(ImagesSource(images="shots", table="t.csv"), tmp_path)
    assert collected.table["y"].to_list() == [1]
    assert told(collected.findings)["unreadable-images"].count == 2


ENDINGS = ("png", "jpg", "gif", "bmp", "tif", "webp")


@pytest.mark.parametrize("ending", ENDINGS)
def test_cut_or_spoilt_anywhere(ending: str, tmp_path: Path) -> None:
    """Rows in are rows kept and rows counted, whatever a decoder meets."""
    whole = saved(tmp_path / f"whole.{ending}").read_bytes()
    rng = random.Random(ending)
    made = [whole[:place] for place in range(0, len(whole), max(1, len(whole) // 12))]
    for _ in range(25):
        raw = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        made.append(bytes(raw))
    for number, raw in enumerate(made):
        path = tmp_path / f"shots/a/{number}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    collected = collect(ImagesSource(images="shots"), tmp_path)
    broken = told(collected.findings)["unreadable-images"].count
    assert collected.table.height + broken == len(made)
    assert broken > 0


def bomb() -> bytes:
    """A picture of 900 million pixels in a few hundred bytes: it claims them, and no more."""
    raw = io.BytesIO()
    Image.new("L", (8, 8)).save(raw, "PNG")
    import struct
    import zlib

    data = bytearray(raw.getvalue())
    data[16:24] = struct.pack(">II", 30_000, 30_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


HOSTILE = {
    "a bomb": (bomb(), "decompression bomb"),
    "nothing": (b"", "cannot identify"),
    "a text": (b"hello", "cannot identify"),
    "a head alone": (b"\x89PNG\r\n\x1a\n", ""),
    "a page": (b"<svg onload=alert(1)>", "cannot identify"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_picture_is_counted_with_the_reason(name: str, tmp_path: Path) -> None:
    raw, words = HOSTILE[name]
    saved(tmp_path / "shots/a/good.png")
    (tmp_path / "shots/a/bad.png").write_bytes(raw)
    collected = collect(ImagesSource(images="shots"), tmp_path)
    assert collected.table["path"].to_list() == ["shots/a/good.png"]
    finding = told(collected.findings)["unreadable-images"]
    assert finding.count == 1
    assert words in str(finding.examples)
    assert str(tmp_path) not in str(finding.examples)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    saved(tmp_path / "shots/a/good.png")
    os.mkfifo(tmp_path / "shots/a/pipe.png")
    collected = collect(ImagesSource(images="shots"), tmp_path)
    assert told(collected.findings)["unreadable-images"].count == 1
    assert facts_of(tmp_path / "shots") == "no file"
    (tmp_path / "shots/a/loop.png").symlink_to("loop.png")
    with pytest.raises(DataError, match="loop"):
        collect(ImagesSource(images="shots"), tmp_path)


def test_a_folder_as_a_source_says_how_to_write_it(tmp_path: Path) -> None:
    saved(tmp_path / "shots/a/good.png")
    with pytest.raises(DataError, match=r"Write \{images: shots\}"):
        collect("shots", tmp_path)
