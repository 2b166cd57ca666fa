"""Whether the values of a column are ranges of a numeric target: flags and bands made from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from luodi.data.leaks.alone import auc
from luodi.data.leaks.evidence import LEAST_ROWS, Evidence
from luodi.data.leaks.suspect import Suspect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LEAST = 0.02
"""Of all rows: the highest houses may well all be castles, but castles are few."""
_GAP = 0.02
"""Of the target's range: ranges that were cut out of it lie side by side, levels of a machine
apart."""
_HELD = 0.9
"""Of the rows that have a value so many must be in ranges of so many."""
_MOST = 50


def banded(suspect: Suspect, target: NDArray[np.float64]) -> Iterator[Evidence]:
    """How well the target's ranges under the column's values keep apart, and with and without one.

    Nothing where they overlap widely, lie far apart, or hold few rows.
    """
    name, missing, places = suspect.name, suspect.missing, suspect.places
    if suspect.values:
        others = (places < 0) & ~missing
        groups = [places == place for place in range(len(suspect.values))] + [others]
        value = _apart([target[rows] for rows in groups], target)
        yield Evidence(name, "bands", "concordance", value, int((~missing).sum()))
    if missing.any():
        value = _apart([target[missing], target[~missing]], target)
        yield Evidence(name, "missing", "concordance", value, int(missing.sum()))


def _apart(groups: Sequence[NDArray[np.float64]], target: NDArray[np.float64]) -> float:
    """How often a value of the higher range is above one of the lower, neighbours compared."""
    import numpy as np

    total = sum(map(len, groups))
    least = max(LEAST_ROWS, _LEAST * len(target))
    groups = [group for group in groups if len(group) >= least]
    if not 2 <= len(groups) <= _MOST or sum(map(len, groups)) < _HELD * total:
        return 0.0
    groups.sort(key=lambda group: float(np.median(group)))
    reach = float(np.ptp(np.quantile(target, [0.01, 0.99])))
    weight, apart = [], []
    for low, high in pairwise(groups):
        both = np.concatenate([low, high])
        weight.append(min(len(low), len(high)))
        apart.append(auc(both, np.arange(len(both)) >= len(low)))
        if high.min() - low.max() > _GAP * reach:
            return 0.0
    return float(np.average(apart, weights=weight))
