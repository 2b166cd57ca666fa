"""Shares with their intervals, as cells of a report's table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import JsonValue
from luodi.evaluation.measure import Floats


def share_cells(
    value: Floats, drawn: Floats, rests_on: NDArray[np.int64], level: float
) -> list[JsonValue]:
    """Values (k,) with intervals from (r, k) draws; None where no row says anything.

    Where all draws agree on 0 or 1 the exact binomial end stands in (Clopper and Pearson 1934):
    three right out of three do not prove a class perfect.
    """
    tail = (1 - level) / 2
    unknown = np.isnan(drawn).all(axis=0)
    low, high = np.nanquantile(np.where(unknown, value, drawn), [tail, 1 - tail], axis=0)
    low, high = np.minimum(low, value), np.maximum(high, value)
    reach = 1 - tail ** (1 / np.maximum(rests_on, 1))
    low = np.where((low == 1) & (high == 1), 1 - reach, low)
    high = np.where((low == 0) & (high == 0), reach, high)
    return [
        {"value": float(v), "low": float(a), "high": float(b)} if m else None
        for v, a, b, m in zip(value, low, high, rests_on, strict=True)
    ]


def counted(weight: float) -> JsonValue:
    """A sum of weights as a count where it is one."""
    return int(weight) if float(weight).is_integer() else float(weight)
