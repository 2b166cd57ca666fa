"""Rows that a column sets apart, and whether they carry one label as no honest column's would.

Some sides are there for all to see: a flag's two values, a value or none. Others are chosen: the
categories that carry only one label, the days from which on there is only one. Those are chosen in
one half of the rows and judged in the other, so that nothing is gained by choosing among many.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal

from luodi.contracts import say
from luodi.data.leaks.evidence import CHANCE, COVERED, COVERED_USUAL, LEAST_ROWS, RATIO, Evidence
from luodi.data.leaks.suspect import Suspect, Truth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PURE = 0.98
"""Of a side that gives a label away so many rows carry it, one stray row forgiven."""
_COMMON = 0.9
"""A label that more rows carry is what is usual, not what happened."""
_LEAST_CHOSEN = 3
"""Rows of a category that are enough to choose it by."""
_SHOWN = 3
_SURE = 2.326
"""Standard errors: the bound holds in 99 of 100."""


@dataclass(frozen=True)
class Side:
    """Rows (n,) set apart.

    Attributes:
        shown: what they have in common.
        flag: whether a flag sets them apart, and nothing was chosen.
        least: the share of the label's rows that it must hold to be refused.
    """

    rows: NDArray[np.bool_]
    shown: str
    flag: bool = False
    least: float = COVERED[1]
    how: Literal["flag", "word"] = "flag"


def sides(suspect: Suspect, truth: Truth, half: NDArray[np.bool_]) -> Iterator[Side]:
    """Those of a column that is no free text."""
    yield from _given(suspect)
    if suspect.numbers is None and len(suspect.values) > 2:
        yield from _categories(suspect, truth, half)
    if suspect.kind == "date" and suspect.numbers is not None:
        yield from _days(suspect.numbers, truth, half)


def judged(name: str, side: Side, truth: Truth) -> Evidence | None:
    """What the side's commonest label says of it; None where that is nothing."""
    import numpy as np

    rows = int(side.rows.sum())
    if rows < LEAST_ROWS:
        return None
    counts = np.bincount(truth.codes[side.rows], minlength=len(truth.names))
    label = int(counts.argmax())
    hits, all_hits, total = int(counts[label]), int(truth.counts[label]), len(truth.values)
    share, strays = all_hits / total, rows - hits
    if share > _COMMON or strays > max(1, round((1 - PURE) * rows)):
        return None
    coverage = hits / all_hits
    ratio = coverage / _most(strays, total - all_hits)
    # A flag of one label alone is refused however few have it; what was chosen must hold many.
    chance = side.flag and not strays and share <= 0.5 and share**rows < CHANCE
    least = side.least if share <= 0.5 else max(side.least, COVERED_USUAL)
    likely = ratio >= RATIO and coverage >= least
    if not chance and not (ratio >= RATIO and coverage >= COVERED[0]):
        return None
    return Evidence(
        name, side.how, "purity", hits / rows, rows, truth.names[label], side.shown,
        hits, coverage, chance or likely,
    )  # fmt: skip


def _most(found: int, among: int) -> float:
    """The largest share that `found` of `among` may stand for: Wilson's bound."""
    z2, share = _SURE**2, found / among
    spread = _SURE * sqrt(share * (1 - share) / among + z2 / (4 * among**2))
    return (share + z2 / (2 * among) + spread) / (1 + z2 / among)


def _given(suspect: Suspect) -> Iterator[Side]:
    """Two-sided looks at a column: there or not, its commonest value or another."""
    missing, values = suspect.missing, suspect.values
    if missing.any():
        yield Side(missing, say("no value", "无取值"), flag=True)
        yield Side(~missing, say("a value", "有取值"), flag=True)
    if not values:
        return
    first = int(suspect.counts.argmax())
    common = suspect.numbers is not None and suspect.counts[first] >= len(missing) / 2
    if len(values) > 2 and not common:
        return
    same = suspect.places == first
    rest = say(f"other than {values[first]}", f"非 {values[first]}")
    yield Side(same, values[first], flag=True)
    yield Side(~same & ~missing, values[1 - first] if len(values) == 2 else rest, flag=True)


def _categories(suspect: Suspect, truth: Truth, half: NDArray[np.bool_]) -> Iterator[Side]:
    """For each label the categories that carry it alone, chosen in the other half."""
    import numpy as np

    k, size = len(truth.names), len(suspect.values)
    there = suspect.places >= 0
    of = np.full((2, size), -1)
    for number, learnt in enumerate((half, ~half)):
        seen = there & learnt
        cells = np.bincount(suspect.places[seen] * k + truth.codes[seen], minlength=size * k)
        counts = cells.reshape(size, k)
        rows = counts.sum(axis=1)
        pure = (rows >= _LEAST_CHOSEN) & (counts.max(axis=1) >= PURE * rows)
        of[number, pure] = counts[pure].argmax(axis=1)
    for label in range(k):
        chosen = of == label
        if chosen.any():
            rows = there & np.where(half, chosen[1][suspect.places], chosen[0][suspect.places])
            both = np.flatnonzero(chosen.all(axis=0))
            named = both[np.argsort(-suspect.counts[both], kind="stable")]
            shown = [suspect.values[place] for place in named[:_SHOWN]]
            more = ["…"] if len(named) > _SHOWN else []
            yield Side(rows, ", ".join(shown + more))


def _days(days: NDArray[np.float64], truth: Truth, half: NDArray[np.bool_]) -> Iterator[Side]:
    """For each label the days after, and before, any of the other labels in the other half."""
    import numpy as np

    known = np.isfinite(days)
    for label in range(len(truth.names)):
        own = truth.codes == label
        for back, words in ((1, ("later than", "晚于")), (-1, ("earlier than", "早于"))):
            ends = [_end(back * days[known & part & own], back * days[known & part & ~own])
                    for part in (half, ~half)]  # fmt: skip
            rows = known & (back * days > np.where(half, ends[1], ends[0]))
            if rows.any():
                day = np.datetime64(int(back * min(ends)), "D")
                yield Side(rows, say(f"{words[0]} {day}", f"{words[1]} {day}"))


def _end(own: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """The middle of the way from the last of the others to the first of its own beyond it.

    Infinite where there is none.
    """
    last = others.max(initial=-float("inf"))
    beyond = own[own > last]
    return float((last + beyond.min()) / 2) if len(beyond) and len(others) else float("inf")
