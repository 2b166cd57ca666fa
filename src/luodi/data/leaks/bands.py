"""Whether the values of a column are ranges of a numeric target: flags and bands made from it."""

from __future__ import annotations

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
_MOST = 50


def banded(suspect: Suspect, target: NDArray[np.float64]) -> Evidence | None:
    """How well the target's ranges under the column's values keep apart, neighbours compared.

    None where they overlap widely, lie far apart, or hold few rows.
    """
    import numpy as np

    groups = [target[rows] for rows in _groups(suspect)]
    least = max(LEAST_ROWS, _LEAST * len(target))
    groups = [group for group in groups if len(group) >= least]
    if not 2 <= len(groups) <= _MOST or sum(map(len, groups)) < 0.9 * len(target):
        return None
    groups.sort(key=lambda group: float(np.median(group)))
    reach = float(np.ptp(np.quantile(target, [0.01, 0.99])))
    weight, apart = [], []
    for low, high in pairwise(groups):
        both = np.concatenate([low, high])
        weight.append(min(len(low), len(high)))
        apart.append(auc(both, np.arange(len(both)) >= len(low)))
        if high.min() - low.max() > _GAP * reach:
            return None
    value = float(np.average(apart, weights=weight))
    return Evidence(suspect.name, "bands", "concordance", value, len(target))


def _groups(suspect: Suspect) -> list[NDArray[np.bool_]]:
    """(n,) rows of each value, of any other, and of none."""
    if not suspect.values:
        if not suspect.missing.any():
            return []
        return [suspect.missing, ~suspect.missing]
    found = [suspect.places == place for place in range(len(suspect.values))]
    other = (suspect.places < 0) & ~suspect.missing
    return [*found, other, suspect.missing]
