"""From which probability on the event is answered, so that wrong answers cost least."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luodi.tasks.tabular.calibrating import FOLDS, folds_of
from luodi.tasks.tabular.codes import Floats

_SURE = 2.0
"""Standard errors by which another threshold must be cheaper than the one that follows from the
costs."""


@dataclass(frozen=True)
class Threshold:
    """The threshold in use, and the two that it was chosen from.

    Attributes:
        value: in use.
        by_costs: where both answers cost the same: a / (a + m) for a false alarm's cost a and a
            missed event's cost m. It is the cheapest for probabilities that hold (Elkan 2001).
        cheapest: on the validation rows (Sheng and Ling 2006); NaN where none were held.
        saved: what a row saves against `by_costs` when the cheapest threshold is sought on four
            fifths of the rows and used on the others: the cheapest of many on the rows that it
            was sought on is mostly luck.
        error: the standard error of `saved`, over clusters.
    """

    value: float
    by_costs: float
    cheapest: float = float("nan")
    saved: float = 0.0
    error: float = 0.0


def choose(
    chance: Floats,
    truth: NDArray[np.int64],
    weight: Floats,
    cluster: NDArray[np.int64],
    costs: tuple[float, float],
    seed: int = 7,
) -> Threshold:
    """From (n,) probabilities of the event on rows that neither the model nor the calibration
    learnt from. The threshold that follows from the costs is kept unless another is cheaper
    beyond doubt: then the probabilities do not hold where it matters.
    """
    alarm, missed = costs
    by_costs = alarm / (alarm + missed)
    if not len(chance) or weight.sum() <= 0:
        return Threshold(by_costs, by_costs)
    cheapest = _cheapest(chance, truth, weight, costs)
    _, place = np.unique(cluster, return_inverse=True)
    fold = folds_of(truth, place, np.random.default_rng(seed))
    sought = np.array([_cheapest(chance[fold != part], truth[fold != part], weight[fold != part],
                                 costs) for part in range(FOLDS)])  # fmt: skip
    saved = _each(chance, truth, by_costs, costs) - _each(chance, truth, sought[fold], costs)
    mean = float(saved @ weight / weight.sum())
    off = np.bincount(place, weights=weight * (saved - mean))
    error = float(np.sqrt((off**2).sum()) / weight.sum())
    value = cheapest if mean > _SURE * error else by_costs
    return Threshold(value, by_costs, cheapest, mean, error)


def _each(
    chance: Floats, truth: NDArray[np.int64], threshold: Floats | float, costs: tuple[float, float]
) -> Floats:
    alarm, missed = costs
    named = chance >= threshold
    return np.where(truth == 1, ~named * missed, named * alarm)


def _cheapest(
    chance: Floats, truth: NDArray[np.int64], weight: Floats, costs: tuple[float, float]
) -> float:
    """The middle between the two neighbouring probabilities where the cost is lowest."""
    alarm, missed = costs
    values, place = np.unique(chance, return_inverse=True)
    events = np.bincount(place, weights=weight * (truth == 1))
    others = np.bincount(place, weights=weight * (truth == 0))
    below = np.r_[0.0, np.cumsum(events)] * missed
    above = (others.sum() - np.r_[0.0, np.cumsum(others)]) * alarm
    best = int((below + above).argmin())
    ends = np.r_[0.0, values, 1.0]
    return float((ends[best] + ends[best + 1]) / 2) if best else 0.0
