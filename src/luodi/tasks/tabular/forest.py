"""A random forest: deep trees on random halves of rows and columns, averaged.

Breiman 2001, grown by LightGBM: every tree is fitted to the labels themselves (the gradient never
changes), so a leaf holds the share of each label, or the mean number, of its rows. Unlike
LightGBM's own `rf` mode this averages probabilities, which a step from the prior in log-odds
blows up for rare labels; unlike scikit-learn's forest, categories and missing values are split on
as they are, and what is served is text that the same library reads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np

from luodi.contracts import Choice, Dataset, Estimate, FitSettings, Predictor, Range, SearchSpace
from luodi.tasks.tabular.codes import Flavour, Floats
from luodi.tasks.tabular.fitting import Fitting, Sample, Trained
from luodi.tasks.tabular.growing import Growth, Nursery, relative
from luodi.tasks.tabular.lightgbm_library import Trees
from luodi.tasks.tabular.refitting import RefittingLearner
from luodi.tasks.tabular.target import Classes
from luodi.tasks.tabular.tree_rules import (
    fills,
    labels_of,
    moments,
    monotone,
    shared,
    shares,
    shortened,
)
from luodi.tasks.tabular.trees import TreePredictor, TreeScorer
from luodi.training.budget import Clock


class ForestLearner(RefittingLearner):
    """Hard to get wrong: no rate, nothing to stop by; more trees only make it steadier."""

    name = "forest"
    flavour: ClassVar[Flavour] = "trees"
    predictor: type[Predictor] = TreePredictor
    keeps_monotone: ClassVar[Literal[True]] = True
    space: SearchSpace = {
        "trees": Range(10, 2000, 300, log=True, whole=True, searched=False),
        "leaves": Range(4, 4096, 256, log=True, whole=True),
        "min_rows": Choice((None, 1, 2, 5, 10, 20, 50, 100)),
        "columns": Range(0.05, 1.0, 0.5),
        "rows": Range(0.1, 1.0, 0.632),
    }

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """All trees over all cells, for each label."""
        cells = data.rows * max(len(settings.schema.request), 1)
        trees = settings.chosen(self.space)["trees"] * labels_of(settings.schema)
        seconds = 2.0 + cells * trees * 2e-8
        if settings.budget is not None:
            seconds = min(seconds, settings.budget)
        return Estimate(seconds=seconds, bytes=int(2e8 + cells * 40 + trees * 1e5))

    def train(self, train: Sample, valid: Sample, fitting: Fitting) -> Trained:
        """All of the trees, or as many as the budget allows; the validation part is not used."""
        target = fitting.target
        if isinstance(target, Classes):
            middle = shares(train, len(target.labels))
            wanted = np.eye(len(middle))[train.truth] - middle
            if len(middle) == 2:  # the event's share tells the other's
                middle, wanted = middle[1:], wanted[:, 1:]
            width = train.rows / (train.rows + 1)  # a leaf never is quite sure
        else:
            mean, width = moments(train, target)
            middle, wanted = np.array([mean]), (train.truth[:, None] - mean) / width
        growth = _growth(train, wanted, fitting)
        nursery = Nursery(fitting.settings.folder, Clock(fitting.settings.budget),
                          fitting.progress, 1)  # fmt: skip
        nothing = np.arange(0)
        learnt = replace(train, truth=np.zeros(train.rows))
        (grown,) = nursery.grow([lambda: (learnt, learnt.take(nothing), growth)])
        fitting.progress.step(1.0, 1.0)
        trees = Trees(grown.text, fitting.settings.threads)
        unit = "probability" if isinstance(target, Classes) else "value"
        fill = fills(train.matrix, growth.categorical)
        scorer = TreeScorer(trees, unit, middle, width / trees.rounds, fill)
        history = [{"trees": trees.rounds, "seconds": grown.seconds}]
        return Trained(scorer, [*history], [*monotone(fitting)[1], *shortened(nursery, growth)])


def _growth(train: Sample, wanted: Floats, fitting: Fitting) -> Growth:
    options, (_, sums) = fitting.options, wanted.shape
    classes = isinstance(fitting.target, Classes)
    weight = relative(train)
    gradient: Floats = -wanted * weight[:, None]
    hessian: Floats = np.tile(weight[:, None], (1, sums))

    parameters: dict[str, Any] = {
        **shared(fitting, train),
        "objective": "none",
        "metric": "None",
        "num_class": sums,
        "learning_rate": 1.0,
        "num_leaves": options["leaves"],
        "min_data_in_leaf": options["min_rows"] or (5 if classes else 1),
        "feature_fraction_bynode": options["columns"],
        "lambda_l2": 0.0,
        # Leaves are small here: what holds boosting back would draw them all to nothing.
        "cat_l2": 0.5,
    }
    return Growth(
        parameters=parameters,
        categorical=fitting.encoder.categorical,
        base=np.zeros(sums),
        rounds=options["trees"],
        patience=options["trees"],
        push=(gradient, hessian),
    )
