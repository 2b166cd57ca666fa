"""What the linear learner is served by: sums of weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from luodi.tasks.classes import softmax
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.predicting import Scorer, TabularPredictor


@dataclass(frozen=True)
class LinearScorer:
    """Sums of weights.

    Attributes:
        weights: (f, k), or (f, 1) for two labels and for numbers.
        bias: (k,) or (1,).
        centre: (f,) the training part's mean row: contributions are told from there.
        numbers: whether the sum itself is the answer.
    """

    weights: Floats
    bias: Floats
    centre: Floats
    numbers: bool

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `export` wrote."""

        def array(name: str) -> Floats:
            stored: Floats = np.load(folder / f"{name}.npy", allow_pickle=False)
            return stored

        head = json.loads((folder / "linear.json").read_text("utf-8"))
        return cls(array("weights"), array("bias"), array("centre"), head["numbers"])

    def export(self, folder: Path) -> None:
        """Three plain arrays and a JSON head."""
        for name in ("weights", "bias", "centre"):
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        (folder / "linear.json").write_text(json.dumps({"numbers": self.numbers}))

    @property
    def unit(self) -> str:
        """Log-odds, or the value itself."""
        return "value" if self.numbers else "log-odds"

    def raw(self, matrix: Floats) -> Floats:
        """(n, f) -> (n,) or (n, k) sums."""
        sums = np.asarray(matrix @ self.weights + self.bias)
        return sums[:, 0] if sums.shape[1] == 1 else sums

    def score(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, k) probabilities or (n,) values."""
        sums = self.raw(matrix)
        if self.numbers:
            return sums
        if sums.ndim == 1:  # two labels share one column of weights
            sums = np.column_stack([np.zeros_like(sums), sums])
        return softmax(sums)

    def contributions(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, f + 1) or (n, k, f + 1): weight times the distance from the mean row.

        These are the exact SHAP values of a linear model whose columns are taken as independent.
        """
        each = (matrix - self.centre)[:, None, :] * self.weights.T
        base = np.broadcast_to(self.centre @ self.weights + self.bias, each.shape[:2])
        found = np.concatenate([each, base[:, :, None]], axis=2)
        return found[:, 0] if found.shape[1] == 1 else found


class LinearPredictor(TabularPredictor):
    """Answers by sums of weights."""

    scorer_type: ClassVar[type[Scorer]] = LinearScorer
