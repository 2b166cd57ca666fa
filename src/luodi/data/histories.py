"""Rows that follow one another, such as a machine's cycles, as rows that each tell what was lately.

For every row of a unit and every column: the value now, and over the last so many rows the mean,
the slope and the spread. One function does it for a table and for a request, so that what is served
is what was learnt. NumPy alone: the service runs this.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import (
    DataError,
    HistorySettings,
    JsonValue,
    RemainingSettings,
    RequestError,
    parse_rule,
    say,
)

if TYPE_CHECKING:
    import polars as pl

HISTORY = "history"
"""The key under which a request carries a unit's rows instead of what is made of them."""
Floats = NDArray[np.float64]


def feature_names(history: HistorySettings) -> list[str]:
    """A name a feature, in the order of `features`."""
    return [
        *history.columns,
        *(
            f"{column} ({what} of {size})"
            for size in history.sizes
            for what in ("mean", "slope", "spread")
            for column in history.columns
        ),
    ]


def features(values: Floats, when: Floats, sizes: Sequence[int]) -> Floats:
    """What the last of t rows is told by: (t, c) values at (t,) times -> (c * (1 + 3 sizes),).

    A window that reaches before the first row holds what there is. NaN is left out of every sum;
    a window without any value gives NaN, a slope over one time 0.
    """
    parts = [values[-1]]
    for size in sizes:
        window, times = values[-size:], when[-size:]
        known = np.isfinite(window)
        count = known.sum(axis=0)
        some = np.where(count > 0, count, 1)
        filled = np.where(known, window, 0.0)
        mean = filled.sum(axis=0) / some
        off = np.where(known, filled - mean, 0.0)
        since = np.where(known, (times - times[-1])[:, None], 0.0)
        since = np.where(known, since - since.sum(axis=0) / some, 0.0)
        reach = (since**2).sum(axis=0)
        slope = (since * off).sum(axis=0) / np.where(reach > 0, reach, 1.0)
        spread = np.sqrt((off**2).sum(axis=0) / some)
        parts += [np.where(count > 0, part, math.nan) for part in (mean, slope, spread)]
    return np.concatenate(parts)


def roll(table: pl.DataFrame, history: HistorySettings, last_only: bool = False) -> pl.DataFrame:
    """A row for each row of the table, told by what was before it in its unit.

    The rows come sorted by unit and time, with the other columns as they were.

    Args:
        last_only: only each unit's last row: what a service would be asked about.

    Raises:
        DataError: a column that is not there, or a time that is no number or date.
    """
    import polars as pl

    _check(table, history)
    when = _times(table.get_column(history.time))
    kept = table.with_columns(when.alias(_TIME)).sort([history.group, _TIME], maintain_order=True)
    values = _matrix(kept, history.columns)
    times = kept.get_column(_TIME).to_numpy()
    units = kept.get_column(history.group).rle_id().to_numpy()
    starts = np.searchsorted(units, units)
    last = np.append(units[1:] != units[:-1], True)
    kept, over = _remaining(kept, history.remaining, times, units)
    if over.any():  # they stand behind the others of their unit: no window reaches them
        last = ~over & (last | np.append(over[1:], False))
    ends = np.flatnonzero(last if last_only else ~over)
    longest = max(history.sizes)
    rows = np.empty((len(ends), len(feature_names(history))))
    for place, end in enumerate(ends):
        start = max(int(starts[end]), int(end) + 1 - longest)
        rows[place] = features(values[start : end + 1], times[start : end + 1], history.sizes)
    made = pl.DataFrame(rows, schema=feature_names(history)).fill_nan(None)
    return kept[ends].drop([*history.columns, _TIME]).hstack(made)


_TIME = "__time__"


def _check(table: pl.DataFrame, history: HistorySettings) -> None:
    left = history.remaining
    until = left.until if left and left.column not in table.columns else {}
    wanted = (history.group, history.time, *history.columns, *until)
    missing = [name for name in wanted if name not in table.columns]
    taken = [name for name in feature_names(history)
             if name in table.columns and name not in history.columns]  # fmt: skip
    if missing:
        raise DataError(
            say(f"data.history names {missing[0]}, which is no column.",
                f"data.history 中的 {missing[0]} 不是表中的列。"),
            say(f"The columns are: {', '.join(table.columns[:30])}.",
                f"现有的列：{'、'.join(table.columns[:30])}。"),
        )  # fmt: skip
    if taken:
        raise DataError(
            say(f"The table has a column {taken[0]}, which data.history would make.",
                f"表中已有列 {taken[0]}，与 data.history 生成的列重名。"),
            "",
            say("Rename the column.", "请重命名该列。"),
        )  # fmt: skip


def _times(column: pl.Series) -> pl.Series:
    """Times as numbers: as they are, or days.

    Raises:
        DataError: where there is none.
    """
    import polars as pl

    from luodi.data.kinds import as_dates, as_numbers

    numbers = as_numbers(column) if not column.dtype.is_temporal() else pl.Series([None])
    if numbers.null_count():
        texts = as_dates(column).to_list()
        numbers = pl.Series([None if text is None else _days(text) for text in texts],
                            dtype=pl.Float64)  # fmt: skip
    if lacking := numbers.null_count():
        raise DataError(
            say(f"{lacking} rows have no {column.name} that is a number or a date.",
                f"有 {lacking} 行的 {column.name} 不是数字或日期。"),
            say("Every row of a history needs its time.", "历史中的每一行都需要时间。"),
        )  # fmt: skip
    return numbers.cast(pl.Float64)


