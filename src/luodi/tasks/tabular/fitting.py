"""What every learner on tables does alike: encode, train, decide, export, answer.

A learner brings a Scorer, which turns a matrix into scores, and says how it is trained.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import (
    Dataset,
    Estimate,
    Field,
    Finding,
    FitSettings,
    JsonValue,
    Predictor,
    Progress,
    QuestionSettings,
    Role,
    SearchSpace,
    Section,
)
from luodi.data.weights import row_weights
from luodi.tasks.tabular.calibrating import Judged
from luodi.tasks.tabular.codes import Flavour, Floats
from luodi.tasks.tabular.columns import table_columns
from luodi.tasks.tabular.conformal import Dealt, dealt
from luodi.tasks.tabular.deciding import decide
from luodi.tasks.tabular.decision import Decision, export_decision
from luodi.tasks.tabular.encoder import Encoder
from luodi.tasks.tabular.predicting import BACKGROUND, Scorer
from luodi.tasks.tabular.scale import Scale
from luodi.tasks.tabular.target import (
    Classes,
    Numbers,
    Target,
    clusters_of,
    target_of,
)
from luodi.tasks.tabular.values import Held, ValueDecision, interval_findings

_BACKGROUND_ROWS = 32


@dataclass(frozen=True)
class Sample:
    """Encoded rows.

    Attributes:
        matrix: (n, f).
        truth: (n,) places among the labels, or numbers.
        weight: (n,).
        cluster: (n,) rows of one number are copies or of one group, and stay together where a
            training deals its rows out again; empty when all are on their own.
    """

    matrix: Floats
    truth: NDArray[Any]
    weight: Floats
    cluster: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def rows(self) -> int:
        """n."""
        return len(self.truth)

    def take(self, rows: NDArray[np.int64]) -> Sample:
        """The rows at these positions."""
        cluster = self.cluster[rows] if len(self.cluster) else self.cluster
        return Sample(self.matrix[rows], self.truth[rows], self.weight[rows], cluster)


@dataclass(frozen=True)
class Fitting:
    """Everything that a training has beside the rows.

    Attributes:
        when: (n,) the rank of each training row in time, for a learner that is `timed`; empty where
            no column tells it.
    """

    encoder: Encoder
    target: Target
    question: QuestionSettings
    options: Mapping[str, JsonValue]
    settings: FitSettings
    progress: Progress
    when: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass
class Trained:
    """What a training comes to.

    Attributes:
        held: (n, k) scores of the rows learnt from, each from models of the same making that had
            not seen it; None where choosing took no such look.
    """

    scorer: Scorer
    history: list[Mapping[str, float]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    answers: tuple[Field, ...] = ()
    held: Floats | None = None


@dataclass(frozen=True)
class TabularFitted:
    """A model on tables in memory."""

    encoder: Encoder
    scorer: Scorer
    decision: Decision
    history: Sequence[Mapping[str, float]]
    findings: Sequence[Finding] = ()
    licences: Mapping[str, str] = field(default_factory=dict)
    sections: Sequence[Section] = ()
    answers: tuple[Field, ...] = ()
    background: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def export(self, folder: Path) -> None:
        """The encoder, the decision and the scorer's own files."""
        folder.mkdir(parents=True, exist_ok=True)
        self.encoder.export(folder)
        export_decision(self.decision, folder)
        self.scorer.export(folder)
        np.save(folder / BACKGROUND, self.background, allow_pickle=False)


