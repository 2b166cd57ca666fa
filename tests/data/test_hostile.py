"""A corpus of files that break readers, in every format that can carry them.

Each ends in an error that names the file, and the line where lines are; or in a table whose rows
are all accounted for: rows in = rows kept + rows that a finding counts. Never a traceback.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luodi.contracts import ROW, DataError, LuodiError
from luodi.data import reading, scan, textstream
from luodi.data.sources import collect

ROWS = [(f'评论 {n}, "quoted"\nand more', n, n / 4) for n in range(60)]
TABLE = pl.DataFrame(ROWS, schema=["text", "n", "x"], orient="row")


def written(write: str) -> bytes:
    buffer = io.BytesIO()
    getattr(TABLE, write)(buffer)
    return buffer.getvalue()


WHOLE: dict[str, bytes] = {
    "a.csv": TABLE.write_csv().encode(),
    "a.tsv": TABLE.write_csv(separator="\t").encode(),
    "a.jsonl": TABLE.write_ndjson().encode(),
    "a.json": json.dumps(TABLE.to_dicts(), ensure_ascii=False).encode(),
    "a.parquet": written("write_parquet"),
    "a.arrow": written("write_ipc"),
    "a.feather": written("write_ipc"),
    "a.arrows": written("write_ipc_stream"),
    "a.xlsx": written("write_excel"),
    "a.txt": "\n".join(f"第{n}行" for n in range(60)).encode(),
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_cut_anywhere(name: str, packed: str, tmp_path: Path) -> None:
    """A file cut short is an error, or (where a format has no end) holds whole rows alone."""
    raw = WHOLE[name] if not packed else gzip.compress(WHOLE[name], mtime=0)
    path = tmp_path / (name + packed)
    for place in sorted({0, 1, 3, *range(0, len(raw), max(len(raw) // 23, 1)), len(raw) - 1}):
        path.write_bytes(raw[:place])
        try:
            collected = collect(path.name, tmp_path)
        except LuodiError as error:
            assert path.name in str(error)  # noqa: PT017
            continue
        assert not packed or place == len(raw)
        assert name.endswith(("csv", "tsv", "txt", "jsonl")) or place > len(raw) - 10
        kept = collected.table.height
        if not name.endswith("txt") and kept > 1:
            whole = collected.table.head(kept - 1).drop(ROW).rows()
            assert [row[0] for row in whole] == [row[0] for row in ROWS[: kept - 1]]


CELL = "很" * 350_000  # a mebibyte in UTF-8


HOSTILE: dict[str, tuple[str, bytes, str]] = {
    # name: (file, content, what the error says; empty where a table must come out)
    "nothing": ("a.csv", b"", "a.csv is empty"),
    "white space": ("a.csv", b" \n\t\n", "a.csv is empty"),
    "nothing, json": ("a.json", b"", "a.json is empty"),
    "nothing, jsonl": ("a.jsonl", b"\n\n", "a.jsonl (is empty|holds no rows)"),
    "nothing, parquet": ("a.parquet", b"", "a.parquet is no readable Parquet"),
    "nothing, pickle": ("a.pkl", b"", "a.pkl is no readable pickle"),
    "a pickle that calls": (
        "a.pkl", b"\x80\x02cos\nsystem\nX\1\0\0\0:\x85R.", "a.pkl, byte 2: .*'os.system'",
    ),
    "nothing, excel": ("a.xlsx", b"", "a.xlsx is no readable Excel"),
    "a header alone": ("a.csv", b"a,b\n", "no rows"),
    "NUL in a cell": ("a.csv", b"a,b\n1,2\n3,\0\n", "a.csv, line 3: a NUL byte"),
    "NUL in the header": ("a.csv", b"a,\0b\n1,2\n", "a.csv, line 1: a NUL byte"),
    "NUL in a line": ("a.txt", b"x\ny\0\n", "a.txt, line 2: a NUL byte"),
    "NUL in json": ("a.jsonl", b'{"a": "\0"}\n', "a.jsonl, line 1"),
    "a lone surrogate": ("a.csv", b"a,b\n1,\xed\xa0\x80\n", r"a.csv, line 2: byte 7 \(0xed\)"),
    "a lone surrogate, json": ("a.jsonl", b'{"a": 1}\n{"a": "\\udc00"}\n', "a.jsonl, line 2"),
    "a lone surrogate, utf-16": (
        "a.csv", b"\xff\xfe" + "a,b\n1,".encode("utf-16-le") + b"\x00\xd8\n\x00", "a.csv",
    ),
    "half a character": ("a.csv", "a,b\n1,好好好好好好".encode()[:-1], "a.csv, line 2: byte"),
    "more values": ("a.csv", b"a,b\n1,2\n3,4,5\n", "a.csv: 1 rows .* line 3 has 3"),
    "fewer values": ("a.tsv", b"a\tb\n1\t2\n3\n4\n", "a.tsv: 2 rows .* line 3 has 1, line 4 has 1"),
    "a name twice": ("a.csv", b"a,b,a\n1,2,3\n", "a.csv, line 1: repeated column names: a"),
    "names twice but for space": ("a.csv", b"a, a\n1,2\n", "repeated column names: a"),
    "no name": ("a.csv", b"a,,c\n1,2,3\n", "a.csv, line 1: column 2 has no name"),
    "no header": ("a.csv", b"1,2\n3,4\n", "a.csv, line 1: .*no header"),
    "a quote that never closes": ("a.csv", b'a,b\n1,"2\n3,4\n', "a.csv, line 2"),
    "text behind a quote": ("a.csv", b'a,b\n1,"2"x\n', "a.csv, line 2"),
    "a reserved name": ("a.csv", b"__row__,b\n1,2\n", "a column __row__"),
    "no object": ("a.jsonl", b'{"a": 1}\n7\n', "a.jsonl, line 2: not an object"),
    "a deep object": ("a.jsonl", b'{"a": ' + b"[" * 100_000 + b"\n", "a.jsonl, line 1"),
    "another thing": ("a.parquet", b"PAR1" + b"\xff" * 40 + b"PAR1", "a.parquet is no readable"),
    "another format": ("a.xlsx", b"a,b\n1,2\n", "a.xlsx is no readable Excel"),
    "a number too large": ("a.jsonl", b'{"a": 1}\n{"a": 1e999}\n', "a.jsonl, line 2"),
    "a whole number too large": ("a.jsonl", b'{"a": 1}\n{"a": 1234567890123456789012}\n', ""),
    "cells of a mebibyte": ("a.csv", f'a,b\n"{CELL}",1\n{CELL},2\n'.encode(), ""),
    "cells of a mebibyte, jsonl": ("a.jsonl", json.dumps({"a": CELL}).encode() + b'\n{"a":""}', ""),
    "ten thousand columns": (
        "a.csv",
        ",".join(f"c{n}" for n in range(10_000)).encode() + b"\n" + b",".join([b"1"] * 10_000)
        + b"\n" + b",".join([b""] * 10_000) + b"\n", "",
    ),
    "an odd header": ("a.csv", "名 称,a.b,$x,\u200b,😀\n1,2,3,4,5\n6,7,8,9,0\n".encode(), ""),
    "formulas": ("a.csv", b"a,b\n=1+1,@x\n=cmd|' /C calc'!A0,-1\n", ""),
    "one column": ("a.csv", b"a\n1\n2\n", ""),
    "only empty values": ("a.csv", b"a,b\n,\n,\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("way", ["short", "long"])
@pytest.mark.parametrize("name", HOSTILE)
def test_the_corpus(name: str, way: str, tmp_path: Path, monkeypatch) -> None:
    file, raw, words = HOSTILE[name]
    if way == "long":
        monkeypatch.setattr(reading, "FROM", 40)
        monkeypatch.setattr(textstream, "_BLOCK", 1 << 16)
        monkeypatch.setattr(scan, "_ROWS", 3)
    (tmp_path / file).write_bytes(raw)
    if words:
        with pytest.raises(DataError, match=f"(?s){words}"):
            collect(file, tmp_path)
        return
    collected = collect(file, tmp_path)
    blank = sum(f.count for f in collected.findings if f.code == "blank-lines")
    lines = raw.count(b"\n") + (not raw.endswith(b"\n"))
    header = 0 if file.endswith("jsonl") else 1
    assert collected.table.height + blank == lines - header == 2


def test_a_cell_of_a_mebibyte_comes_whole(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(HOSTILE["cells of a mebibyte"][1])
    assert collect("a.csv", tmp_path).table["a"].to_list() == [CELL, CELL]


SIGNS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"), max_size=12
)  # fmt: skip


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.lists(SIGNS, min_size=1, max_size=4), min_size=1, max_size=15),
    blanks=st.lists(st.integers(0, 15), max_size=4),
)  # fmt: skip
def test_rows_in_are_rows_kept_and_rows_counted(rows, blanks, tmp_path: Path) -> None:
    """Whatever is written, each record is kept, counted as blank, or refused by its line."""
    width = len(rows[0])
    lines = [",".join(f"c{n}" for n in range(width))]
    lines += [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    for place in blanks:
        lines.insert(1 + min(place, len(lines) - 1), "")
    (tmp_path / "r.csv").write_text("\n".join(lines) + "\n", "utf-8", newline="")
    ragged = [row for row in rows if len(row) != width]
    try:
        collected = collect("r.csv", tmp_path)
    except DataError as error:
        assert ragged
        assert f"r.csv: {len(ragged)} rows" in str(error)  # noqa: PT017
        return
    blank = sum(f.count for f in collected.findings if f.code == "blank-lines")
    assert not ragged
    assert collected.table.height + blank == len(lines) - 1


PLACES: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a link to nowhere": lambda path: path.symlink_to("none.csv"),
    "a link to itself": lambda path: path.symlink_to(path.name),
}


@pytest.mark.parametrize("name", PLACES)
def test_what_is_no_file(name: str, tmp_path: Path) -> None:
    PLACES[name](tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"a\.csv"):
        collect("a.csv", tmp_path)


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(DataError, match=r"a\.csv"):
        collect("a.csv", tmp_path)


def test_a_workbook_that_is_a_bomb(tmp_path: Path, monkeypatch) -> None:
    import zipfile

    from luodi.data import unpack

    (tmp_path / "a.xlsx").write_bytes(WHOLE["a.xlsx"])
    with zipfile.ZipFile(tmp_path / "a.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/big.bin", b"0" * (24 << 20))
    monkeypatch.setattr(unpack, "FREE", 8 << 20)
    with pytest.raises(DataError, match=r"a\.xlsx unpacks to more than"):
        collect("a.xlsx", tmp_path)


def test_a_small_file_of_columns_for_billions_of_rows(tmp_path: Path, monkeypatch) -> None:
    pl.DataFrame({"a": pl.zeros(3_000_000, pl.Int8, eager=True)}).write_parquet(
        tmp_path / "a.parquet"
    )
    assert (tmp_path / "a.parquet").stat().st_size < 10_000
    assert collect("a.parquet", tmp_path).table.height == 3_000_000
    from luodi.data import readers

    monkeypatch.setattr(readers, "memory_bytes", lambda: (2_000_000, 10**9))
    with pytest.raises(DataError, match=r"a\.parquet stands for 3,000,000 rows of 1 columns"):
        collect("a.parquet", tmp_path)
