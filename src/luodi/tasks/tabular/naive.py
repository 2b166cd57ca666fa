"""The naive baseline: the labels' shares, or the mean, the median or the last number."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Self

import numpy as np

from luodi.contracts import (
    Choice,
    Dataset,
    Estimate,
    FitSettings,
    Predictor,
    Progress,
    Role,
    SearchSpace,
    UsageError,
    say,
)
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.fitting import (
    Fitting,
    Sample,
    TabularFitted,
    TabularLearner,
    Trained,
)
from luodi.tasks.tabular.predicting import Scorer, TabularPredictor
from luodi.tasks.tabular.target import Classes

_FILE = "naive.json"


@dataclass(frozen=True)
class Constant:
    """The same scores to all: k shares, or one number."""

    shares: tuple[float, ...] = ()
    value: float = 0.0

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `export` wrote."""
        head = json.loads((folder / _FILE).read_text("utf-8"))
        return cls(tuple(head["shares"]), head["value"])

    def export(self, folder: Path) -> None:
        """One small JSON file."""
        (folder / _FILE).write_text(json.dumps({"shares": self.shares, "value": self.value}))

    def score(self, matrix: Floats) -> Floats:
        """(n, k) or (n,), each row alike."""
        if self.shares:
            return np.tile(np.array(self.shares), (len(matrix), 1))
        return np.full(len(matrix), self.value)


class NaivePredictor(TabularPredictor):
    """Answers all alike."""

    scorer_type: ClassVar[type[Scorer]] = Constant


class NaiveLearner(TabularLearner):
    """Counts labels, or averages numbers; `answer: last` is the latest number by the time column,
    the mean of several at one moment.
    """

    name = "naive"
    version = 2
    timed: ClassVar[bool] = True
    predictor: type[Predictor] = NaivePredictor
    keeps_monotone: ClassVar[Literal[True]] = True  # one answer for all turns nowhere
    space: SearchSpace = {"answer": Choice(("mean", "median", "last"), searched=False)}

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """Nothing to speak of.

        Raises:
            UsageError: the last number is asked for, and nothing tells which that is.
        """
        self._has_time(data, settings)
        return Estimate(seconds=0.1, bytes=1_000_000)

    def fit(
        self, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
    ) -> TabularFitted:
        """Count or average.

        Raises:
            UsageError: as in `estimate`.
        """
        self._has_time(train, settings)
        return super().fit(train, valid, settings, progress)

    def _has_time(self, data: Dataset, settings: FitSettings) -> None:
        if settings.chosen(self.space)["answer"] != "last" or data.columns(Role.TIME):
            return
        raise UsageError(
            say(
                "model.options.answer is last, and no column tells when a row arose.",
                "model.options.answer 为 last，但没有列说明各行的时间。",
            ),
            say(
                "Expected data.columns.time: the order of a file's rows is no time.",
                "应指定 data.columns.time：文件中行的先后不等于时间。",
            ),
            say("Name the column, or ask for mean or median.", "请指定该列，或改用 mean、median。"),
        )

    def train(self, train: Sample, valid: Sample, fitting: Fitting) -> Trained:
        """Shares with one row added to each label (Laplace), so that log loss stays finite."""
        if isinstance(fitting.target, Classes):
            k = len(fitting.target.labels)
            counts = np.bincount(train.truth, weights=train.weight, minlength=k) + 1
            return Trained(Constant(tuple((counts / counts.sum()).tolist())))
        answer = fitting.options["answer"]
        if answer == "last":
            latest = fitting.when == fitting.when.max()
            return Trained(Constant(value=float(train.truth[latest].mean())))
        if answer == "median":
            return Trained(Constant(value=float(np.median(train.truth))))
        return Trained(Constant(value=float(np.average(train.truth, weights=train.weight))))