class TabularLearner(ABC):
    """One way to answer from a table's columns. Subclasses say how the scorer is trained."""

    name: str
    version: int = 1
    space: SearchSpace = {}
    flavour: ClassVar[Flavour] = "dense"
    timed: ClassVar[bool] = False
    predictor: type[Predictor]

    @abstractmethod
    def train(self, train: Sample, valid: Sample, fitting: Fitting) -> Trained:
        """Learn from `train`; choose on `valid` alone."""

    @abstractmethod
    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """What fitting on `data` will take, without fitting."""

    def fit(
        self, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
    ) -> TabularFitted:
        """Encode, train, decide."""
        learnt, fitting = prepared(self, train, settings, progress)
        encoder, target = fitting.encoder, fitting.target
        held = sample(valid, encoder, target, settings)
        if isinstance(target, Numbers):
            fitted = self._fit_numbers(learnt, held, clusters_of(valid), fitting)
        else:
            fitted = self._fit_classes(learnt, held, target, fitting)
        return replace(fitted, background=background_of(learnt.matrix, encoder, settings.seed))

    def _fit_classes(
        self, learnt: Sample, held: Sample, target: Classes, fitting: Fitting
    ) -> TabularFitted:
        trained = self.train(learnt, held, fitting)
        judged = Judged(
            trained.scorer.score(held.matrix).reshape(-1, len(target.labels)),
            held.truth, held.weight, held.cluster,
        )  # fmt: skip
        return classified(trained, judged, target, fitting)

    def _fit_numbers(
        self, learnt: Sample, held: Sample, cluster: NDArray[np.int64], fitting: Fitting
    ) -> TabularFitted:
        """Train on the scale asked for; intervals from held rows that training never saw."""
        question, seed = fitting.question, fitting.settings.seed
        scale = Scale.learn(learnt.truth, question.target)
        learnt, held = (replace(part, truth=scale.forward(part.truth)) for part in (learnt, held))
        sides = dealt(cluster, question.coverage, seed)
        trained = self.train(learnt, held.take(sides.choosing), fitting)
        if not held.rows:  # nothing was held: what was learnt from is all there is
            held, cluster = learnt, np.arange(learnt.rows)
            sides = Dealt(cluster, cluster, False)
        scores = trained.scorer.score(held.matrix)
        everything = Held(held.matrix, scores, held.truth, held.weight, cluster)
        decision, enough = ValueDecision.learn(
            everything.take(sides.choosing), everything.take(sides.calibrating), scale,
            question.coverage, seed,
        )  # fmt: skip
        told = interval_findings(len(np.unique(cluster)), sides.apart, enough, question.coverage)
        return TabularFitted(
            fitting.encoder, trained.scorer, decision, trained.history,
            [*trained.findings, *told],
        )  # fmt: skip


def prepared(
    learner: TabularLearner, train: Dataset, settings: FitSettings, progress: Progress
) -> tuple[Sample, Fitting]:
    """The rows encoded as the learner wants them, and what its training has beside them."""
    target, fields = target_of(settings.schema), settings.schema.request
    columns = table_columns(train, fields)
    encoder = Encoder.learn(fields, columns, learner.flavour)
    options = settings.chosen(learner.space)
    when = _when(train) if learner.timed else np.zeros(0, np.int64)
    fitting = Fitting(encoder, target, train.question, options, settings, progress, when)
    truth, weight, cluster = target.truth(train), row_weights(train), clusters_of(train)
    return Sample(encoder.encode(columns), truth, weight, cluster), fitting


def _when(data: Dataset) -> NDArray[np.int64]:
    from luodi.data.moments import moments

    names = data.columns(Role.TIME)
    return moments(data.table.get_column(names[0])) if names else np.zeros(0, np.int64)


def classified(
    trained: Trained, judged: Judged, target: Classes, fitting: Fitting
) -> TabularFitted:
    """What was trained, with the decision learnt from what it said of rows that it had not seen."""
    decided = decide(judged, target.labels, fitting.question, fitting.settings.seed)
    return TabularFitted(
        fitting.encoder,
        trained.scorer,
        decided.decision,
        trained.history,
        [*trained.findings, *decided.findings],
        sections=[*trained.sections, *decided.sections],
        answers=trained.answers,
    )


def background_of(matrix: Floats, encoder: Encoder, seed: int) -> Floats:
    """Rows to explain others against: (m, f), each field drawn from the training part by itself.

    So no row of it is anybody's: a bundle goes to places that the rows may not go to.
    """
    generator = np.random.default_rng(seed)
    rows = np.empty((min(_BACKGROUND_ROWS, len(matrix)), matrix.shape[1]))
    for place in range(len(encoder.codes)):
        columns = np.flatnonzero(encoder.field_of == place)
        drawn = generator.integers(len(matrix), size=len(rows))
        rows[:, columns] = matrix[np.ix_(drawn, columns)]
    return rows


def sample(data: Dataset, encoder: Encoder, target: Target, settings: FitSettings) -> Sample:
    """The rows of a part, encoded."""
    columns = table_columns(data, settings.schema.request)
    return Sample(encoder.encode(columns), target.truth(data), row_weights(data), clusters_of(data))


def loss(scores: Floats, part: Sample, target: Target) -> float:
    """What a training chooses by: mean log loss of (n, k), or mean squared error of (n,)."""
    if not part.rows:
        return 0.0
    if isinstance(target, Classes):
        hit = scores[np.arange(part.rows), part.truth]
        each = -np.log(np.clip(hit, 1e-15, 1.0))
    else:
        each = (scores - part.truth) ** 2
    return float(np.average(each, weights=part.weight if part.weight.sum() > 0 else None))
