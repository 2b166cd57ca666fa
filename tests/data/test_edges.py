"""Lines above the names, and a separator behind each row: read as what they are, and counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from luodi.contracts import ROW, DataError
from luodi.data import reading, textstream
from luodi.data.header import Header, Layout
from luodi.data.sources import Collected, collect

TITLED = "销售报表 2024\n单位：元, 含税\n\n门店,金额,好\n甲,1,y\n\n乙,2,n\n"


@pytest.fixture(params=["short", "long", "torn"])
def read(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The rows of a text, loaded or scanned in blocks that end anywhere."""
    if request.param != "short":
        monkeypatch.setattr(reading, "FROM", 8)
        monkeypatch.setattr(textstream, "_BLOCK", 5 if request.param == "torn" else 40)

    def made(raw: str, header: Header = None) -> Collected:
        (tmp_path / "t.csv").write_text(raw, "utf-8", newline="")
        return collect("t.csv", tmp_path, header=header)

    return made


def told(collected: Collected) -> list[tuple[str, str, int]]:
    return [(f.code, str(f.severity), f.count) for f in collected.findings]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_names_below_titles(read, ends: str) -> None:
    found = read(TITLED.replace("\n", ends), 4)
    assert found.table.columns == [ROW, "门店", "金额", "好"]
    assert found.table.drop(ROW).rows() == [("甲", 1, "y"), ("乙", 2, "n")]
    assert told(found) == [("titles", "info", 3), ("blank-lines", "info", 1)]
    assert found.findings[0].examples[0] == {"line": 1, "text": "销售报表 2024"}


def test_rows_above_the_names_are_a_warning(read) -> None:
    found = read("a,b\n1,2\nc,d\n3,4\n", 3)
    assert found.table.columns == [ROW, "c", "d"]
    assert told(found) == [("titles", "warning", 2)]


@pytest.mark.parametrize(
    ("raw", "header", "words"),
    [
        (TITLED, 3, "line 3 is blank"),
        (TITLED, 9, "has 7 lines.*expected in line 9"),
        ("Report\n\na,,c\n1,2,3\n", 3, "line 3: column 2 has no name"),
        ("Report\n\na,b,c\n1,2,3\n1,2\n", 3, "line 5 has 2"),
        (TITLED, None, r"data\.header: N; to a command, --header-line N"),
    ],
)
def test_a_wrong_line_is_said(read, raw: str, header: Header, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(raw, header)


def test_a_model_finds_the_names_where_they_stood_or_in_the_first_line(read) -> None:
    known = Layout(("门店", "金额", "好"), ("好",), (("门店",), ("金额",)), sure=False, line=4)
    assert read(TITLED, known).table.height == 2
    assert read("金额,门店\n3,丙\n", known).table.drop(ROW).rows() == [(3, "丙")]


@pytest.mark.parametrize(
    ("raw", "header"),
    [
        ("a,b\n1,x,\n2,y,\n", None),  # the names without a separator, each row with one
        ("a,b,\n1,x,\n2,y,\n", None),
        ("1,x,\n2,y,\n", ("a", "b")),
        ("Report\na,b\n1,x,\n\n2,y,\n", 2),
        ('a,b\n1,"x",\n2,y,\n', None),
        ("1,x,\n2,y,\n", Layout(("a", "b"), (), (("a",), ("b",)), sure=True)),
    ],
)
def test_a_separator_behind_each_row(read, raw: str, header: Header) -> None:
    found = read(raw, header)
    assert found.table.drop(ROW).rows() == [(1, "x"), (2, "y")]
    assert found.table.columns == [ROW, "a", "b"]
    assert ("trailing-separator", "info", 2) in told(found)
    assert "unnamed" not in [code for code, *_ in told(found)]


def test_columns_that_are_counted_end_before_an_empty_one(read) -> None:
    assert read("1,x,\n2,y,\n", False).table.columns == [ROW, "column_1", "column_2"]
    filled = read("1,x,\n2,y,z\n", False)
    assert filled.table["column_3"].to_list() == [None, "z"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("a,b\n1,x,\n2,y\n3,z\n", "header's 2 values: line 2 has 3"),
        ("a,b\n1,x\n2,y,\n", "header's 2 values: line 3 has 3"),
        ("a,b\n1,x,\n2,y,z\n", "header's 2 values: line [23] has 3"),
    ],
)
def test_a_separator_behind_some_rows_is_refused(read, raw: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(raw)


def test_a_workbook_counts_its_rows(tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(1, 0, ["Report", "", "", "of May"])
        for line, row in enumerate([["a", "b"], [1, "x"], [2, "y"]], 3):
            sheet.write_row(line, 0, row)
    found = collect("t.xlsx", tmp_path, header=4)
    assert found.table.drop(ROW).rows() == [(1, "x"), (2, "y")]
    assert told(found) == [("titles", "info", 3)]
    with pytest.raises(DataError, match="line 3 is blank"):
        collect("t.xlsx", tmp_path, header=3)
    with pytest.raises(DataError, match="has 6 lines"):
        collect("t.xlsx", tmp_path, header=9)


def test_a_file_of_columns_has_no_line_of_names(tmp_path: Path, monkeypatch) -> None:
    import polars as pl

    pl.DataFrame({"a": [1, 2]}).write_parquet(tmp_path / "t.parquet")
    for bound in (1 << 20, 8):
        monkeypatch.setattr(reading, "FROM", bound)
        with pytest.raises(DataError, match=r"for a \.parquet file"):
            collect("t.parquet", tmp_path, header=3)
