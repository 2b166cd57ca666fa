"""What columns hold, however they were written."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from luodi.contracts import Field, RequestError, Schema
from luodi.data.formats import format_of
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
        (["yes", "no", None] * 20, "boolean"),
        (["Y", "n"] * 30, "boolean"),
        (["是", "否"] * 30, "boolean"),
        (["有", "无"] * 30, "boolean"),
        ([0, 1, None] * 20, "boolean"),
        (["0", "1"] * 30, "boolean"),
        ([0.0, 1.0] * 30, "number"),  # measured: 0.5 may be next
        ([0, 1, 2] * 20, "number"),
        (["yes", "no", "unknown"] * 20, "category"),
        (["yes", "N"] * 30, "category"),  # two ways of spelling
        ([20200131, 20201224, 20190605, 20180503, 20210101, 20211111] * 10, "date"),
        ([str(20200101 + n % 28) for n in range(ROWS)], "date"),
        ([20200101 + n for n in range(31)], "date"),  # each once, and no running number
        ([20201301 + n % 28 for n in range(ROWS)], "number"),  # of a thirteenth month
        ([f"{1 + n % 28}.{1 + n % 12}.2020" for n in range(ROWS)], "date"),
        ([f"{1 + n % 28:02d}/{1 + n % 12:02d}/2020" for n in range(ROWS)], "date"),
        ([f"{1 + n % 12:02d}/{1 + n % 28:02d}/2020 08:30" for n in range(ROWS)], "date"),
        ([f"{1 + n % 12:02d}/{1 + n % 12:02d}/2020" for n in range(ROWS)], "category"),
        ([f"{n % 40},{n % 7}" for n in range(ROWS)], "number"),
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


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt8, pl.Int16, pl.Float32, pl.Decimal(10, 2)])
def test_small_numbers_are_numbers(dtype):
    assert recognise(pl.Series([1, 2, 3, 5] * 10).cast(dtype)) == "number"


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
    assert read_strictly(pl.Series("c", ["1", "n/a", None]), Field("c", "number")) == [
        1.0,
        None,
        None,
    ]
    with pytest.raises(RequestError, match=r"row 2\.c: found 'soon'"):
        read_strictly(pl.Series("c", ["2024-01-01", "soon"]), Field("c", "date"))


def test_dates_of_every_spelling_are_one():
    spelt = ["2024-3-5", "2024/03/05", "2024.3.05", "2024年3月5日", "2024-03-05 08:30", "soon"]
    assert as_dates(pl.Series(spelt)).to_list() == [
        "2024-03-05", "2024-03-05", "2024-03-05", "2024-03-05", "2024-03-05T08:30", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["24.05.2020", "5.4.2020", "1.12.2019"], "day-first"),
        (["24/05/2020", "05/04/2020"], "day-first"),
        (["05/24/2020 08:30", "05/04/2020"], "month-first"),
        (["05/04/2020", "06/07/2020"], ""),  # April or May
        (["24/05/2020", "05/24/2020"], ""),
        (["24/05/2020", "31/02/2020"], ""),
        ([20200524, 20200401, 20200101, 20191231, 20200302], "digits"),
        (["20200524", "20200401"], ""),  # two may be so by chance
        (["2020-05-24", "2020-04-01"], ""),
    ],
)
def test_dates_whose_column_tells_their_order(values, form):
    assert format_of(pl.Series(values), "date") == form


def test_a_request_reads_dates_as_their_column():
    for form, value in (("day-first", "24.5.2020"), ("month-first", "05/24/2020"),
                        ("digits", 20200524), ("digits", "20200524"), ("day-first", "2020-05-24"),
                        ("", "2020年5月24日")):  # fmt: skip
        field = Field("due", "date", format=form)
        assert field.read(value, "due") == "2020-05-24"
        assert read_column(pl.Series([value]), "date", form) == ["2020-05-24"]
    for form, value in (("", "24.05.2020"), ("", 20200524), ("day-first", "05/24/2020")):
        with pytest.raises(RequestError):
            Field("due", "date", format=form).read(value, "due")


@pytest.mark.parametrize("spelt", [True, "yes", " Y ", "TRUE", "是", "有", 1, 1.0, "1"])
def test_a_request_may_spell_yes_as_tables_do(spelt):
    assert Field("paid", "boolean").read(spelt, "paid") is True


def test_a_plain_field_stands_in_json_as_ever():
    schema = Schema((Field("a", "number"), Field("b", "date", format="digits")), ())
    told = schema.to_json()["request"]
    assert "format" not in told[0]
    assert told[1]["format"] == "digits"
    assert Schema.from_json(schema.to_json()) == schema
