"""A first line that is a row is told; a header is not taken for one; the reader has the word."""

from __future__ import annotations

import io
import random
from pathlib import Path

import polars as pl
import pytest

from luodi.contracts import ROW, DataError
from luodi.data.delimited import read_delimited
from luodi.data.sources import collect

FLOWERS = "".join(
    f"{5 + n % 3}.{n % 7},{2 + n % 2}.{n % 5},{'setosa' if n % 2 else 'virginica'}\n"
    for n in range(80)
)
TEXTS = "".join(
    f'"{text}, and so {n}",{"pos" if n % 2 else "neg"}\n'
    for n, text in enumerate(["a film that I would see again", "what a waste of an evening"] * 30)
)
LONG = "".join(
    f"{text}{n}\n"
    for n, text in enumerate(["这家店的服务非常好下次还会再来", "味道一般而且上菜太慢了"] * 20)
)
CODES = "".join(f"A-{1000 + n},{random.Random(n).choice('xyz')}\n" for n in range(60))
MISSING = "5.1,?,yes\n" + "".join(f"{n % 9}.5,{n},{'yes' if n % 3 else 'no'}\n" for n in range(60))

ROWS = [FLOWERS, TEXTS, LONG, CODES, MISSING]
YEARS = "country,2009,2010,2013\n" + "".join(f"c{n},{n},{n * 2000},{n + 7}\n" for n in range(60))
SURVEY = (
    "How satisfied are you with our service?,What would you like us to change most?\n"
    + "".join(f"{n % 5 + 1},a good deal of text is written here by person {n}\n" for n in range(60))
)
HEADED = [
    "a,b,label\n" + FLOWERS,
    "text,label\n" + TEXTS,
    "text\n" + LONG,
    "code,kind\n" + CODES,
    YEARS,
    SURVEY,
    "word,tag\n" + "".join(f"w{n % 9}x,{'noun' if n % 2 else 'verb'}\n" for n in range(60)),
    "name,type\n" + "name,type\n" + "".join(f"b{n},type\n" for n in range(9)),  # put together
    "x\n",
]


def codes(raw: str, header=None) -> tuple[pl.DataFrame, list[str]]:
    table, findings = read_delimited(raw.encode(), "t.csv", ",", header)
    return table, [finding.code for finding in findings]


@pytest.mark.parametrize("raw", ROWS)
def test_a_row_read_as_names_is_told(raw: str) -> None:
    table, found = codes(raw)
    assert found == ["headerless"]
    table, found = codes(raw, header=False)
    assert found == []
    assert table.height == raw.count("\n")
    assert table.columns[:1] == ["column_1"]
    assert codes(raw, header=True)[1] == []


@pytest.mark.parametrize("raw", HEADED)
def test_a_header_is_not_taken_for_a_row(raw: str) -> None:
    assert codes(raw)[1] == []


