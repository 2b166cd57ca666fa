"""Whether groups of people are answered alike.

Of two labels one is favourable: to be approved, to be hired. Groups are compared by how often
they get it (demographic parity; the four-fifths rule of the US Uniform Guidelines of 1978), and
by how often those get it who should (equal opportunity: Hardt et al. 2016). The protected
columns are compared; where a project names none, its slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Classified, Grouping, Scored
from luodi.evaluation.measure import Floats, Measure, divide, sum_by

LEAST_ROWS = 20
"""Smaller groups are shown, and decide nothing: their rates are chance."""


def compared(scored: Scored) -> dict[str, Grouping]:
    """The groupings that fairness is judged by: the protected ones, else the slices."""
    protected = {name: group for name, group in scored.groups.items() if group.protected}
    return protected or dict(scored.groups)


def comparable(scored: Scored) -> bool:
    """Whether there are two labels, and a grouping with two groups of LEAST_ROWS."""
    if not isinstance(scored, Classified) or len(scored.labels) != 2:
        return False
    return any(len(_large(group)) > 1 for group in compared(scored).values())


def _large(group: Grouping) -> NDArray[np.int64]:
    counts = np.bincount(group.index, minlength=len(group.values))
    return np.flatnonzero(counts >= LEAST_ROWS)


@dataclass(frozen=True)
class Rates:
    """Of each group, each (b, g): how often it is answered favourably, in all and by the truth.

    `selected` of all rows, `deserving` of those whose truth is favourable, `undeserving` of the
    others.
    """

    selected: Floats
    deserving: Floats
    undeserving: Floats


def rates(scored: Classified, group: Grouping, weights: Floats) -> Rates:
    """The rates of every group under (b, n) weights; NaN where a group has no such row."""
    chosen = (scored.predicted == scored.favourable).astype(np.float64)
    deserved = scored.truth == scored.favourable
    size = len(group.values)

    def share(rows: NDArray[np.bool_]) -> Floats:
        whole = sum_by(group.index, size, weights * rows)
        part = sum_by(group.index, size, weights * (chosen * rows))
        return np.where(whole > 0, divide(part, whole), np.nan)

    return Rates(share(np.ones(scored.rows, bool)), share(deserved), share(~deserved))


@dataclass(frozen=True)
class Gaps:
    """Over all groupings, each (b,): the widest difference, and the least ratio."""

    parity: Floats
    opportunity: Floats
    odds: Floats
    ratio: Floats


def gaps(scored: Classified, weights: Floats) -> Gaps:
    """How far groups lie apart under (b, n) weights."""
    found = [
        (found, _large(group))
        for group in compared(scored).values()
        if len(_large(group)) > 1
        for found in [rates(scored, group, weights)]
    ]

    def widest(values: Iterator[Floats]) -> Floats:
        spreads = [np.nanmax(v, axis=1) - np.nanmin(v, axis=1) for v in values]
        return np.asarray(np.max(spreads, axis=0))

    parity = widest(r.selected[:, large] for r, large in found)
    opportunity = widest(r.deserving[:, large] for r, large in found)
    undeserving = widest(r.undeserving[:, large] for r, large in found)
    ratios = [
        divide(np.nanmin(r.selected[:, large], axis=1), np.nanmax(r.selected[:, large], axis=1))
        for r, large in found
    ]
    return Gaps(
        parity,
        opportunity,
        np.maximum(opportunity, undeserving),
        np.asarray(np.min(ratios, axis=0)),
    )


def _parity(found: Gaps) -> Floats:
    return found.parity


def _opportunity(found: Gaps) -> Floats:
    return found.opportunity


def _odds(found: Gaps) -> Floats:
    return found.odds


def _ratio(found: Gaps) -> Floats:
    return found.ratio


FAIRNESS: tuple[Measure[Classified], ...] = (
    Measure("demographic_parity", False, gaps, _parity, "Demographic parity gap", "人口均等差距",
            needs=comparable),
    Measure("equal_opportunity", False, gaps, _opportunity, "Equal opportunity gap",
            "机会均等差距", needs=comparable),
    Measure("equalized_odds", False, gaps, _odds, "Equalized odds gap", "均等几率差距",
            needs=comparable),
    Measure("four_fifths", True, gaps, _ratio, "Four-fifths ratio", "五分之四比率",
            needs=comparable),
)  # fmt: skip
