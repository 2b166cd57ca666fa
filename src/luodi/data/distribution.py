"""How the values of a column are spread, as bars that a page can draw."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from luodi.contracts import say
from luodi.data.findings.column import Column
from luodi.data.moments import microseconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BARS = 30
_LONG_TAIL = 40.0
"""The greatest value over the 75 % quantile from which a positive column is drawn by logarithms."""


@dataclass(frozen=True)
class Distribution:
    """Rows by bar.

    Attributes:
        counts: (bars,) rows.
        edges: (bars + 1,) the bars' ends as they are written; empty where bars are categories.
        by: what the bars are of: values, their logarithms, lengths of texts, dates.
    """

    counts: list[int]
    edges: list[str]
    by: str


def distribution(column: Column) -> Distribution | None:
    """The bars of a column of numbers, texts or dates; None for categories and empty columns."""
    kind = column.card.kind
    if kind == "number":
        return _numbers(column)
    if kind == "date":
        return _dates(column)
    if kind == "text" and column.textual:
        lengths = column.values.drop_nulls().str.len_chars().to_numpy().astype("float64")
        return _bars(lengths, say("characters", "字符数"))
    return None


def _numbers(column: Column) -> Distribution | None:
    import numpy as np

    numbers = column.floats[np.isfinite(column.floats)]
    if len(numbers) and numbers.min() > 0:
        upper = float(np.quantile(numbers, 0.75))
        if numbers.max() > _LONG_TAIL * upper:
            found = _bars(np.log10(numbers), say("values, by logarithm", "取值（对数刻度）"), False)
            if found is None:
                return None
            ends = [f"{10 ** float(edge):.4g}" for edge in found.edges]
            return Distribution(found.counts, ends, found.by)
    return _bars(numbers, say("values", "取值"))


def _bars(numbers: NDArray[np.float64], by: str, whole: bool = True) -> Distribution | None:
    import numpy as np

    if not len(numbers):
        return None
    low, high = float(numbers.min()), float(numbers.max())
    if not np.isfinite(high - low):
        return None
    whole = whole and bool((numbers == np.floor(numbers)).all())
    if whole and high - low < BARS:  # a bar a number, from the number to itself
        bars = int(high - low) + 1
        counts, _ = np.histogram(numbers, bars, (low - 0.5, high + 0.5))
        ends = [low + min(bar, bars - 1) for bar in range(bars + 1)]
    else:
        counts, edges = np.histogram(numbers, BARS, (low, high) if high > low else None)
        ends = edges.tolist()
    return Distribution(counts.tolist(), [f"{end:.6g}" for end in ends], by)


def _dates(column: Column) -> Distribution | None:
    import numpy as np

    moments = microseconds(column.values)
    if moments is None or not len(whole := moments.drop_nulls()):
        return None
    numbers = whole.to_numpy()
    low, high = int(numbers.min()), int(numbers.max())
    # Moments closer together than the bars are many lie in as many bars as there are microseconds.
    counts, edges = np.histogram(numbers - low, min(BARS, high - low + 1), (0, high - low + 1))
    edges += low
    return Distribution(
        counts.tolist(), [_day(edge) for edge in edges.tolist()], say("dates", "日期")
    )


def _day(microsecond: float) -> str:
    try:
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=microsecond)  # noqa: DTZ001
    except OverflowError:
        return "…"
    return moment.isoformat(sep=" ", timespec="minutes").removesuffix(" 00:00")
