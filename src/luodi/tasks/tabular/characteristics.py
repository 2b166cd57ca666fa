"""A scorecard's characteristics: bins of one column of the matrix, each with its points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import JsonValue
from luodi.tasks.tabular.codes import Floats


@dataclass(frozen=True)
class Bin:
    """One line of the scorecard.

    Attributes:
        label: what falls into it, to a reader.
        rows: weight of the training rows in it; `events` of them are events.
        woe: weight of evidence; above 0 the event is rarer than on average.
        points: whole points that it adds to the score.
    """

    label: str
    rows: float
    events: float
    woe: float
    points: int = 0


@dataclass(frozen=True)
class Characteristic:
    """Bins of a column: of numbers between edges, or of categories by group.

    Attributes:
        column: which column of the matrix; `name` is its name.
        edges: (b - 1,) of numbers: bin g holds edge g - 1 <= x < edge g.
        groups: (values,) of categories: the bin of each code; empty for numbers.
        bins: the b bins, then one for missing values, then one for categories never seen.
        coefficient: what the logistic regression makes of the weights of evidence.
    """

    column: int
    name: str
    edges: tuple[float, ...]
    groups: tuple[int, ...]
    bins: tuple[Bin, ...]
    coefficient: float = 1.0

    def place(self, values: Floats) -> NDArray[np.int64]:
        """(n,) the bin of each value: NaN is missing, a negative code a category never seen."""
        missing, unseen = len(self.bins) - 2, len(self.bins) - 1
        known = np.isfinite(values)
        if not self.groups:
            found = np.searchsorted(self._edges, np.where(known, values, 0), side="right")
        else:
            code = np.where(known, values, -1).astype(np.int64)
            inside = (code >= 0) & (code < len(self.groups))
            found = np.where(inside, self._groups[np.where(inside, code, 0)], unseen)
        return np.where(known, found, missing)

    @cached_property
    def _edges(self) -> Floats:
        return np.array(self.edges)

    @cached_property
    def _groups(self) -> NDArray[np.int64]:
        return np.array(self.groups, dtype=np.int64)

    @property
    def woe(self) -> Floats:
        """(bins,) weights of evidence."""
        return np.array([one.woe for one in self.bins])

    @cached_property
    def points(self) -> Floats:
        """(bins,) points."""
        return np.array([float(one.points) for one in self.bins])

    @property
    def rows(self) -> Floats:
        """(bins,) weight of the training rows."""
        return np.array([one.rows for one in self.bins])

    @property
    def values(self) -> Floats:
        """(bins,) what each bin adds to the information value."""
        events = np.array([one.events for one in self.bins])
        others = self.rows - events
        apart = others / max(others.sum(), 1e-12) - events / max(events.sum(), 1e-12)
        return np.asarray(apart * self.woe)

    @property
    def information(self) -> float:
        """The information value (Kullback and Leibler's divergence, both ways)."""
        return float(self.values.sum())

    def to_json(self) -> dict[str, JsonValue]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """What `to_json` wrote."""
        return cls(
            value["column"],
            value["name"],
            tuple(value["edges"]),
            tuple(value["groups"]),
            tuple(Bin(**one) for one in value["bins"]),
            value["coefficient"],
        )
