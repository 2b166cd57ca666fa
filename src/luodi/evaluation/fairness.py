"""Whether groups of people are answered alike.

Of two labels one is favourable: to be approved, to be hired. Groups are compared by how often
they get it (demographic parity; the four-fifths rule of the US Uniform Guidelines of 1978), and
by how often those get it who should (equal opportunity: Hardt et al. 2016). The protected
columns are compared; where a project names none, its slices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    """Over all groupings, each (b,): the widest difference, and the least ratio; NaN where one of
    them cannot be judged.
    """

    parity: Floats
    opportunity: Floats
    odds: Floats
    ratio: Floats


def gaps(scored: Classified, weights: Floats) -> Gaps:
    """How far groups lie apart under (b, n) weights.

    Where a rate is known of fewer than two groups of a grouping, or where the favourable answer is
    given to nobody (0 of 0 is no ratio), nothing has been shown: that is NaN, and a gate that asks
    for it refuses.
    """
    found = [
        (found, _large(group))
        for group in compared(scored).values()
        if len(_large(group)) > 1
        for found in [rates(scored, group, weights)]
    ]

    def widest(values: Iterable[Floats]) -> Floats:
        return np.asarray(np.max([high - low for low, high in map(_ends, values)], axis=0))

    parity = widest(r.selected[:, large] for r, large in found)
    opportunity = widest(r.deserving[:, large] for r, large in found)
    undeserving = widest(r.undeserving[:, large] for r, large in found)
    ends = [_ends(r.selected[:, large]) for r, large in found]
    ratios = [np.where(high == 0, np.nan, divide(low, high)) for low, high in ends]
    return Gaps(
        parity,
        opportunity,
        np.maximum(opportunity, undeserving),
        np.asarray(np.min(ratios, axis=0)),
    )


def _ends(values: Floats) -> tuple[Floats, Floats]:
    """The least and the most of (b, g) rates, each (b,); NaN where fewer than two are known."""
    known = np.isfinite(values)
    few = known.sum(axis=1) < 2
    low = np.where(known, values, np.inf).min(axis=1)
    high = np.where(known, values, -np.inf).max(axis=1)
    return np.where(few, np.nan, low), np.where(few, np.nan, high)


def _parity(found: Gaps) -> Floats:
    return found.parity


def _opportunity(found: Gaps) -> Floats:
    return found.opportunity


def _odds(found: Gaps) -> Floats:
    return found.odds


def _ratio(found: Gaps) -> Floats:
    return found.ratio


_UNKNOWN = (
    "of fewer than two groups is it known how those are answered whom it is about",
    "能得知相关人群回答情况的组不足两个",
)
_NOBODY = (
    "no group, or too rarely any, is given the favourable answer, and 0 of 0 is no ratio",
    "没有任何组（或极少）得到有利回答，0 比 0 不成比率",
)


def _gap(name: str, formula: Callable[[Gaps], Floats], english: str, chinese: str) -> Fairness:
    return Measure(
        name, False, gaps, formula, english, chinese, needs=comparable, undefined=_UNKNOWN
    )


Fairness = Measure[Classified]
FAIRNESS: tuple[Fairness, ...] = (
    _gap("demographic_parity", _parity, "Demographic parity gap", "人口均等差距"),
    _gap("equal_opportunity", _opportunity, "Equal opportunity gap", "机会均等差距"),
    _gap("equalized_odds", _odds, "Equalized odds gap", "均等几率差距"),
    Measure("four_fifths", True, gaps, _ratio, "Four-fifths ratio", "五分之四比率",
            needs=comparable, undefined=_NOBODY),
)  # fmt: skip
