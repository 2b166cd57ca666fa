"""What columns hold, however they were written."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from luodi.contracts import RequestError
from luodi.data.kinds import as_dates, read_column, read_strictly, recognise

ROWS = 60
MIXED = [n * 37 % 11 + 0.5 for n in range(ROWS)]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (MIXED, "number"),
        ([str(v) for v in MIXED], "number"),
        ([f"{n}.{n * 7919 % 10007:05d}" for n in range(ROWS)], "number"),  # unique, and no codes
        (["?" if n % 20 == 0 else str(v) for n, v in enumerate(MIXED)], "number"),
        (["1,204", "17"] * 30, "number"),
        (["1", "2", "b7"] * 20, "category"),
        (["red", "green", None] * 20, "category"),
        ([True, False, None] * 20, "boolean"),
        (["True", "false", ""] * 20, "boolean"),
        (["yes", "no"] * 30, "category"),
        ([date(2024, 1, 1 + n % 28) for n in range(ROWS)], "date"),
        ([f"2024/{1 + n % 12}/{1 + n % 28}" for n in range(ROWS)], "date"),
        ([f"2024年{1 + n % 12}月{1 + n % 28}日" for n in range(ROWS)], "date"),
        ([f"the {n} words of a note that nobody wrote twice, at length" for n in range(ROWS)],
         "text"),
        (list(range(1000, 1000 + ROWS)), "ignore"),  # a running number
        ([str(n) for n in range(1000, 1000 + ROWS)], "ignore"),
        ([f"C{n * 7919:06d}" for n in range(ROWS)], "ignore"),  # an account number
        ([1] * ROWS, "ignore"),
        ([None] * ROWS, "ignore"),
        ([[1, 2]] * ROWS, "ignore"),
    ],
)  # fmt: skip
def test_recognised(values, kind):
    assert recognise(pl.Series("c", values)) == kind


def test_a_constant_that_is_sometimes_missing_tells_something():
    assert recognise(pl.Series("c", ["yes", None] * 30)) == "category"


def test_values_as_a_request_carries_them():
    assert read_column(pl.Series(["1,204.5", "n/a", None]), "number") == [1204.5, None, None]
    assert read_column(pl.Series([1, 2]), "category") == ["1", "2"]
    assert read_column(pl.Series([1.0, None]), "category") == ["1", None]
    assert read_column(pl.Series([" none ", ""]), "category") == ["none", None]
    assert read_column(pl.Series(["是", "no", "maybe"]), "boolean") == [True, False, None]
    assert read_column(pl.Series([float("inf")]), "number") == [None]


def test_what_is_asked_about_must_be_of_the_kind():
    assert read_strictly(pl.Series("c", ["1", "n/a", None]), "number") == [1.0, None, None]
    with pytest.raises(RequestError, match=r"row 2\.c: found 'soon'"):
        read_strictly(pl.Series("c", ["2024-01-01", "soon"]), "date")


def test_dates_of_every_spelling_are_one():
    spelt = ["2024-3-5", "2024/03/05", "2024.3.05", "2024年3月5日", "2024-03-05 08:30", "soon"]
    assert as_dates(pl.Series(spelt)).to_list() == [
        "2024-03-05", "2024-03-05", "2024-03-05", "2024-03-05", "2024-03-05T08:30", None,
    ]  # fmt: skip
