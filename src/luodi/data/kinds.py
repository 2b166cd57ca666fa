"""What a column of a table holds, to a learner: numbers, categories, texts, dates, yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import ColumnKind, JsonValue, RequestError, say
from luodi.contracts.schema import iso_date
from luodi.data.profile import profile_column
from luodi.data.roles import MISSING, as_text, written_numbers

if TYPE_CHECKING:
    import polars as pl

_NUMBERS = 0.9
"""A column of texts is one of numbers when so many of its values are; the rest must be MISSING."""
_SHORT = 40
"""Characters that a category's name has at the most, in the middle."""


def recognise(column: pl.Series) -> ColumnKind:
    """What the column holds. Running numbers, constants and empty columns are to be ignored."""
    import polars as pl

    if column.dtype == pl.String and _is_numeric(column):
        column = _as_typed(as_numbers(column))  # numbers in quotes are numbers all the same
    profile = profile_column(column)
    if profile.kind == "identifier" or profile.kind == "empty":  # noqa: PLR1714  # mypy narrows
        return "ignore"
    if profile.distinct < 2 and not profile.missing:
        return "ignore"
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        return "ignore"
    if column.dtype == pl.String and _is_truth(column):
        return "boolean"
    is_text = column.dtype == pl.String and profile.kind == "text"
    if is_text and _is_short(column, profile.distinct):
        return "category"
    return profile.kind


def _is_truth(column: pl.Series) -> bool:
    """Whether all that stands there is true or false, as files without types spell it."""
    present = as_words(column).drop_nulls().str.to_lowercase().unique().to_list()
    return 0 < len(present) <= 2 and set(present) <= {"true", "false"}


def _as_typed(numbers: pl.Series) -> pl.Series:
    """Whole numbers as such: only they can be running numbers."""
    import polars as pl

    whole = (numbers == numbers.round(0)).all() and bool((numbers.abs() < 2**53).all())
    return numbers.cast(pl.Int64) if whole else numbers


def _is_numeric(column: pl.Series) -> bool:
    present = known(column).drop_nulls()
    numbers = as_numbers(present)
    # A single word among numbers makes them codes: only what stands for nothing may be no number.
    return (
        len(present) > 0
        and numbers.null_count() == 0
        and len(present) >= _NUMBERS * len(column.drop_nulls())
    )


def _is_short(column: pl.Series, distinct: int) -> bool:
    present = column.drop_nulls()
    length = present.str.len_chars().median()
    few = distinct <= max(10, 0.5 * len(present)) if len(present) < 200 else False
    return isinstance(length, float) and length <= _SHORT and few


def as_words(column: pl.Series) -> pl.Series:
    """The column as text without white space around it, null where nothing stands."""
    text = as_text(column).str.strip_chars()
    return text.set((text == "").fill_null(False), None)


def known(column: pl.Series) -> pl.Series:
    """The column as text, null also where a word says that nothing is known."""
    text = as_words(column)
    return text.set(text.str.to_lowercase().is_in(MISSING).fill_null(False), None)


def as_numbers(column: pl.Series) -> pl.Series:
    """The column as float64; null where there is no finite number."""
    import polars as pl

    if column.dtype == pl.Boolean or column.dtype.is_numeric():
        numbers = column.cast(pl.Float64)
    else:
        numbers = written_numbers(known(column))
    return numbers.set((~numbers.is_finite()).fill_null(False), None)


def as_dates(column: pl.Series) -> pl.Series:
    """The column as ISO texts: 2026-01-31, or 2026-01-31T08:00:00 where there is a time of day."""
    import polars as pl

    if column.dtype == pl.Date:
        return column.dt.to_string("%Y-%m-%d")
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.to_string("%Y-%m-%dT%H:%M:%S")
    # By the very function that reads a request's: the two cannot differ.
    found = [None if text is None else iso_date(text) for text in known(column).to_list()]
    return pl.Series(column.name, found, dtype=pl.String)


def as_booleans(column: pl.Series) -> pl.Series:
    """The column as true and false; null for anything else."""
    import polars as pl

    if column.dtype == pl.Boolean:
        return column
    text = as_words(column).str.to_lowercase()
    true, false = text.is_in(_TRUE), text.is_in(_FALSE)
    found = pl.Series(column.name, [None] * len(column), dtype=pl.Boolean)
    return found.set(true.fill_null(False), True).set(false.fill_null(False), False)


_TRUE = ("true", "t", "yes", "y", "1", "是", "有")
_FALSE = ("false", "f", "no", "n", "0", "否", "无")


def read_column(column: pl.Series, kind: str) -> list[JsonValue]:
    """The column's values as a request carries them, None where nothing is known."""
    if kind == "number":
        return as_numbers(column).to_list()
    if kind == "date":
        return as_dates(column).to_list()
    if kind == "boolean":
        return as_booleans(column).to_list()
    return as_words(column).to_list()


def read_strictly(column: pl.Series, kind: str, first: int = 0) -> list[JsonValue]:
    """As `read_column`, of a table that is asked about: what stands there must be of the kind.

    Args:
        first: the number of the column's first row within the whole input, from 0.

    Raises:
        RequestError: naming the first row (from 1) whose value is of another kind.
    """
    values = read_column(column, kind)
    there = known(column) if kind in ("number", "date", "boolean") else None
    if there is None:
        return values
    for row, (value, text) in enumerate(zip(values, there.to_list(), strict=True), first + 1):
        if value is None and text is not None and text.lower() not in ("inf", "-inf"):
            raise RequestError(
                say(f"row {row}.{column.name}", f"第 {row} 行.{column.name}"),
                say(f"found {text[:60]!r}.", f"收到 {text[:60]!r}。"),
                say(f"Expected a {kind}.", f"应为 {kind}。"),
            )
    return values
