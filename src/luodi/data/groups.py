"""The groups that a project measures by: the values of its `slice` and `protected` columns."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from luodi.contracts import Dataset, Grouping, Role, say
from luodi.data.levels import levels

if TYPE_CHECKING:
    import polars as pl

_MOST_VALUES = 12
"""Numbers of more different values are put into groups of like size, a quarter each."""
_MOST_GROUPS = 30
"""Groups that are told apart at the most, the largest; the rest is one group."""


def groups_of(data: Dataset) -> dict[str, Grouping]:
    """Column -> its groups, for every column of the roles `slice` and `protected`."""
    return {
        name: grouping(data.table.get_column(name), role is Role.PROTECTED)
        for role in (Role.SLICE, Role.PROTECTED)
        for name in data.columns(role)
    }


def grouping(column: pl.Series, protected: bool) -> Grouping:
    """A column's values as groups; rows without a value are a group of their own."""
    import numpy as np
    import polars as pl

    texts = _texts(column)
    names, index = levels(pl.Series(texts, dtype=pl.String))
    if len(names) <= _MOST_GROUPS:
        return Grouping(tuple(names), index, protected)
    counts = np.bincount(index)
    kept = np.sort(np.argsort(-counts, kind="stable")[: _MOST_GROUPS - 1])
    place = np.full(len(names), len(kept))
    place[kept] = np.arange(len(kept))
    return Grouping(
        (*(names[number] for number in kept), say("(others)", "（其他）")),
        place[index].astype(np.int64),
        protected,
    )


def _texts(column: pl.Series) -> list[str]:
    from luodi.data.roles import as_text

    missing = say("(missing)", "（缺失）")
    if column.dtype.is_numeric() and column.n_unique() > _MOST_VALUES:
        return _quarters(column, missing)
    return [missing if text is None else text for text in as_text(column).to_list()]


def _quarters(column: pl.Series, missing: str) -> list[str]:
    import numpy as np

    numbers = column.cast(float).to_numpy().astype(float)
    there = np.isfinite(numbers)
    edges = np.unique(np.quantile(numbers[there], [0, 0.25, 0.5, 0.75, 1.0]))
    place = np.searchsorted(edges[1:-1], numbers, side="right")
    width = len(str(len(edges)))
    names = [
        f"{n + 1:0{width}}: {low:g}–{high:g}"  # numbered, so that names sort as numbers do
        for n, (low, high) in enumerate(pairwise(edges.tolist()))
    ] or [f"{edges[0]:g}"]
    return [
        names[min(p, len(names) - 1)] if t else missing
        for p, t in zip(place.tolist(), there.tolist(), strict=True)
    ]