def _days(text: str) -> float:
    when = datetime.fromisoformat(text)
    seconds = (when.hour * 60 + when.minute) * 60 + when.second + when.microsecond / 1e6
    return when.toordinal() + seconds / 86_400


def _matrix(table: pl.DataFrame, columns: Sequence[str]) -> Floats:
    """(n, c), NaN where nothing is known."""
    from luodi.data.kinds import as_numbers

    parts = [as_numbers(table.get_column(name)).to_numpy() for name in columns]
    return np.column_stack(parts).astype(np.float64)


def _remaining(
    table: pl.DataFrame, wanted: RemainingSettings | None, times: Floats, units: NDArray[np.int64]
) -> tuple[pl.DataFrame, NDArray[np.bool_]]:
    """The table with the time that each row's unit had left; as given, where the table tells it.
    And (n,) which rows came after the end.
    """
    import polars as pl

    over = np.zeros(len(units), bool)
    if wanted is None:
        return table, over
    if wanted.column in table.columns:
        left = table.get_column(wanted.column).cast(pl.Float64)
    else:
        ends = _ends(table, wanted, times, units)
        over = times > ends
        left = pl.Series(ends - times).fill_nan(None)
    if wanted.cap is not None:
        left = left.clip(upper_bound=wanted.cap)
    return table.with_columns(left.alias(wanted.column)), over


def _ends(
    table: pl.DataFrame, wanted: RemainingSettings, times: Floats, units: NDArray[np.int64]
) -> Floats:
    """(n,) when each row's unit came to its end; NaN where it is not known."""
    own = units - units[0]
    if not wanted.until:
        last = np.append(np.flatnonzero(units[1:] != units[:-1]), len(units) - 1)
        return np.asarray(times[last][own])
    beyond = np.zeros(len(units), bool)
    for column, bound in wanted.until.items():
        rule = parse_rule("", bound)
        beyond |= np.array([rule.holds(value) for value in _matrix(table, [column])[:, 0]])
    first = np.full(own[-1] + 1, np.inf)
    np.minimum.at(first, own[beyond], times[beyond])
    first[np.isinf(first)] = math.nan
    return np.asarray(first[own])


def unfold(
    value: JsonValue, history: HistorySettings, known: Collection[str], where: str
) -> JsonValue:
    """A request that carries its unit's rows -> the fields that the model asks for.

    Anything but a mapping with the key `history` comes back as it is: the fields themselves may be
    sent as well.

    Args:
        known: the fields of the model's schema.
        where: how an error names the request.

    Raises:
        RequestError: no rows, a row that is none, a value that is no number, times out of order.
    """
    if not isinstance(value, Mapping) or HISTORY not in value:
        return value
    place = f"{where}.{HISTORY}" if where else HISTORY
    rows = value[HISTORY]
    if not isinstance(rows, list) or not rows or not all(isinstance(r, Mapping) for r in rows):
        raise RequestError(
            place,
            say("no list of rows.", "不是行的列表。"),
            say("Expected a unit's rows, the oldest first.", "应为同一单元的若干行，最早的在前。"),
        )
    start = max(0, len(rows) - max(history.sizes))
    recent = rows[start:]
    places = [f"{place}[{start + index}]" for index in range(len(recent))]
    when = [_time(row, history.time, at) for row, at in zip(recent, places, strict=True)]
    if any(math.isnan(time) for time in when) or sorted(when) != when:
        raise RequestError(
            place,
            say(f"{history.time} is missing or falls.", f"{history.time} 缺失或未递增。"),
            say("Expected a unit's rows, the oldest first.", "应为同一单元的若干行，最早的在前。"),
        )
    values = np.array([[_number(row, name, at) for name in history.columns]
                       for row, at in zip(recent, places, strict=True)])  # fmt: skip
    made = features(values, np.array(when), history.sizes).tolist()
    own = {history.group, history.time, history.remaining and history.remaining.column}
    passed = {name: item for name, item in rows[-1].items()
              if name not in history.columns and (name in known or name not in own)}  # fmt: skip
    told = {name: None if math.isnan(item) else item
            for name, item in zip(feature_names(history), made, strict=True)
            if name in known}  # fmt: skip
    rest = {name: item for name, item in value.items() if name != HISTORY}
    return {**passed, **told, **rest}


def _time(row: Mapping[str, JsonValue], name: str, where: str) -> float:
    """A number, or a date's days."""
    found = row.get(name)
    if isinstance(found, str):
        try:
            return _days(found)
        except ValueError:
            raise RequestError(
                f"{where}.{name}",
                say(f"found {found[:60]!r}.", f"收到 {found[:60]!r}。"),
                say("Expected a number, or a date such as 2026-01-31.",
                    "应为数字，或 2026-01-31 这样的日期。"),
            ) from None  # fmt: skip
    return _number(row, name, where)


def _number(row: Mapping[str, JsonValue], name: str, where: str) -> float:
    found = row.get(name)
    if found is None:
        return math.nan
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise RequestError(
            f"{where}.{name}",
            say(f"found {str(found)[:60]!r}.", f"收到 {str(found)[:60]!r}。"),
            say("Expected a number.", "应为数字。"),
        )
    return float(found)
