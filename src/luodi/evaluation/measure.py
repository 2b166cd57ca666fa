"""What a metric is made of here, and the weighted sums that all of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Scored, say

Floats = NDArray[np.float64]
ScoredT = TypeVar("ScoredT", bound=Scored)


@dataclass(frozen=True)
class Measure(Generic[ScoredT]):
    """A metric: its formula, its direction and the range that it cannot leave.

    Attributes:
        formula: (scored of n rows, weights (b, n)) -> (b,) values.
        lowest, highest: the ends of its range; an interval never reaches beyond them.
        english, chinese: what a report calls it.
    """

    name: str
    higher_is_better: bool
    formula: Callable[[ScoredT, Floats], Floats] = field(repr=False, compare=False)
    english: str
    chinese: str
    lowest: float = 0.0
    highest: float = 1.0

    @property
    def title(self) -> str:
        """Its name in the reader's language."""
        return say(self.english, self.chinese)

    @property
    def best(self) -> float:
        """The value of answers without a fault."""
        return self.highest if self.higher_is_better else self.lowest

    def compute(self, scored: ScoredT, weights: Floats) -> Floats:
        """(b, n) weights -> (b,) values; NaN where nothing weighs or the metric is undefined."""
        total = weights.sum(axis=1)
        if scored.rows == 0:
            return np.full(len(weights), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(total > 0, self.formula(scored, weights), np.nan)


def mean(values: Floats, weights: Floats) -> Floats:
    """Weighted mean of (n,) values under (b, n) weights: (b,)."""
    result: Floats = weights @ values / weights.sum(axis=1)
    return result


def divide(part: Floats, whole: Floats) -> Floats:
    """`part / whole`, 0 where the whole is 0: a class never answered has precision 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def sum_by(index: NDArray[np.int64], size: int, weights: Floats) -> Floats:
    """Sum (b, n) weights within each of `size` groups named by (n,) `index`: (b, size).

    A bincount a weighting: it reads in order and writes into a few cache lines, several times
    faster than sorting the columns and reducing runs of them.
    """
    sums = np.empty((len(weights), size))
    for row, weighting in zip(sums, weights, strict=True):
        row[:] = np.bincount(index, weights=weighting, minlength=size)
    return sums
