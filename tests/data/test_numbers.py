"""Numbers written as text: what is unclear is no number, rather than another one."""

from __future__ import annotations

import polars as pl
import pytest

from luodi.contracts import DataError
from luodi.data.kinds import as_numbers
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
        as_number(pl.Series("price", ["24,5", "7"]))
