"""A learner by itself: fitted, exported, read again by its predictor, asked about every test row.

What a bundle holds is what is measured here; the rest of `luodi run` (looking for noise, intervals,
explanations, the report) changes no answer and takes most of its time.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import polars as pl

from bench.tabular.probe import timed
from bench.tabular.split import TASK, Rows
from bench.tabular.tables import Table
from luodi.contracts import (
    ROW,
    Dataset,
    FitSettings,
    Learner,
    Parts,
    QuestionSettings,
    Quiet,
    Refitting,
    Role,
    SplitSettings,
)
from luodi.data.roles import assign_roles
from luodi.data.split import split
from luodi.tasks import find_task


def fit_and_ask(
    table: Table, rows: Rows, learner: str, work: Path, seed: int, threads: int
) -> dict[str, Any]:
    """Scores and labels of the test rows, seconds of fitting and exporting, pace of one row."""
    task = find_task(TASK)
    train, test = (_dataset(rows.folder / f"{name}.csv", table) for name in ("train", "test"))
    parts = split(train, SplitSettings(valid=0.1, seed=seed), table.label, test=test)
    schema = task.schema(train)
    shutil.rmtree(work, ignore_errors=True)
    (work / "scratch").mkdir(parents=True)
    settings = FitSettings(
        schema=schema, metric=task.metrics[0], folder=work / "scratch", seed=seed, threads=threads
    )
    start = time.perf_counter()
    able = task.learners[learner]
    fitted = able.fit(parts.train, parts.valid, settings, Quiet())
    if _refits(able, parts, settings):  # as `luodi run` does
        fitted.export(work / "chosen")
        again = replace(settings, folder=work / "again")
        again.folder.mkdir()
        fitted = able.refit(parts.train, parts.valid, again, Quiet(), work / "chosen")
    fitted.export(work / "export")
    seconds = time.perf_counter() - start
    predictor = task.learners[learner].predictor.load(work / "export", threads)
    requests = task.requests(parts.test, schema)
    pace = timed(lambda request: predictor.predict([request]), requests[:300])
    answers = predictor.predict(requests)
    return {
        "fit_seconds": seconds,
        "one_row_model": pace,
        "scores": [answer["probabilities"][table.positive] for answer in answers],
        "labels": [answer["label"] for answer in answers],
    }


def _refits(learner: Learner, parts: Parts, settings: FitSettings) -> TypeGuard[Refitting]:
    """Whether the run would learn the model once more from all rows, unasked."""
    if not isinstance(learner, Refitting):
        return False
    few = parts.train.rows + parts.valid.rows <= learner.refit_rows
    return few and learner.refits(parts.train, parts.valid, settings)


def _dataset(path: Path, table: Table) -> Dataset:
    frame = pl.read_csv(path, infer_schema_length=None, null_values=[""])
    frame = frame.with_columns(pl.Series(ROW, np.arange(frame.height)))
    named: dict[Role, str | tuple[str, ...]] = {Role.LABEL: table.label}
    question = QuestionSettings(positive=table.positive)
    return assign_roles(frame, named, find_task(TASK).roles, question)
