"""A foreign task, in one file: a class from a number, by nearest mean. No word of Luodi's source
names it; it comes in through the entry point alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from luodi.contracts import (
    Answer,
    Classified,
    CleanSettings,
    Dataset,
    Estimate,
    Field,
    Finding,
    FitSettings,
    Parts,
    Progress,
    Request,
    Role,
    RoleRule,
    Schema,
    Section,
    SplitSettings,
    Task,
)
from luodi.data.split import split
from luodi.evaluation.classification import sections
from luodi.evaluation.metrics import CLASSIFICATION


@dataclass(frozen=True)
class Means:
    """Each label's mean and share: what a fit finds and what a predictor reads."""

    means: Mapping[str, float]
    shares: Mapping[str, float]
    by_distance: bool
    findings: Sequence[Finding] = ()
    history: Sequence[Mapping[str, float]] = ()
    licences: Mapping[str, str] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "licences", {})

    def export(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        content = {"means": self.means, "shares": self.shares, "by_distance": self.by_distance}
        (folder / "means.json").write_text(json.dumps(content))

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        return cls(**json.loads((folder / "means.json").read_text()))

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        answers: list[Answer] = []
        for request in requests:
            scores = dict(self.shares)
            if self.by_distance:
                scores = {k: np.exp(-abs(m - request["number"])) for k, m in self.means.items()}
            total = sum(scores.values()) or 1.0
            probabilities = {name: float(value / total) for name, value in scores.items()}
            answers.append(
                {"label": max(probabilities, key=probabilities.__getitem__),
                 "probabilities": probabilities}
            )  # fmt: skip
        return answers

    def cost(self, request: Request) -> int:
        return 1


@dataclass(frozen=True)
class MeanLearner:
    """`naive` answers by share alone; `nearest` by the nearest mean."""

    name: str
    version = 1
    space = {}
    predictor = Means

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        return Estimate(0.1, 1_000_000)

    def fit(
        self, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
    ) -> Means:
        labels = settings.schema.answer_field("label").categories
        number, label = train.column(Role.FEATURE), train.column(Role.LABEL)
        grouped = {k: train.table.filter(train.table[label] == k)[number] for k in labels}
        return Means(
            {name: float(values.mean() or 0.0) for name, values in grouped.items()},
            {
                name: (len(values) + 1) / (train.rows + len(labels))
                for name, values in grouped.items()
            },
            self.name != "naive",
        )


class LengthClassification(Task):
    """Which class does a number belong to?"""

    name = "length-classification"
    baselines = ("naive",)
    metrics = CLASSIFICATION
    learners = {name: MeanLearner(name) for name in ("naive", "nearest")}
    roles = {
        Role.FEATURE: RoleRule(required=True, meaning="the number"),
        Role.LABEL: RoleRule(required=True, meaning="the label"),
    }

    def inspect(self, data: Dataset, settings: CleanSettings) -> Sequence[Finding]:
        return ()

    def content(self, data: Dataset) -> Sequence[str]:
        return [str(value) for value in data.table[ROW_NAME].to_list()]

    def split(self, data: Dataset, settings: SplitSettings) -> Parts:
        return split(data, settings, stratify=data.column(Role.LABEL))

    def schema(self, data: Dataset) -> Schema:
        labels = tuple(sorted(data.table[data.column(Role.LABEL)].unique().to_list()))
        alias = data.column(Role.FEATURE)
        return Schema(
            (Field("number", "number", example=1.5, aliases=(alias,)),),
            (Field("label", "category", categories=labels),
             Field("probabilities", "scores", categories=labels)),
        )  # fmt: skip

    def requests(self, data: Dataset, schema: Schema) -> list[Request]:
        return [{"number": float(v)} for v in data.table[data.column(Role.FEATURE)].to_list()]

    def score(self, data: Dataset, answers: Sequence[Answer], schema: Schema) -> Classified:
        labels = schema.answer_field("label").categories
        truth = [labels.index(name) for name in data.table[data.column(Role.LABEL)].to_list()]
        return Classified(
            weight=np.ones(data.rows),
            cluster=np.arange(data.rows),
            truth=np.array(truth),
            predicted=np.array([labels.index(answer["label"]) for answer in answers]),
            probability=np.array([[a["probabilities"][n] for n in labels] for a in answers]),
            labels=labels,
        )

    def sections(
        self, data: Dataset, answers: Sequence[Answer], scored: Any, level: float
    ) -> Sequence[Section]:
        return sections(self.content(data), answers, scored, level)


ROW_NAME = "__row__"
task = LengthClassification()
