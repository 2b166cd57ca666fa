"""Packed files: every kind is read, a bomb is refused while it is small, no path leaves."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luodi.contracts import ROW, DataError, LuodiError
from luodi.data import reading, unpack
from luodi.data.sources import collect

CSV = "text,n\n好书,1\nx,2\n".encode()


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
    ".zip": lambda raw: zipped(**{"inner/rows.csv": raw, "inner/.hidden": b"x",
                                  "__MACOSX/._rows.csv": b"\0"}),
}  # fmt: skip


@pytest.mark.parametrize("ending", PACKED)
def test_every_kind_of_packing(ending: str, tmp_path: Path) -> None:
    name = f"rows.csv{ending}" if ending != ".zip" else "rows.zip"
    (tmp_path / name).write_bytes(PACKED[ending](CSV))
    collected = collect(name, tmp_path)
    assert collected.table.drop(ROW).rows() == [("好书", 1), ("x", 2)]
    assert collected.files[0].bytes == len(PACKED[ending](CSV))


@pytest.mark.parametrize("ending", PACKED)
def test_half_a_file_is_refused_in_words(ending: str, tmp_path: Path) -> None:
    name = f"rows.csv{ending}" if ending != ".zip" else "rows.zip"
    rows = b"".join(f"{n},{n * n % 7919}\n".encode() for n in range(4000))
    raw = PACKED[ending](b"a,b\n" + rows)
    (tmp_path / name).write_bytes(raw[: len(raw) // 2])
    with pytest.raises(DataError, match=r"rows\..*(damaged or cut short|is no readable)"):
        collect(name, tmp_path)
    (tmp_path / name).write_bytes(b"no such thing")
    with pytest.raises(DataError, match="is no readable"):
        collect(name, tmp_path)


@settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    ending=st.sampled_from(sorted(PACKED)),
    cut=st.floats(0, 1),
    noise=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=3),
)
def test_damage_anywhere_ends_in_words(ending: str, cut: float, noise, tmp_path: Path) -> None:
    raw = bytearray(PACKED[ending](CSV * 3))
    for place, byte in noise:
        raw[int(place * (len(raw) - 1))] = byte
    name = f"rows.csv{ending}" if ending != ".zip" else "rows.zip"
    (tmp_path / name).write_bytes(raw[: int(cut * len(raw))])
    try:
        collected = collect(name, tmp_path)
    except LuodiError as error:
        assert name in str(error)  # noqa: PT017
    else:
        assert collected.table.height == collected.files[0].rows


@pytest.mark.parametrize("ending", PACKED)
def test_a_bomb_is_refused_while_it_is_small(ending: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(unpack, "FREE", 2 << 20)
    bomb = b"a,b\n" + b"0,0\n" * (4 << 20)  # 16 MiB that pack to a few KiB
    name = f"bomb.csv{ending}" if ending != ".zip" else "bomb.zip"
    (tmp_path / name).write_bytes(PACKED[ending](bomb))
    monkeypatch.setattr(unpack, "RATIO", 100)
    with pytest.raises(DataError, match=r"bomb\..* unpacks to more than \d+ MiB"):
        collect(name, tmp_path)


def test_a_long_bomb_is_read_no_further_than_the_limit(tmp_path: Path, monkeypatch) -> None:
    """A gibibyte in two megabytes: the long way stops as well, at what is free."""
    monkeypatch.setattr(unpack, "FREE", 8 << 20)
    monkeypatch.setattr(reading, "FROM", 1 << 20)
    monkeypatch.setattr(unpack, "RATIO", 4)
    path = tmp_path / "bomb.txt.gz"
    member = gzip.compress(b"0" * 999 + b"\n" * (32 << 10), 1)
    path.write_bytes(gzip.compress(b"a\n") + member * 1024)
    with pytest.raises(DataError, match="a bomb does"):
        collect("bomb.txt.gz", tmp_path)


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("rows.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "name",
    ["../rows.csv", "a/../../rows.csv", "/etc/rows.csv", "..\\rows.csv", "C:/rows.csv", link()],
)
def test_a_path_that_leaves_the_folder(name, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "r.zip", "w") as archive:
        archive.writestr("fine.csv", CSV)
        archive.writestr(name, CSV)
    with pytest.raises(DataError, match=r"r\.zip holds the path .* leaves its folder"):
        collect("r.zip", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.zip"]


def test_several_files_in_one(tmp_path: Path) -> None:
    (tmp_path / "r.zip").write_bytes(zipped(**{"b.csv": b"a,n\nx,2\n", "a.csv": b"n,a\n1,y\n"}))
    collected = collect("r.zip", tmp_path)
    assert collected.table.drop(ROW).rows() == [(1, "y"), (2, "x")]
    assert [file.path for file in collected.files] == ["r.zip/a.csv", "r.zip/b.csv"]
    (tmp_path / "other.zip").write_bytes(zipped(**{"a.csv": b"a\nx\n", "b.csv": b"b\nx\n"}))
    with pytest.raises(DataError, match=r"other\.zip/b\.csv and other\.zip/a\.csv differ"):
        collect("other.zip", tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(), "holds 0 files"),
        (zipped(**{"inner.zip": zipped(**{"a.csv": CSV})}), "another packed file"),
        (zipped(**{"a.exe": b"MZ"}), r"r\.zip/a\.exe has the ending '\.exe'"),
    ],
)
def test_what_a_zip_may_not_hold(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "r.zip").write_bytes(content)
    with pytest.raises(DataError, match=words):
        collect("r.zip", tmp_path)
