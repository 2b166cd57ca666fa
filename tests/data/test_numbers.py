"""Numbers written as text: what is unclear is no number, rather than another one."""

from __future__ import annotations

import polars as pl
import pytest

from luodi.contracts import DataError
from luodi.contracts.written import decimal_comma
from luodi.data.formats import format_of
from luodi.data.kinds import as_numbers, read_column
from luodi.data.roles import as_number


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1,234", 1234.0), ("1,234.5", 1234.5), ("-1,23,456", -123456.0),
        ("12,345,678", 12345678.0),
        ("1 000", 1000.0), ("24,5", None), ("24,25", None), ("1.234,5", None), ("7", 7.0),
    ],
)  # fmt: skip
def test_a_comma_parts_thousands_or_nothing(written: str, read: float | None) -> None:
    assert as_numbers(pl.Series("a", [written])).to_list() == [read]


def test_an_answer_with_an_unclear_comma_is_told_not_guessed() -> None:
    assert as_number(pl.Series("price", ["1,234", "7"])).to_list() == [1234.0, 7.0]
    with pytest.raises(DataError, match=r"price are no numbers: '24,5'"):
        as_number(pl.Series("price", ["24,5", *["1,234"] * 20]))


def test_a_column_of_decimal_commas_is_read_as_such() -> None:
    prices = pl.Series("price", ["24,5", "1.234,50", "1,234", "7", None, "n/a"])
    assert format_of(prices, "number") == "decimal-comma"
    read = [24.5, 1234.5, 1.234, 7.0, None, None]
    assert as_number(prices).to_list() == read
    assert read_column(prices, "number", "decimal-comma") == read


@pytest.mark.parametrize(
    "unclear",
    [
        ["1,234", "5,678"],  # thousands, or decimals
        ["24,5", "3.14"],  # one of each
        ["24,5", "1.234"],  # a point that may be a decimal one
        ["24,5", "b7"],
        ["24,5", *["1,234"] * 20],  # a slip
    ],
)
def test_unclear_commas_stay_as_they_are(unclear: list[str]) -> None:
    assert format_of(pl.Series(unclear), "number") == ""


@pytest.mark.parametrize(
    "text", ["24,5", " 1.234,50 ", "1 234,5", "-0,5", "1.234", "24.5", "7", "a", "1,2,3"]
)
def test_a_request_reads_as_the_column_does(text: str) -> None:
    (read,) = read_column(pl.Series([text]), "number", "decimal-comma")
    assert decimal_comma(text.strip()) == read
