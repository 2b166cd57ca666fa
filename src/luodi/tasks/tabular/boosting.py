"""Gradient boosted trees by LightGBM: categories and missing values as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np

from luodi.contracts import (
    Choice,
    Dataset,
    Estimate,
    FitSettings,
    Predictor,
    Range,
    SearchSpace,
)
from luodi.tasks.tabular.codes import Flavour, Floats
from luodi.tasks.tabular.fitting import Fitting, Sample, Trained
from luodi.tasks.tabular.folds import deal
from luodi.tasks.tabular.growing import Growth, Nursery, Plot
from luodi.tasks.tabular.lightgbm_library import Trees
from luodi.tasks.tabular.refitting import RefittingLearner
from luodi.tasks.tabular.target import Classes
from luodi.tasks.tabular.tree_rules import (
    fills,
    labels_of,
    moments,
    monotone,
    prior,
    shared,
    shortened,
    side_by_side,
)
from luodi.tasks.tabular.trees import TreePredictor, TreeScorer
from luodi.training.budget import Clock


@dataclass(frozen=True)
class _Size:
    """Defaults for up to so many rows: chosen by cross-validation, see docs/decisions."""

    rows: float
    models: int
    leaves: int
    min_rows: int


_SIZES = (
    _Size(2_000, 5, 6, 10),
    _Size(20_000, 5, 8, 10),
    _Size(100_000, 3, 16, 20),
    _Size(math.inf, 1, 31, 50),
)


_MOST_TREES, _LEAST_ROUNDS = 10_000, 300
"""Trees of all models and labels together, unless the project says how many rounds: a row passes
each of them, some 0.1 ms a thousand. Rows that are told apart easily get a better loss by nothing
much for thousands of rounds."""


class BoostingLearner(RefittingLearner):
    """Many small trees, each learnt on what the ones before left over.

    Friedman 2001; Ke et al. 2017. Up to 100,000 rows several models are grown, each on all folds
    of the training part but one, stopped by that one, and their sums averaged: a validation part
    of a hundred rows is too noisy to stop by. Above, one model is grown and stopped by the
    validation part.

    Rare events are not weighted up: probabilities stay what they are, and where an alarm is worth
    its cost is the decision's business.
    """

    name = "boosting"
    flavour: ClassVar[Flavour] = "trees"
    predictor: type[Predictor] = TreePredictor
    keeps_monotone: ClassVar[Literal[True]] = True
    space: SearchSpace = {
        "learning_rate": Range(0.005, 0.3, 0.05, log=True),
        "leaves": Choice((None, 4, 8, 16, 31, 63, 127, 255)),
        "min_rows": Choice((None, 1, 5, 10, 20, 50, 100, 200)),
        "columns": Range(0.1, 1.0, 0.5),
        "rows": Range(0.3, 1.0, 0.7),
        "l2": Range(0.01, 100.0, 2.0, log=True),
        # Growing stops by itself, and more models are only steadier: nothing to be searched.
        "rounds": Range(1, 20_000, 4000, log=True, whole=True, searched=False),
        "patience": Range(5, 500, 50, log=True, whole=True, searched=False),
        "models": Choice((None, 1, 3, 5, 10), searched=False),
    }

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """Some hundred rounds over all cells, for each model and label."""
        cells = data.rows * max(len(settings.schema.request), 1)
        seconds = 2.0 + cells * labels_of(settings.schema) * 2e-6
        if settings.budget is not None:
            seconds = min(seconds, settings.budget)
        return Estimate(seconds=seconds, bytes=int(2e8 + cells * 40))

    def train(self, train: Sample, valid: Sample, fitting: Fitting) -> Trained:
        """One model, or one a fold of the training part."""
        clock = Clock(fitting.settings.budget)
        middle, width = moments(train, fitting.target)
        learnt = replace(train, truth=(train.truth - middle) / width)
        held = replace(valid, truth=(valid.truth - middle) / width)
        models = min(fitting.options["models"] or _size(train).models, train.rows)
        growth = _growth(learnt, fitting, models)
        nursery = Nursery(
            fitting.settings.folder, clock, fitting.progress, models, side_by_side(fitting, train)
        )
        nursery.grow(_plots(learnt, held, growth, models, fitting))
        fitting.progress.step(1.0, 1.0)
        return _trained(nursery, growth, (middle, width), train, fitting)


def _plots(
    learnt: Sample, held: Sample, growth: Growth, models: int, fitting: Fitting
) -> list[Plot]:
    """A plot a fold; for one model all rows, stopped by those held out."""
    seed = fitting.settings.seed
    if models == 1:
        if not held.rows:  # it must be stopped by something, if it can
            tenth = deal(learnt, 10, seed) == 0
            if tenth.any() and not tenth.all():
                learnt, held = (learnt.take(np.flatnonzero(side)) for side in (~tenth, tenth))
        return [lambda: (learnt, held, growth)]
    fold = deal(learnt, models, seed)

    def plot(number: int) -> tuple[Sample, Sample, Growth]:
        seen, unseen = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        return learnt.take(seen), learnt.take(unseen), _kind(growth, number, fitting)

    return [partial(plot, number) for number in range(models)]


def _kind(growth: Growth, number: int, fitting: Fitting) -> Growth:
    """Every other model cuts numbers at random places (Geurts et al. 2006).

    Alone such trees are now better, now worse; averaged with the others they are steadier. Of five
    there are three such for labels, two for numbers, whose finer shape they lose.
    """
    random = number % 2 == (0 if isinstance(fitting.target, Classes) else 1)
    return replace(growth, parameters={**growth.parameters, "extra_trees": random})


def _trained(
    nursery: Nursery, growth: Growth, scale: tuple[float, float], train: Sample, fitting: Fitting
) -> Trained:
    middle, width = scale
    grown = nursery.grown
    scorer = TreeScorer(
        trees=Trees.merged([model.text for model in grown], threads=fitting.settings.threads),
        unit="log-odds" if isinstance(fitting.target, Classes) else "value",
        base=growth.base + middle,
        scale=width / len(grown),
        fill=fills(train.matrix, growth.categorical),
    )
    history: list[Mapping[str, float]] = [
        {"model": number, "rounds": model.best, "loss": model.loss, "seconds": model.seconds}
        for number, model in enumerate(grown, 1)
    ]
    return Trained(scorer, history, [*monotone(fitting)[1], *shortened(nursery, growth)])


def _rounds(fitting: Fitting, trees: int) -> int:
    """The most, of so many trees each."""
    rounds = int(fitting.options["rounds"])
    if "rounds" in fitting.settings.options:
        return rounds
    return min(rounds, max(_LEAST_ROUNDS, _MOST_TREES // trees))


def _size(train: Sample) -> _Size:
    return next(size for size in _SIZES if train.rows <= size.rows)


def _growth(train: Sample, fitting: Fitting, models: int) -> Growth:
    options, size = fitting.options, _size(train)
    classes = isinstance(fitting.target, Classes)
    base: Floats = prior(train, fitting.target)
    kind = "regression" if not classes else "binary" if len(base) == 1 else "multiclass"
    parameters: dict[str, Any] = {
        **shared(fitting, train),
        "objective": kind,
        "metric": {"regression": "l2", "binary": "binary_logloss"}.get(kind, "multi_logloss"),
        "num_class": len(base),
        "learning_rate": options["learning_rate"],
        "num_leaves": options["leaves"] or size.leaves,
        "min_data_in_leaf": options["min_rows"] or size.min_rows,
        "feature_fraction": options["columns"],
        "lambda_l2": options["l2"],
    }
    return Growth(
        parameters=parameters,
        categorical=fitting.encoder.categorical,
        base=base,
        rounds=_rounds(fitting, models * len(base)),
        patience=options["patience"],
    )
