"""Intervals that hold what they promise: conformal prediction on rows that nothing was chosen by.

An answer's interval is the answer, plus and minus q times the error to be expected of such a row
(`spread.py`); q is the least factor under which a share `coverage` of calibration rows lies inside
(split conformal prediction, Vovk et al. 2005; scaled by the row, Lei et al. 2018). It holds for any
model and any spread, as long as the calibration rows took no part in making either: so some of
the validation part's groups are set aside before training (`dealt`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luodi.tasks.tabular.codes import Floats


@dataclass(frozen=True)
class Dealt:
    """Which validation rows training may choose by, and which are kept to calibrate on.

    Attributes:
        apart: whether the two share no row.
    """

    choosing: NDArray[np.int64]
    calibrating: NDArray[np.int64]
    apart: bool


def least_groups(coverage: float) -> int:
    """Groups without which no finite interval can promise `coverage`: 9 for 0.9."""
    return math.ceil(coverage / (1 - coverage) - 1e-9)


def dealt(cluster: NDArray[np.int64], coverage: float, seed: int) -> Dealt:
    """Deal the (n,) rows out by cluster: half to either side, more to calibrate where need be.

    Too few clusters for both: both get all of them, and the intervals lean to the narrow side.
    """
    names, place = np.unique(cluster, return_inverse=True)
    needed = least_groups(coverage)
    kept = max(len(names) // 2, needed)
    every = np.arange(len(cluster))
    if len(names) - kept < max(2, needed // 2):
        return Dealt(every, every, False)
    order = np.random.default_rng(seed).permutation(len(names))
    is_kept = np.zeros(len(names), bool)
    is_kept[order[:kept]] = True
    return Dealt(np.flatnonzero(~is_kept[place]), np.flatnonzero(is_kept[place]), True)


def conformal_factor(
    ratios: Floats, cluster: NDArray[np.int64], weight: Floats, coverage: float
) -> tuple[float, bool]:
    """The least q with a share `coverage` of the ratios up to it, and whether the rows suffice.

    Every cluster counts alike, whatever its rows, and one more is added beyond all others: then a
    row of a new cluster lies inside with at least that chance (hierarchical conformal prediction,
    Lee, Barber and Willett 2023). For rows that are their own clusters this is the usual
    ceil((n + 1) coverage)-th smallest. When that one is the added one, the largest ratio is given.

    Args:
        ratios: (n,) size of error over its expectation.
        weight: (n,) what each row counts for.
    """
    if not len(ratios):
        return 0.0, False
    _, place = np.unique(cluster, return_inverse=True)
    whole, rows = np.bincount(place, weights=weight), np.bincount(place)
    if not whole.sum() > 0:
        weight, whole = np.ones(len(ratios)), rows.astype(np.float64)
    mean = whole / rows
    groups = int((whole > 0).sum())
    share = np.divide(weight, whole[place], out=np.zeros(len(ratios)), where=whole[place] > 0)
    mass = share * mean[place] / mean.sum() * groups / (groups + 1)
    order = np.argsort(ratios, kind="stable")
    reached = np.cumsum(mass[order]) >= coverage - 1e-9
    if not reached.any():
        return float(ratios.max()), False
    return float(ratios[order[int(reached.argmax())]]), True
