"""A file that a person filled in a spreadsheet and saved still fits; what may be two is told."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from luodi.contracts import ROW, DataError, Dataset, Role
from luodi.data.corrections import HEADS, confirmed, content_key, correct, read_corrections
from luodi.data.spreadsheets import Labels, bare, defused

TEXTS = ["first", "second", "third"]


def dataset(labels: Sequence[str]) -> Dataset:
    table = pl.DataFrame({"text": TEXTS, "label": labels}).with_row_index(ROW)
    return Dataset(table, {Role.TEXT: ("text",), Role.LABEL: ("label",)})


def rows(given: Any, corrected: Any) -> list[list[Any]]:
    """The file with its first text decided, the cells as the spreadsheet holds them."""
    return [
        list(HEADS),
        [1, content_key(TEXTS[0]), given, corrected, 0.9, corrected, TEXTS[0]],
        [2, content_key(TEXTS[1]), corrected, given, 0.8, None, TEXTS[1]],
    ]


def corrected(path: Path, labels: Sequence[str]) -> list[str]:
    data = dataset(labels)
    corrections = read_corrections(path, path.name, set(labels))
    mended, findings = correct(data, TEXTS, corrections)
    assert [finding.code for finding in findings] == ["corrections"]
    found = mended.table["label"].to_list()
    assert confirmed(TEXTS, found, corrections) == [True, False, False]
    return found


# Two labels, and what stands in the cells once a spreadsheet was there: Excel's region decides.
REWRITTEN = {
    "leading zeros": (("007", "012"), ("7", "12")),
    "numbers with a point": (("1.0", "2.0"), ("1", "2")),
    "zeros behind": (("0.50", "1.50"), ("0.5", "1.5")),
    "a decimal comma": (("0.5", "1.5"), ("0,5", "1,5")),
    "made floats": (("1", "0"), ("1.0", "0.0")),
    "yes and no": (("true", "false"), ("TRUE", "FALSE")),
    "Python's": (("True", "False"), ("TRUE", "FALSE")),
    "days, Chinese": (("2024-05-01", "2024-05-13"), ("2024/5/1", "2024/5/13")),
    "days, in words": (("2024-05-01", "2024-05-13"), ("2024年5月1日", "2024年5月13日")),
    "days, American": (("2024-05-01", "2024-05-13"), ("5/1/2024", "5/13/2024")),
    "days, German": (("2024-05-01", "2024-05-13"), ("01.05.2024", "13.05.2024")),
    "ranges, American": (("1-3", "4-6"), ("3-Jan", "6-Apr")),
    "ranges, Chinese": (("1-3", "4-6"), ("1月3日", "4月6日")),
    "long numbers": (("123456789012345678", "223456789012345678"), ("1.23457E+17", "2.23457E+17")),
    "a sign": (("+1", "-1"), ("1", "-1")),
    "exponents": (("1e5", "2e5"), ("1.00E+05", "2.00E+05")),
    "nothing": (("好", "a, b"), ("好", "a, b")),
}


def save_csv(path: Path, table: Sequence[Sequence[Any]], encoding: str, separator: str) -> None:
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=separator, lineterminator="\r\n").writerows(table)


@pytest.mark.parametrize(
    ("encoding", "separator"),
    [("utf-8-sig", ","), ("gb18030", ","), ("utf-8", ";"), ("utf-16", "\t")],
)
@pytest.mark.parametrize("name", REWRITTEN)
def test_a_saved_csv_fits(name: str, encoding: str, separator: str, tmp_path: Path) -> None:
    (first, second), (given, right) = REWRITTEN[name]
    save_csv(tmp_path / "s.csv", rows(given, right), encoding, separator)
    assert corrected(tmp_path / "s.csv", [first, second, first])[0] == second


CELLS: dict[str, tuple[tuple[str, str], tuple[Any, Any], str]] = {
    "numbers": (("007", "012"), (7, 12), "General"),
    "yes and no": (("true", "false"), (True, False), "General"),
    "days": (
        ("2024-05-01", "2024-05-13"),
        (datetime.date(2024, 5, 1), datetime.date(2024, 5, 13)),
        "yyyy/m/d",
    ),
    "texts": (("好", "坏"), ("好", "坏"), "@"),
}


@pytest.mark.parametrize("name", CELLS)
def test_a_saved_workbook_fits(name: str, tmp_path: Path) -> None:
    import xlsxwriter

    (first, second), cells, form = CELLS[name]
    with xlsxwriter.Workbook(tmp_path / "s.xlsx") as book:
        sheet, shown = book.add_worksheet(), book.add_format({"num_format": form})
        for place, row in enumerate(rows(*cells)):
            for column, value in enumerate(row):
                sheet.write(place, column, value, shown if value in cells else None)
    assert corrected(tmp_path / "s.xlsx", [first, second, first])[0] == second


@pytest.mark.parametrize(
    ("labels", "cell", "said"),
    [
        (("1", "01", "2"), "1", "line 3: 1 may be 01 or 1"),
        (("1-2", "2-1", "x"), "2-Jan", "line 3: 2-Jan may be 1-2 or 2-1"),
        (("2024-01-02", "2024-02-01", "x"), "1/2/2024", "may be 2024-01-02 or 2024-02-01"),
        (("123456789012", "123456789999", "2"), "1.23457E+11", "may be 123456789012 or"),
        (("true", "True", "x"), "TRUE", "may be True or true"),
    ],
)
def test_what_may_be_two_labels_is_told_with_its_line(labels, cell, said, tmp_path: Path) -> None:
    table = rows("x", "")
    table[2][5] = cell
    save_csv(tmp_path / "s.csv", table, "utf-8-sig", ",")
    with pytest.raises(DataError, match=said):
        read_corrections(tmp_path / "s.csv", "s.csv", labels)


def test_a_file_that_no_spreadsheet_rewrote_means_what_it_says(tmp_path: Path) -> None:
    save_csv(tmp_path / "s.csv", rows("01", "1"), "utf-8", ",")
    assert corrected(tmp_path / "s.csv", ["01", "1", "x"]) == ["1", "1", "x"]


def test_a_slip_is_still_one(tmp_path: Path) -> None:
    save_csv(tmp_path / "s.csv", rows("1", "3"), "utf-8-sig", ",")
    corrections = read_corrections(tmp_path / "s.csv", "s.csv", {"1", "2"})
    with pytest.raises(DataError, match="line 2: 3"):
        correct(dataset(["1", "2", "1"]), TEXTS, corrections)


@pytest.mark.parametrize("label", ["=1+1", "@x", "+x", "-1", "-x", "'=x", "'", "plain"])
def test_a_label_is_no_formula(label: str) -> None:
    assert not defused(label).startswith(("=", "@", "+")) or label == "+1"
    assert bare(defused(label)) == label or label == "'=x"
    assert Labels(["-1", "1"], []).meant("-1") == ["-1"]


READ: dict[str, Callable[[str], bytes]] = {
    "old Macs": lambda text: text.replace("\r\n", "\r").encode(),
    "a long cell": lambda text: text.replace("first", "x" * 200_000).encode(),
    "Excel's separator": lambda text: b"sep=,\r\n" + text.encode(),
    "blank lines behind": lambda text: (text + ",,,,,,\r\n\r\n").encode(),
    "short lines": lambda text: text.replace(",first", "").encode(),
}


@pytest.mark.parametrize("name", READ)
def test_what_spreadsheets_leave_is_read(name: str, tmp_path: Path) -> None:
    save_csv(tmp_path / "s.csv", rows("a", "b"), "utf-8", ",")
    raw = READ[name]((tmp_path / "s.csv").read_bytes().decode())
    (tmp_path / "s.csv").write_bytes(raw)
    assert corrected(tmp_path / "s.csv", ["a", "b", "a"]) == ["b", "b", "a"]


def test_what_is_no_table_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_bytes(b"")
    with pytest.raises(DataError, match="no column key, given, corrected"):
        read_corrections(tmp_path / "s.csv", "s.csv")
    (tmp_path / "s.xlsx").write_bytes(b"key,given,corrected\r\n")
    with pytest.raises(DataError, match="no readable Excel"):
        read_corrections(tmp_path / "s.xlsx", "s.xlsx")
