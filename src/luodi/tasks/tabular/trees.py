"""What boosting and forest are served by: trees in LightGBM's text format."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from luodi.contracts import BundleError, say
from luodi.tasks.classes import softmax
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.lightgbm_library import Trees
from luodi.tasks.tabular.predicting import Scorer, TabularPredictor

_MODEL, _HEAD = "model.txt", "trees.json"


@dataclass(frozen=True)
class TreeScorer:
    """Sums of leaves, and what the sums mean.

    Attributes:
        trees: the model.
        unit: what a sum is: `log-odds` (softmax makes probabilities of them), `probability`
            (a forest's mean share), `value` (the answer itself) or `log-value` (its logarithm).
        base: (k,) what is added to each sum; (1,) for two labels and for numbers.
        scale: what the leaves' sum is multiplied by: one over the number of models averaged.
        fill: (f,) what stands for a missing number in a column that was never missing while
            learning (LightGBM would take it for 0); NaN where the trees know what to do.
    """

    trees: Trees
    unit: str
    base: Floats
    scale: float
    fill: Floats

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `export` wrote.

        Raises:
            BundleError: head and model do not belong together.
            MissingPartError: LightGBM's library is not there.
        """
        head = json.loads((folder / _HEAD).read_text("utf-8"))
        trees = Trees.load(folder / _MODEL, threads)
        fill = np.array([math.nan if v is None else v for v in head["fill"]], dtype=np.float64)
        base = np.array(head["base"], dtype=np.float64)
        if trees.features != len(fill) or trees.outputs != len(base):
            raise BundleError(
                say(
                    f"{_MODEL} reads {trees.features} columns; {_HEAD} tells of {len(fill)}.",
                    f"{_MODEL} 读取 {trees.features} 列，而 {_HEAD} 记载 {len(fill)} 列。",
                )
            )
        return cls(trees, head["unit"], base, head["scale"], fill)

    def export(self, folder: Path) -> None:
        """LightGBM's own text, and a JSON head."""
        (folder / _MODEL).write_text(self.trees.text, "utf-8")
        head = {
            "unit": self.unit,
            "base": self.base.tolist(),
            "scale": self.scale,
            "fill": [None if math.isnan(value) else value for value in self.fill.tolist()],
        }
        (folder / _HEAD).write_text(json.dumps(head))

    def raw(self, matrix: Floats) -> Floats:
        """(n, f) -> (n,) or (n, k) in `unit`s."""
        sums = self.base + self.scale * self.trees.raw(self._filled(matrix))
        return sums[:, 0] if len(self.base) == 1 else sums

    def score(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, k) probabilities or (n,) values."""
        sums = self.raw(matrix)
        if self.unit == "value":
            return sums
        if self.unit == "log-value":
            return np.exp(sums)
        if self.unit == "log-odds":
            pair = np.column_stack([np.zeros(len(sums)), sums]) if sums.ndim == 1 else sums
            return softmax(pair)
        shares = np.column_stack([1 - sums, sums]) if sums.ndim == 1 else sums
        shares = np.clip(shares, 0.0, None)
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def contributions(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, f + 1) or (n, k, f + 1), in `unit`s: SHAP values, the base last."""
        found = self.scale * self.trees.contributions(self._filled(matrix))
        found[:, :, -1] += self.base
        return found[:, 0] if len(self.base) == 1 else found

    def _filled(self, matrix: Floats) -> Floats:
        lacking = np.isnan(matrix)
        return np.where(lacking, self.fill, matrix) if lacking.any() else matrix


class TreePredictor(TabularPredictor):
    """Answers by trees."""

    scorer_type: ClassVar[type[Scorer]] = TreeScorer
