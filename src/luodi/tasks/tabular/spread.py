"""How far off an answer may be, by the row: small trees over the size of earlier errors.

Trees, because they take any encoding as it is: missing values, codes of categories, any scale.
They are kept and walked as plain arrays, so that a service needs NumPy alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import JsonValue
from luodi.tasks.tabular.codes import Floats

_TREES = 40
_DEPTH = 4
_LEAST_ROWS = 100
"""Errors below which nothing can be told apart: then every answer is as unsure as the others."""
_LEAF = 0.04
"""A leaf holds at least this share of the rows: a spread is an average, never one row's luck."""
_FLOOR = 0.1
"""No answer counts as surer than this share of the average: errors of zero are luck as well."""


@dataclass(frozen=True)
class Spread:
    """The mean size of errors among rows alike: t trees of at most m nodes, walked side by side.

    Attributes:
        feature: (t, m) the column that a node asks; -1 at a leaf.
        threshold: (t, m) a value up to it goes left.
        left, right: (t, m) the nodes after it.
        lacking: (t, m) whether a missing value goes left.
        value: (t, m) a leaf's mean error.
        floor: the least that is answered.
    """

    feature: NDArray[np.int64]
    threshold: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    lacking: NDArray[np.bool_]
    value: Floats
    floor: float

    @classmethod
    def learn(cls, matrix: Floats, scores: Floats, errors: Floats, seed: int) -> Self | None:
        """From the (n,) sizes of errors; None when they are too few, or all alike.

        Args:
            matrix: (n, f) the encoded rows.
            scores: (n,) what was answered: often it tells most of how far off answers are.
        """
        if len(errors) < _LEAST_ROWS or not float(errors.std()) > 0:
            return None
        from sklearn.ensemble import RandomForestRegressor

        model = RandomForestRegressor(
            _TREES, max_depth=_DEPTH, min_samples_leaf=max(5, round(_LEAF * len(errors))),
            max_features=0.5, random_state=seed,
        ).fit(_seen(matrix, scores), errors)  # fmt: skip
        trees = [tree.tree_ for tree in model.estimators_]
        most = max(tree.node_count for tree in trees)

        def gathered(part: str) -> NDArray[Any]:
            columns = [np.ravel(getattr(tree, part))[: tree.node_count] for tree in trees]
            return np.stack([np.pad(column, (0, most - len(column))) for column in columns])

        left = gathered("children_left")
        leaf = left < 0
        here = np.arange(most)
        return cls(
            np.where(leaf, -1, gathered("feature")),
            np.where(leaf, 0.0, gathered("threshold")),
            np.where(leaf, here, left),
            np.where(leaf, here, gathered("children_right")),
            gathered("missing_go_to_left").astype(bool),
            gathered("value"),
            _FLOOR * float(errors.mean()),
        )

    def of(self, matrix: Floats, scores: Floats) -> Floats:
        """(n,) the size of error to be expected of each row."""
        columns = _seen(matrix, scores)
        trees = np.arange(len(self.feature))
        rows = np.arange(len(columns))[:, None]
        node = np.zeros((len(columns), len(trees)), np.int64)
        for _ in range(_DEPTH):
            asked = columns[rows, self.feature[trees, node]]
            missing = np.isnan(asked)
            goes_left = np.where(missing, self.lacking[trees, node],
                                 asked <= self.threshold[trees, node])  # fmt: skip
            node = np.where(goes_left, self.left[trees, node], self.right[trees, node])
        return np.asarray(np.maximum(self.value[trees, node].mean(axis=1), self.floor))

    def to_json(self) -> dict[str, JsonValue]:
        """Nested lists."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value
                for name, value in vars(self).items()}  # fmt: skip

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """What `to_json` wrote."""
        arrays: dict[str, Any] = {k: np.array(v) for k, v in value.items() if k != "floor"}
        return cls(**arrays, floor=float(value["floor"]))


def _seen(matrix: Floats, scores: Floats) -> Floats:
    """(n, f + 1) in float32, as the trees were grown: else a value could fall on another side."""
    most = float(np.finfo(np.float32).max)  # beyond it a cast would overflow
    return np.clip(np.column_stack([matrix, scores]), -most, most).astype(np.float32)
