"""What a column of a table holds, to a learner: numbers, categories, texts, dates, yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import ColumnKind, Field, Format, JsonValue, RequestError, say
from luodi.contracts.written import FALSE, TRUE, iso_date
from luodi.data.formats import as_words, format_of, known, spelt_truth
from luodi.data.profile import profile_column
from luodi.data.roles import written_numbers

if TYPE_CHECKING:
    import polars as pl

_NUMBERS = 0.9
"""A column of texts is one of numbers when so many of its values are; the rest must be MISSING."""
_SHORT = 40
"""Characters that a category's name has at the most, in the middle."""


def recognise(column: pl.Series) -> ColumnKind:
    """What the column holds. Running numbers, constants and empty columns are to be ignored."""
    import polars as pl

    if spelt_truth(column):
        return "boolean"
    if format_of(column, "date"):
        return "date"
    if column.dtype == pl.String and _is_numeric(column):
        # Numbers in quotes are numbers all the same.
        column = _as_typed(as_numbers(column, format_of(column, "number")))
    profile = profile_column(column)
    nested = column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object)
    constant = profile.distinct < 2 and not profile.missing
    if nested or constant or profile.kind == "identifier" or profile.kind == "empty":  # noqa: PLR1714  # mypy narrows
        return "ignore"
    is_text = column.dtype == pl.String and profile.kind == "text"
    if is_text and _is_short(column, profile.distinct):
        return "category"
    return profile.kind


def _as_typed(numbers: pl.Series) -> pl.Series:
    """Whole numbers as such: only they can be running numbers."""
    import polars as pl

    whole = (numbers == numbers.round(0)).all() and bool((numbers.abs() < 2**53).all())
    return numbers.cast(pl.Int64) if whole else numbers


def _is_numeric(column: pl.Series) -> bool:
    present = known(column).drop_nulls()
    numbers = as_numbers(present, format_of(present, "number"))
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


def as_numbers(column: pl.Series, form: Format = "") -> pl.Series:
    """The column as float64; null where there is no finite number."""
    import numpy as np
    import polars as pl

    if column.dtype == pl.Boolean or column.dtype.is_integer():
        return column.cast(pl.Float64)
    if column.dtype.is_numeric():
        numbers = column.cast(pl.Float64)
    else:
        numbers = written_numbers(known(column), form)
    if np.isfinite(numbers.to_numpy()).all():  # most columns; nulls are no numbers there
        return numbers
    return numbers.set((~numbers.is_finite()).fill_null(False), None)


def as_dates(column: pl.Series, form: Format = "") -> pl.Series:
    """The column as ISO texts: 2026-01-31, or 2026-01-31T08:00:00 where there is a time of day."""
    import polars as pl

    if column.dtype == pl.Date:
        return column.dt.to_string("%Y-%m-%d")
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.to_string("%Y-%m-%dT%H:%M:%S")
    # By the very function that reads a request's: the two cannot differ.
    texts = known(column)
    different = texts.drop_nulls().unique()
    read = [iso_date(text, form) for text in different.to_list()]
    dates = pl.Series(read, dtype=pl.String)
    return texts.replace_strict(different, dates, default=None, return_dtype=pl.String)


def as_booleans(column: pl.Series) -> pl.Series:
    """The column as true and false; null for anything else."""
    import polars as pl

    if column.dtype == pl.Boolean:
        return column
    text = as_words(column).str.to_lowercase()
    true, false = text.is_in(list(TRUE)), text.is_in(list(FALSE))
    found = pl.Series(column.name, [None] * len(column), dtype=pl.Boolean)
    return found.set(true.fill_null(False), True).set(false.fill_null(False), False)


def read_column(column: pl.Series, kind: str, form: Format = "") -> list[JsonValue]:
    """The column's values as a request carries them, None where nothing is known."""
    return read(column, kind, form).to_list()


def read(column: pl.Series, kind: str, form: Format = "") -> pl.Series:
    """The same as a column: float64, booleans, or text; dates as ISO has them."""
    if kind == "number":
        return as_numbers(column, form)
    if kind == "date":
        return as_dates(column, form)
    return as_booleans(column) if kind == "boolean" else as_words(column)


def unreadable(column: pl.Series, kind: str, form: Format = "") -> pl.Series:
    """(n,) what stands in the column and is not of the kind, as text; null elsewhere.

    Infinities are numbers that are not known.
    """
    import polars as pl

    if kind not in ("number", "date", "boolean"):
        return pl.Series(column.name, [None] * len(column), dtype=pl.String)
    there = known(column)
    wrong = read(column, kind, form).is_null() & there.is_not_null()
    wrong &= ~there.str.to_lowercase().is_in(["inf", "-inf"]).fill_null(False)
    return there.set(~wrong, None)


def read_strictly(column: pl.Series, field: Field, first: int = 0) -> list[JsonValue]:
    """As `read_column`, of a table that is asked about: what stands there must be of the kind.

    Args:
        field: that the column is read for.
        first: the number of the column's first row within the whole input, from 0.

    Raises:
        RequestError: naming the first row (from 1) whose value is of another kind.
    """
    wrong = unreadable(column, field.kind, field.format)
    if wrong.null_count() < len(wrong):
        place = int(wrong.is_not_null().arg_true()[0])
        raise refusal(column.name, str(wrong[place]), field, first + place)
    return read_column(column, field.kind, field.format)


def refusal(column: str, text: str, field: Field, row: int) -> RequestError:
    """What is said of a value that is not of the field's kind; `row` counts from 0."""
    return RequestError(
        say(f"row {row + 1}.{column}", f"第 {row + 1} 行.{column}"),
        say(f"found {text[:60]!r}.", f"收到 {text[:60]!r}。"),
        say(f"Expected a {field.kind}.", f"应为 {field.kind}。"),
    )
