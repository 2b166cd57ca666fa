"""The linear baseline: logistic loss for labels, squared loss for numbers, both shrunk (ridge)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Choice, Dataset, Estimate, FitSettings, Predictor, SearchSpace
from luodi.tasks.classes import softmax
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.fitting import (
    Fitting,
    Sample,
    Scorer,
    TabularPredictor,
    Trained,
    loss,
)
from luodi.tasks.tabular.folds import FEW, REPEATS, ByStrength, by_strength
from luodi.tasks.tabular.newton import logistic, ridge
from luodi.tasks.tabular.refitting import RefittingLearner
from luodi.tasks.tabular.target import Classes

_STRENGTHS = (0.003, 0.03, 0.3, 3.0, 30.0)
"""Inverse strengths of the shrinkage that are tried, the strongest first."""
_NEWTON = 100
"""Up to so many weights Newton's steps are quicker than the gradient's: their Hessian is exact."""


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


class LinearLearner(RefittingLearner):
    """Fits in seconds; its strength of shrinkage is chosen on the validation part, of few rows by
    folds of its own.
    """

    name = "linear"
    predictor: type[Predictor] = LinearPredictor
    space: SearchSpace = {"strengths": Choice((None,))}

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """A few passes over all cells for each strength."""
        cells = data.rows * max(len(settings.schema.request), 1) * 4
        return Estimate(seconds=0.5 + cells * 1e-6, bytes=int(1e8 + cells * 24))

    def train(self, train: Sample, valid: Sample, fitting: Fitting) -> Trained:
        """Weights for each strength; those that lose least on rows that were not learnt from."""
        strengths: Sequence[float] = fitting.options["strengths"] or _STRENGTHS
        held = ByStrength()
        if train.rows <= FEW or not valid.rows:
            path = partial(_path, strengths=strengths, fitting=fitting)
            repeats = REPEATS if _few_weights(train) else 1
            held = by_strength(train, path, fitting.target, fitting.settings.seed, repeats)
        lost = dict(held.losses)
        judged = valid if valid.rows else train
        scorers: dict[float, LinearScorer] = {}
        history: list[Mapping[str, float]] = []
        for number, (strength, scorer) in enumerate(_path(train, strengths, fitting)):
            fitting.progress.step(number, len(strengths), f"C = {strength:g}")
            scorers[strength] = scorer
            if strength not in lost:
                lost[strength] = loss(scorer.score(judged.matrix), judged, fitting.target)
            history.append({"strength": strength, "valid_loss": lost[strength]})
        fitting.progress.step(len(strengths), len(strengths))
        best = min(scorers, key=lost.__getitem__)
        return Trained(scorers[best], history, held=held.scores.get(best))


def _path(
    train: Sample, strengths: Sequence[float], fitting: Fitting
) -> Iterator[tuple[float, LinearScorer]]:
    centre = train.matrix.mean(axis=0)
    if not isinstance(fitting.target, Classes):
        weight = train.weight if train.weight.sum() > 0 else np.ones(train.rows)
        for strength in strengths:
            found = ridge(train.matrix, train.truth, weight, 1 / strength)
            yield strength, LinearScorer(found[:-1, None], found[-1:], centre, True)
        return
    k = len(fitting.target.labels)
    present = np.unique(train.truth)
    if _few_weights(train):
        path = _by_newton(train, present, strengths)
    else:
        path = _by_gradient(train, strengths, fitting)
    for strength, weights, bias in path:
        yield strength, LinearScorer(*placed(weights, bias, present, k), centre, False)


def _few_weights(train: Sample) -> bool:
    labels = len(np.unique(train.truth)) if train.truth.dtype.kind == "i" else 1
    return int(train.matrix.shape[1] + 1) * (1 if labels == 2 else labels) <= _NEWTON


def _by_newton(
    train: Sample, present: NDArray[Any], strengths: Sequence[float]
) -> Iterator[tuple[float, Floats, Floats]]:
    """Few weights: a handful of exact steps each."""
    hit = (train.truth[:, None] == (present[1:] if len(present) == 2 else present)).astype(float)
    at: Floats | None = None
    for strength in strengths:
        at = logistic(train.matrix, hit, train.weight, strength, at)
        yield strength, at[:-1].T, at[-1]


def _by_gradient(
    train: Sample, strengths: Sequence[float], fitting: Fitting
) -> Iterator[tuple[float, Floats, Floats]]:
    """Many weights: scikit-learn's steps along the gradient."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=300, warm_start=True, random_state=fitting.settings.seed)
    for strength in strengths:
        model.set_params(C=strength)
        with warnings.catch_warnings():
            # Not quite converged after 300 steps is good enough for a baseline.
            warnings.simplefilter("ignore")
            model.fit(train.matrix, train.truth, sample_weight=train.weight)
        yield strength, model.coef_, model.intercept_


def placed(
    weights: NDArray[Any], bias: NDArray[Any], present: NDArray[Any], k: int
) -> tuple[Floats, Floats]:
    """(f, k or 1) and (k or 1). A label with no training row cannot win, yet keeps its place."""
    if len(present) == k:
        return weights.T.astype(np.float64), bias.astype(np.float64)
    if len(present) == 2:
        weights, bias = np.vstack([np.zeros_like(weights), weights]), np.append(0.0, bias)
    whole, whole_bias = np.zeros((weights.shape[1], k)), np.full(k, -20.0)
    whole[:, present], whole_bias[present] = weights.T, bias
    return whole, whole_bias
