"""Fits of a learner on plain arrays, without a table around them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from luodi.contracts import (
    Field,
    FitSettings,
    QuestionSettings,
    Quiet,
    Schema,
)
from luodi.tasks import find_task
from luodi.tasks.tabular.codes import Number
from luodi.tasks.tabular.encoder import Encoder
from luodi.tasks.tabular.fitting import Fitting, Sample
from luodi.tasks.tabular.target import Classes, Numbers


def sample(matrix, truth, weight=None, cluster=None):
    weight = np.ones(len(truth)) if weight is None else weight
    cluster = np.zeros(0, np.int64) if cluster is None else cluster
    return Sample(np.asarray(matrix, float), np.asarray(truth), weight, cluster)


def nothing(matrix):
    return sample(matrix[:0], np.zeros(0, np.int64))


def fitting(learner, folder: Path, columns, labels=("no", "yes"), **more):
    """`more` may hold options, question, budget, progress, threads."""
    classes = bool(labels)
    task = find_task("tabular-classification" if classes else "tabular-regression")
    answer = (Field("label", "category", categories=labels),) if classes else ()
    request = tuple(Field(f"c{n}", "number") for n in range(columns))
    settings = FitSettings(
        schema=Schema(request, answer), metric=task.metrics[0], folder=folder,
        budget=more.get("budget"), options=more.get("options", {}),
        threads=more.get("threads", 1),
    )  # fmt: skip
    return Fitting(
        encoder=Encoder(tuple(Number(field.name, "trees") for field in request)),
        target=Classes(tuple(labels)) if classes else Numbers(),
        question=more.get("question", QuestionSettings()),
        options=settings.chosen(learner.space),
        settings=settings,
        progress=more.get("progress", Quiet()),
    )
