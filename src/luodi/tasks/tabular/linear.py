"""The linear baseline: logistic loss for labels, squared loss for numbers, both shrunk (ridge)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Choice, Dataset, Estimate, FitSettings, Predictor, SearchSpace
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.fitting import (
    Fitting,
    Sample,
    Trained,
    loss,
)
from luodi.tasks.tabular.folds import FEW, REPEATS, ByStrength, by_strength
from luodi.tasks.tabular.newton import logistic, ridge
from luodi.tasks.tabular.refitting import RefittingLearner
from luodi.tasks.tabular.sums import LinearPredictor, LinearScorer
from luodi.tasks.tabular.target import Classes

_STRENGTHS = (0.003, 0.03, 0.3, 3.0, 30.0)
"""Inverse strengths of the shrinkage that are tried, the strongest first."""
_LARGE = 1_000_000
"""Cells from which on a second thread is worth its waiting."""
_NEWTON = 100
"""Up to so many weights Newton's steps are quicker than the gradient's: their Hessian is exact."""


class LinearLearner(RefittingLearner):
    """Fits in seconds; its strength of shrinkage is chosen on the validation part, of few rows by
    folds of its own.
    """

    name = "linear"
    predictor: type[Predictor] = LinearPredictor
    space: SearchSpace = {"strengths": Choice((None,), listed="numbers")}

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """A few passes over all cells for each strength."""
        cells = data.rows * max(len(settings.schema.request), 1) * 4
        return Estimate(seconds=0.5 + cells * 1e-6, bytes=int(1e8 + cells * 24))

    def train(self, train: Sample, valid: Sample, fitting: Fitting) -> Trained:
        """Weights for each strength; those that lose least on rows that were not learnt from."""
        with _alone(train):
            return self._train(train, valid, fitting)

    def _train(self, train: Sample, valid: Sample, fitting: Fitting) -> Trained:
        strengths: Sequence[float] = fitting.options["strengths"] or _STRENGTHS
        held = ByStrength()
        quick = _few_weights(train)
        # Many weights take long: where rows are held out, those choose.
        if (train.rows <= FEW and quick) or not valid.rows:
            path = partial(_path, strengths=strengths, fitting=fitting)
            repeats = REPEATS if quick else 1
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


def _alone(train: Sample) -> AbstractContextManager[object]:
    """One thread for small tables: several wait for each other at every product, and on a busy
    machine a fit of a third of a second took twenty.
    """
    if train.matrix.size > _LARGE:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


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
