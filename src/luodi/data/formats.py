"""How a column's texts are written: decimal commas, the day first, eight digits for a day.

A column is read in such a way only when all of it is written so and could be read in no other:
`1,234` may be either number, 05/04/2020 either day, and such columns stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import Format
from luodi.contracts.written import DECIMAL_COMMA, SPELLINGS
from luodi.data.roles import MISSING, SPACES, as_text

if TYPE_CHECKING:
    import polars as pl

_SPACED = r"^[+-]? ?\d[\d.,_ \u{a0}\u{202f}]*$"
_NOT_THOUSANDS = r"^[+-]?0\d*,|,\d{1,2}$|,\d{4,}$|\..*,"
"""What shows that a comma parts no thousands: 0,5; 12,50; 0,1234; 1.234,567."""
_SHOWN = 0.1
"""Of the values with a comma so many must show it: one slip among 1,234s does not."""
_POINTS_PART = r"\d\.\d{3}(?:\.\d{3}|,)"
"""What shows that points part thousands: 1.234,5 and 1.234.567."""
_YEAR_LAST = r"^(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4})(?:[T ]\d{2}:\d{2}\S*)?$"
_DIGITS = r"^(\d{8})(?:[T ]\d{2}:\d{2}\S*)?$"
_DAYS = (19_000_101, 21_001_231)
_LEAST_DAYS = 5
"""Of different numbers one in thirty is a day by chance; five are not."""
_GLANCE = 200


def as_words(column: pl.Series) -> pl.Series:
    """The column as text without white space around it, null where nothing stands."""
    text = as_text(column).str.strip_chars()
    return text.set((text == "").fill_null(False), None)


def known(column: pl.Series) -> pl.Series:
    """The column as text, null also where a word says that nothing is known."""
    text = as_words(column)
    return text.set(text.str.to_lowercase().is_in(MISSING).fill_null(False), None)


def format_of(column: pl.Series, kind: str) -> Format:
    """How the texts of a column of numbers or dates are written, where that is not plain."""
    import polars as pl

    if kind == "number" and column.dtype == pl.String:
        return "decimal-comma" if _with_comma(column) else ""
    if kind != "date" or not (column.dtype == pl.String or column.dtype.is_numeric()):
        return ""
    if column.dtype.is_numeric() and not _between(column):
        return ""
    return "digits" if _digits(column) else _year_last(column)


def spelt_truth(column: pl.Series) -> bool:
    """Whether two values, and no others, are all there is, and are yes and no.

    Of numbers only whole ones: 1.0 is measured. `true` alone, or `false`, is one of two as well.
    """
    import polars as pl

    if column.dtype != pl.String and not column.dtype.is_integer():
        return False
    if column.head(_GLANCE).n_unique() > _GLANCE // 10:
        return False
    different = as_words(column.unique()).drop_nulls()  # of few values each is looked at once
    words = set(different.str.to_lowercase().to_list())
    whole = any(words == set(pair) for pair in SPELLINGS)
    return whole or (len(words) == 1 and words <= set(SPELLINGS[0]))


def _with_comma(column: pl.Series) -> bool:
    texts = _shaped(column, _SPACED)
    if texts is None:
        return False
    texts = texts.str.replace_all(SPACES, "")
    if not texts.str.contains(DECIMAL_COMMA).all():
        return False
    comma = texts.str.contains(",", literal=True)
    shows = texts.str.contains(_NOT_THOUSANDS)
    points = texts.str.contains(".", literal=True)
    parted = not points.any() or texts.str.contains(_POINTS_PART).any()
    return bool(shows.any() and shows.sum() >= _SHOWN * int(comma.sum()) and parted)


def _between(numbers: pl.Series) -> bool:
    """Whether all lie between two days' digits; asked of Python, for a byte holds no such bound."""
    low, high = numbers.min(), numbers.max()
    if not isinstance(low, int | float) or not isinstance(high, int | float):
        return False
    return _DAYS[0] <= low and high <= _DAYS[1]


def _digits(column: pl.Series) -> bool:
    texts = _shaped(column, _DIGITS)
    if texts is None:
        return False
    days = texts.str.slice(0, 8)
    return bool(
        _between(days.cast(int)) and days.n_unique() >= _LEAST_DAYS and _are_days(days, "%Y%m%d")
    )


def _year_last(column: pl.Series) -> Format:
    texts = _shaped(column, _YEAR_LAST)
    if texts is None:
        return ""
    plain = texts.str.replace(_YEAR_LAST, "$1-$3-$4")
    day_first, month_first = _are_days(plain, "%d-%m-%Y"), _are_days(plain, "%m-%d-%Y")
    # Between points the day goes first; between other signs that depends on the country.
    if day_first and (not month_first or texts.str.contains(r"^\d+\.\d+\.").all()):
        return "day-first"
    return "month-first" if month_first and not day_first else ""


def _shaped(column: pl.Series, shape: str) -> pl.Series | None:
    """What is known of the column, where all of that has the shape; else None.

    A glance at the first values spares most the look.
    """
    for part in (column.head(_GLANCE), column):
        texts = known(part).drop_nulls()
        if len(texts) and not texts.str.contains(shape).all():
            return None
    return texts if len(texts) else None


def _are_days(texts: pl.Series, form: str) -> bool:
    import polars as pl

    different = texts.unique()
    return different.str.to_date(form, strict=False).cast(pl.Int32).null_count() == 0
