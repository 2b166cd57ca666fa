"""Numbers far from all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import Role, say
from luodi.data.findings.column import (
    Column,
    Noticed,
    Record,
    Sheet,
    by_column,
    columns_said,
    listed,
    rows_of,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from luodi.data.findings.column import Marks

FAR = 3.0
"""Interquartile ranges beyond the quartiles: "far out" (Tukey, Exploratory Data Analysis, 1977)."""
RARE = 0.01
"""The share of a column above which far values are its tail, not outliers."""
_LEAST_ROWS, _LEAST_VALUES = 30, 20
_STAND_INS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0,
              9999999.0, 99999999.0)  # fmt: skip


def outliers(sheet: Sheet) -> list[Noticed]:
    """Values far out by the quartiles, in the scale where they lie closest.

    Amounts and counts have long tails that are no faults: a value must be far out in the
    logarithm's scale as well as in its own. A gap as wide as all other values together, or
    infinity, makes it a warning.
    """
    records: list[Record] = []
    marks: Marks = {}
    severe = False
    for column in sheet.of_kind("number"):
        if column.role in (Role.LABEL, Role.ID, Role.GROUP, Role.TIME, Role.WEIGHT):
            continue
        found = _far(column)
        if found is None:
            continue
        places, record, alone = found
        severe |= alone
        records.append(record)
        marks[column.name] = places
    if not records:
        return []
    records.sort(key=lambda record: (not record["alone"], -int(record["rows"])))
    en, zh = listed([f"{record['column']} ({record['values'][0]})" for record in records])
    finding = by_column(
        "outliers",
        "warning" if severe else "info",
        say(
            f"{columns_said(len(records))} with values far from all others: {en}.",
            f"{len(records)} 列有远离其他值的离群值：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say(
            "Correct what is wrong; data.clean.outliers clips or drops the rest.",
            "请更正错误的值；其余可用 data.clean.outliers 截断或删除。",
        ),
    )
    return [Noticed(finding, marks)]


def _far(column: Column) -> tuple[NDArray[np.int64], Record, bool] | None:
    import numpy as np
    import polars as pl

    low, high = fences(column)
    least, most = column.card.minimum, column.card.maximum
    inside = isinstance(least, float) and isinstance(most, float) and low <= least and most <= high
    if (inside or low >= high) and not column.values.cast(pl.Float64).is_infinite().any():
        return None
    numbers = column.floats
    finite = np.isfinite(numbers)
    infinite = np.flatnonzero(np.isinf(numbers))
    outside = np.zeros(len(numbers), np.bool_)
    if low < high and finite.sum() >= _LEAST_ROWS and column.card.distinct >= _LEAST_VALUES:
        outside = finite & ((numbers < low) | (numbers > high))
    places = np.flatnonzero(outside)
    inner = numbers[finite & ~outside]
    repeated = _stand_in(numbers[places])
    if len(places) > RARE * finite.sum() and repeated is None:
        places = places[:0]
    if not len(places) and not len(infinite):
        return None
    alone = bool(len(infinite))
    if len(places):
        reach = float(inner.max() - inner.min()) or 1.0
        # A tail thins out step by step; a slip of the pen stands beyond a gap.
        ends = (float(inner.min()), float(inner.max()))
        gaps = np.diff(np.unique(np.concatenate((ends, numbers[places]))))
        alone |= bool((gaps > reach).any()) or repeated is not None
    if len(places):
        places = places[np.argsort(-np.abs(numbers[places] - np.median(inner)), kind="stable")]
    places = np.concatenate((infinite, places))
    shown = list(dict.fromkeys(float(value) for value in numbers[places[:50]]))[:3]
    record: Record = {
        "column": column.name,
        "rows": len(places),
        "values": [f"{value:.6g}" for value in shown],
        "usual": f"{inner.min():.6g} … {inner.max():.6g}" if len(inner) else "",
        "alone": alone,
    }
    if repeated is not None:
        record["stands for missing"] = f"{repeated:g}"
    return places, record, alone


def fences(column: Column) -> tuple[float, float]:
    """The two ends outside of which a value is far out; (0, 0) when nothing can be said."""
    card = column.card
    quartiles = tuple(card.quantiles.get(q, 0.0) for q in ("0.25", "0.5", "0.75"))
    least = card.minimum if isinstance(card.minimum, float) else 0.0
    return _fences(quartiles, least)


def far_fences(numbers: NDArray[np.float64]) -> tuple[float, float]:
    """The ends by the quartiles, the wider of the own scale's and the signed logarithm's."""
    import numpy as np

    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        return 0.0, 0.0
    return _fences(tuple(np.quantile(finite, (0.25, 0.5, 0.75)).tolist()), float(finite.min()))


def _fences(quartiles: tuple[float, ...], least: float) -> tuple[float, float]:
    import numpy as np

    lower, middle, upper = quartiles
    width = float(upper - lower)
    if width <= 0 or not np.isfinite(width):
        return 0.0, 0.0  # half of the values are equal, or span all: nothing to measure with
    low, high = float(lower - FAR * width), float(upper + FAR * width)

    def folded(value: float) -> float:
        return float(np.arcsinh((value - middle) / width))

    if least > 0:
        logs = np.log([lower, upper])
        reach = FAR * float(logs[1] - logs[0])
        low = min(low, float(np.exp(logs[0] - reach)))
        high = max(high, float(np.exp(min(logs[1] + reach, 700.0))))
    else:  # zeros or both signs: stretched on either side of the middle
        left, right = folded(float(lower)), folded(float(upper))
        reach = FAR * (right - left)
        with np.errstate(over="ignore"):  # no number lies beyond
            low = min(low, float(middle + width * np.sinh(left - reach)))
            high = max(high, float(middle + width * np.sinh(right + reach)))
    return low, high


def _stand_in(far: NDArray[np.float64]) -> float | None:
    """A number such as -999 that stands far out again and again: it means `missing`."""
    import numpy as np

    for value in _STAND_INS:
        if np.count_nonzero(far == value) >= 3:
            return value
    return None