def test_names_are_given_to_a_file_without(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(FLOWERS)
    (tmp_path / "b.csv").write_text(FLOWERS)
    found = collect("*.csv", tmp_path, header=("long", "wide", "label"))
    assert found.table.columns[1:] == ["long", "wide", "label"]
    assert found.table.height == 160
    assert found.findings == []
    with pytest.raises(DataError, match=r"has 3 values; data\.header names 2"):
        collect("*.csv", tmp_path, header=("long", "wide"))
    (tmp_path / "c.jsonl").write_text('{"a": 1}\n')
    with pytest.raises(DataError, match=r"for a \.jsonl file"):
        collect("c.jsonl", tmp_path, header=False)


def test_numbers_alone_may_be_names() -> None:
    with pytest.raises(DataError, match=r"data\.header: false"):
        codes("1,2\n3,4\n")
    assert codes("1,2\n3,4\n", header=True)[0].columns == ["1", "2"]
    assert codes("1,2\n3,4\n", header=False)[0].rows() == [("1", "2"), ("3", "4")]
    assert codes("\n \n1,2\n\n3,4\n", header=False)[0].height == 2


def test_a_workbook_too(tmp_path: Path) -> None:
    pl.read_csv(io.StringIO(FLOWERS), has_header=False).write_excel(
        tmp_path / "t.xlsx", include_header=False
    )
    told = collect("t.xlsx", tmp_path)
    assert [finding.code for finding in told.findings] == ["headerless"]
    assert told.table.height == 79
    assert collect("t.xlsx", tmp_path, header=False).table.height == 80


def test_a_long_file_is_scanned_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("luodi.data.reading.FROM", 100)
    (tmp_path / "t.csv").write_text(FLOWERS)
    told = collect("t.csv", tmp_path)
    assert ([finding.code for finding in told.findings], told.table.height) == (["headerless"], 79)
    plain = collect("t.csv", tmp_path, header=False)
    assert (plain.findings, plain.table.height) == ([], 80)


def test_the_project_says_it(luodi, tmp_path: Path) -> None:
    import json

    (tmp_path / "t.csv").write_text(FLOWERS)
    (tmp_path / "luodi.yaml").write_text(
        "name: f\ntask: tabular-classification\ndata:\n  source: t.csv\n"
        "  header: [long, wide, label]\n  columns: {label: label}\n  noise: {check: false}\n"
    )
    file = (tmp_path / "luodi.yaml").read_text()
    (tmp_path / "luodi.yaml").write_text(file.replace("  header: [long, wide, label]\n", ""))
    done = luodi("check", cwd=tmp_path)
    assert done.returncode == 2
    assert "looks like a row" in done.stderr  # why there is no column of that name
    (tmp_path / "luodi.yaml").write_text(file)
    done = luodi("check", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["data"]["rows"] == 80
    seen = luodi("data", "profile", "t.csv", "--no-header", "--no-page", "--json", cwd=tmp_path)
    assert json.loads(seen.stdout)["rows"] == 80
    seen = luodi("data", "profile", "t.csv", "--no-page", cwd=tmp_path)
    assert "read as column names and looks like a row" in seen.stdout


@pytest.mark.parametrize("offer", ["sep=;\r\n", '"sep=;"\n'])
@pytest.mark.parametrize("way", ["short", "long"])
def test_the_line_that_tells_excel_the_separator_is_no_row(
    offer: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "long":
        from luodi.data import reading, textstream

        monkeypatch.setattr(reading, "FROM", 8)
        monkeypatch.setattr(textstream, "_BLOCK", 13)
    (tmp_path / "r.csv").write_text("\ufeff" + offer + "a;b\n1;x, y\n2;z\n", "utf-8", newline="")
    collected = collect("r.csv", tmp_path)
    assert collected.table.drop(ROW).rows() == [(1, "x, y"), (2, "z")]
    (tmp_path / "r.csv").write_text(offer + "a;b\n1;x\n2\n", "utf-8", newline="")
    with pytest.raises(DataError, match="line 4 has 1"):
        collect("r.csv", tmp_path)


@pytest.mark.parametrize("title", ["Reviews of May\n", "Reviews of May\n\n", "Reviews of May,,\n"])
def test_a_title_above_the_names_is_told_for_one(title: str, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text(title + "a,b,c\n1,x,y\n")
    with pytest.raises(DataError, match="title"):
        collect("r.csv", tmp_path)


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (",y,x\n0,good,1\n1,bad,2\n", ["column_1", "y", "x"]),  # pandas: to_csv; R: write.csv
        ('"",y\na,good\nb,bad\n', ["column_1", "y"]),
        ("y,x,\ngood,1,\nbad,2,note\n", ["y", "x", "column_3"]),
    ],
)
@pytest.mark.parametrize("header", [None, True])
def test_the_column_of_what_rows_are_called_by_needs_no_name(
    raw: str, names: list[str], header: bool | None
) -> None:
    table, found = codes(raw, header)
    assert table.columns == names
    assert table.height == 2
    assert found == ["unnamed"]


@pytest.mark.parametrize("raw", [",a,\n1,2,3\n", "Report,\na,b\n", ",\n1,2\n", ",column_1\n1,2\n"])
def test_a_title_or_more_gaps_are_not_taken_for_names(raw: str) -> None:
    with pytest.raises(DataError, match=r"has no name|repeated"):
        codes(raw)


def test_what_a_spreadsheet_calls_rows_by_needs_no_name_either(tmp_path: Path) -> None:
    import pandas as pd
    import xlsxwriter

    frame = pd.DataFrame({"text": ["good", "bad"], "n": [3, 4]}, index=["r1", "r2"])
    frame.to_csv(tmp_path / "t.csv")
    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as book:
        sheet = book.add_worksheet()
        for line, row in enumerate([["", "text", "n"], ["r1", "good", 3], ["r2", "bad", 4]]):
            sheet.write_row(line, 0, row)
    for name in ("t.csv", "t.xlsx"):
        collected = collect(name, tmp_path)
        assert [finding.code for finding in collected.findings] == ["unnamed"], name
        rows = collected.table.drop(ROW).rows()
        assert rows == [("r1", "good", 3), ("r2", "bad", 4)], name
