"""What a metric is made of here, and the weighted sums that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Metric, Scored, say

Floats = NDArray[np.float64]
ScoredT = TypeVar("ScoredT", bound=Scored)


@dataclass(frozen=True)
class Measure(Generic[ScoredT]):
    """A metric: its formula, its direction and the range that it cannot leave.

    Attributes:
        sums: (scored of n rows, weights (b, n)) -> what the formula needs. Measures that need
            the same share it: `draws` computes it once for all of them.
        formula: those sums -> (b,) values.
        lowest, highest: the ends of its range; an interval never reaches beyond them.
        english, chinese: what a report calls it.
        needs: whether the scored answers hold what it is made of: costs, two classes, groups.
        undefined: why it may have no value, in both languages.
    """

    name: str
    higher_is_better: bool
    sums: Callable[[ScoredT, Floats], Any] = field(repr=False, compare=False)
    formula: Callable[[Any], Floats] = field(repr=False, compare=False)
    english: str
    chinese: str
    lowest: float = 0.0
    highest: float = 1.0
    needs: Callable[[ScoredT], bool] = field(default=lambda scored: True, repr=False, compare=False)
    undefined: tuple[str, str] = ("too few rows, or a class is missing", "行数太少或缺少某个类别")

    @property
    def title(self) -> str:
        """Its name in the reader's language."""
        return say(self.english, self.chinese)

    def compute(self, scored: ScoredT, weights: Floats) -> Floats:
        """(b, n) weights -> (b,) values; NaN where nothing weighs or the metric is undefined."""
        return compute([self], scored, weights)[self.name]


def applicable(metrics: Sequence[Metric[Any]], scored: Scored) -> list[Metric[Any]]:
    """The metrics that these scored answers have what it takes for."""
    return [metric for metric in metrics if not isinstance(metric, Measure) or metric.needs(scored)]


def compute(metrics: Sequence[Metric[Any]], scored: Scored, weights: Floats) -> dict[str, Floats]:
    """Many metrics under the same (b, n) weights: name -> (b,). What they share is summed once."""
    if scored.rows == 0:
        return {metric.name: np.full(len(weights), np.nan) for metric in metrics}
    weighs = weights.sum(axis=1) > 0
    found: dict[str, Floats] = {}
    shared: dict[Callable[..., Any], Any] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for metric in metrics:
            if not isinstance(metric, Measure):
                found[metric.name] = metric.compute(scored, weights)
                continue
            if not metric.needs(scored):
                found[metric.name] = np.full(len(weights), np.nan)
                continue
            if metric.sums not in shared:
                shared[metric.sums] = metric.sums(scored, weights)
            values = metric.formula(shared[metric.sums])
            found[metric.name] = np.where(weighs, values, np.nan)
    return found


def itself(values: Floats) -> Floats:
    """The formula of a measure whose sums are its values."""
    return values


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
