"""A time column as numbers that grow with time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import DataError, say

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

# The year first: 31/05/2024 is left out because 05/06/2024 could be either of two days.
_DATE = r"^\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
_CLOCKS = ("", " %H:%M:%S%.f", " %H:%M:%S", " %H:%M")
_ZONED = (" %H:%M:%S%.f%#z", " %H:%M:%S%#z", " %H:%M%#z")


def moments(values: pl.Series) -> NDArray[np.int64]:
    """(n,) the rank of each value in time; equal times have equal ranks.

    Raises:
        DataError: as `instants`.
    """
    import numpy as np

    _, found = np.unique(instants(values), return_inverse=True)
    ranks: NDArray[np.int64] = found.astype(np.int64)
    return ranks


def instants(values: pl.Series) -> NDArray[np.generic]:
    """(n,) each value as a number that grows with time, as far apart as the times are.

    Dates, times and numbers as they are; texts as 2024-05-31, 2024/5/31, 2024年5月31日 or
    20240531, with a time of day and an offset from UTC or without.

    Raises:
        DataError: for values that are no times or missing, with the first of them.
    """
    import polars as pl

    times = _read(values) if values.dtype == pl.String else values
    wrong = times.is_null()
    if times.dtype.is_float():
        wrong |= times.is_nan().fill_null(True)
    known = times.dtype.is_temporal() or times.dtype.is_numeric()
    if not known or wrong.any():
        raise _no_times(values.filter(wrong) if known else values)
    return (times.to_physical() if times.dtype.is_temporal() else times).to_numpy()


def microseconds(values: pl.Series) -> pl.Series | None:
    """(n,) microseconds since 1970, null for what is no time; None for values of another kind."""
    import polars as pl

    if values.dtype == pl.String:
        return _read(values)
    if values.dtype == pl.Date:
        return values.cast(pl.Datetime("us")).to_physical()
    if isinstance(values.dtype, pl.Datetime):
        return values.dt.cast_time_unit("us").to_physical()
    return None


def _read(values: pl.Series) -> pl.Series:
    """The texts as microseconds since 1970, null where no form fits."""
    import polars as pl

    plain = values.str.replace(_DATE, "$1-$2-$3").str.replace(r"(\d)\s*[T ]\s*(\d)", "$1 $2")
    plain = plain.str.strip_chars().str.replace(r"Z$", "+00:00")
    plain = plain.str.replace(r"^(\S+ \d{1,2})$", "$1:00")  # an hour alone
    found = pl.Series(values.name, [None] * len(values), dtype=pl.Int64)
    for date in ("%Y-%m-%d", "%Y%m%d"):
        for clock in (*_CLOCKS, *_ZONED):
            left = found.is_null() & plain.is_not_null()
            if not left.any():
                return found
            read = plain.str.to_datetime(
                date + clock, time_unit="us", strict=False, exact=True
            ).to_physical()
            found = found.zip_with(~left, read)
    return found


def _no_times(wrong: pl.Series) -> DataError:
    shown = repr(wrong[0]) if wrong[0] is not None else say("nothing", "空值")
    return DataError(
        say(
            f"The time column {wrong.name} has {len(wrong)} values that are no times, "
            f"such as {shown}.",
            f"时间列 {wrong.name} 有 {len(wrong)} 个值不是时间，例如 {shown}。",
        ),
        say(
            "Expected dates such as 2024-05-31, or numbers.", "应为 2024-05-31 这样的日期，或数字。"
        ),
        say("Mend or drop these rows.", "请修正或删除这些行。"),
    )
