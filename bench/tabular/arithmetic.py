"""AUC by ranks, its intervals by resampled rows, and what goals come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
# Two-sided 95 % of Student's t by degrees of freedom, from 1.
_T = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


@dataclass(frozen=True)
class Bounds:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


def auc(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """The chance that a random event scores above a random other row; ties count half."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[place]
    events = int(truth.sum())
    others = len(truth) - events
    if not events or not others:
        return float("nan")
    return float((ranks[truth].sum() - events * (events + 1) / 2) / (events * others))


def difference(
    truth: NDArray[np.bool_], ours: NDArray[np.float64], theirs: NDArray[np.float64]
) -> Bounds:
    """Our AUC less theirs on the same rows, resampled in pairs."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLES):
        rows = rng.integers(len(truth), size=len(truth))
        found.append(auc(truth[rows], ours[rows]) - auc(truth[rows], theirs[rows]))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return Bounds(auc(truth, ours) - auc(truth, theirs), float(low), float(high))


def over_seeds(values: Sequence[float]) -> Bounds:
    """The mean over seeds, and its interval by Student's t; no interval of one value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Bounds(mean, float("-inf"), float("inf"))
    half = (
        _T[min(len(values) - 2, len(_T) - 1)] * float(np.std(values, ddof=1)) / len(values) ** 0.5
    )
    return Bounds(mean, mean - half, mean + half)
