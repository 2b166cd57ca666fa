"""From the training part's matrix to characteristics: bins with their weights of evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import say
from luodi.evaluation.measure import sum_by
from luodi.tasks.tabular.binning import (
    Limits,
    Tally,
    Trend,
    best_cut,
    category_groups,
    evidence,
    fine_edges,
)
from luodi.tasks.tabular.characteristics import Bin, Characteristic
from luodi.tasks.tabular.codes import Boolean, Category, Code, Date, Floats
from luodi.tasks.tabular.encoder import Encoder
from luodi.tasks.tabular.fitting import Sample

_NAMES = 20
"""Categories that a bin's label names; more are counted."""


def characterise(
    train: Sample, encoder: Encoder, limits: Limits, trends: Mapping[str, Trend]
) -> list[Characteristic]:
    """A characteristic a column of the matrix that has two bins or more, missing counted.

    Args:
        limits: for all columns; `trends` says more of a field's.
    """
    whole = _tally(np.zeros(train.rows, np.int64), 1, train)
    found = []
    for column in range(train.matrix.shape[1]):
        code = encoder.codes[int(encoder.field_of[column])]
        within = int(np.flatnonzero(encoder.field_of == encoder.field_of[column])[0])
        trend = trends.get(code.name, limits.trend) if column == within else limits.trend
        own = Limits(limits.bins, limits.share, "any" if isinstance(code, Category) else trend)
        one = _characteristic(train, column, (code, column - within), own, whole)
        if one is not None:
            found.append(one)
    return found


def _tally(group: NDArray[np.int64], size: int, rows: Sample) -> Tally:
    both = np.stack([rows.weight * (rows.truth == 1), rows.weight * (rows.truth == 0)])
    return Tally(*sum_by(group, size, both))


def _characteristic(
    train: Sample, column: int, of: tuple[Code, int], limits: Limits, whole: Tally
) -> Characteristic | None:
    code, part = of
    values = train.matrix[:, column]
    known = np.isfinite(values)
    rows = train.take(np.flatnonzero(known))
    there = values[known]
    edges, groups, labels = _cut(rows, there, (code, part), limits)
    size = max(len(labels), 1)
    shape = Characteristic(
        column, _name(code, part), edges, groups, (Bin("", 0, 0, 0),) * (size + 2)
    )
    tally = _tally(shape.place(values), size + 2, train)
    woe = evidence(tally, whole)
    # Nothing is known of categories never seen, nor of missing values that nobody lacked.
    woe[tally.events + tally.others <= 0] = 0.0
    names = [*labels, say("missing", "缺失"), say("never seen", "未见过的取值")]
    bins = tuple(
        Bin(name, float(e + o), float(e), float(w))
        for name, e, o, w in zip(names, tally.events, tally.others, woe, strict=True)
    )
    if sum(one.rows > 0 for one in bins) < 2:
        return None
    return Characteristic(column, shape.name, edges, groups, bins)


def _cut(
    rows: Sample, values: Floats, of: tuple[Code, int], limits: Limits
) -> tuple[tuple[float, ...], tuple[int, ...], list[str]]:
    """Edges, groups of categories, and labels of the bins."""
    code, part = of
    if not rows.rows or rows.weight.sum() <= 0:
        return (), (), [say("any", "任意")]
    if isinstance(code, Category):
        size = len(code.values) + code.other
        tally = _tally(values.astype(np.int64), size, rows)
        fine = category_groups(tally)
        joined = Tally(*sum_by(fine, int(fine.max()) + 1, np.stack([tally.events, tally.others])))
        starts = best_cut(joined, limits)
        bin_of = np.searchsorted(starts, fine, side="right") - 1
        return (), tuple(bin_of.tolist()), _category_labels(code, bin_of, tally)
    edges = fine_edges(values, rows.weight)
    fine = np.searchsorted(edges, values, side="right")
    starts = best_cut(_tally(fine, len(edges) + 1, rows), limits)
    kept = [float(edges[start - 1]) for start in starts[1:]]
    return tuple(kept), (), _number_labels(kept, code, part)


def _name(code: Code, part: int) -> str:
    return code.columns[part]


def _category_labels(code: Category, bin_of: NDArray[np.int64], tally: Tally) -> list[str]:
    names = [*code.values, *([say("others", "其他")] if code.other else [])]
    labels = []
    for place in range(int(bin_of.max()) + 1):
        inside = np.flatnonzero(bin_of == place)
        common = inside[np.argsort(-(tally.events + tally.others)[inside], kind="stable")]
        shown = " | ".join(names[value] for value in common[:_NAMES].tolist())
        more = len(common) - _NAMES
        labels.append(shown + (say(f" and {more} more", f" 等另外 {more} 项") if more > 0 else ""))
    return labels


def _number_labels(edges: Sequence[float], code: Code, part: int) -> list[str]:
    if isinstance(code, Boolean) and edges:
        return [say("no", "否"), say("yes", "是")]

    def shown(edge: float) -> str:
        if isinstance(code, Date) and part == 0:
            return date.fromordinal(max(1, int(np.ceil(code.start + code.span * edge)))).isoformat()
        return f"{edge:.12g}"

    if not edges:
        return [say("any", "任意")]
    inner = [f"{shown(low)} ≤ x < {shown(high)}" for low, high in pairwise(edges)]
    return [f"x < {shown(edges[0])}", *inner, f"x ≥ {shown(edges[-1])}"]
