"""What is said without looking: the last number is the latest one, not the file's last."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from luodi.contracts import FitSettings, Quiet, Role, UsageError
from luodi.tasks import find_task
from tests.tables import as_dataset, make_table

TASK = "tabular-regression"


def fitted(table: pl.DataFrame, folder, answer: str = "last", **roles: str):
    task = find_task(TASK)
    data = as_dataset(table, TASK, **roles)
    settings = FitSettings(task.schema(data), task.metrics[0], folder, options={"answer": answer})
    learner = task.learners["naive"]
    learner.estimate(data, settings)
    valid = replace(data, table=data.table.head(20))
    fitted = learner.fit(data, valid, settings, Quiet())
    fitted.export(folder)
    row = task.requests(valid, settings.schema)[:1]
    return learner.predictor.load(folder, 1).predict(row)[0]["value"]


def test_the_last_number_is_the_latest_whatever_the_order_of_rows(tmp_path):
    table = make_table(60, seed=1).with_columns(
        pl.Series("when", [f"2024-{1 + n // 28:02d}-{1 + n % 28:02d}" for n in range(60)])
    )
    newest = table["amount due"][59]
    for number, rows in enumerate((table, table.reverse(), table.sample(60, shuffle=True, seed=3))):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert fitted(rows, folder, **{Role.TIME: "when"}) == pytest.approx(newest)


def test_several_numbers_at_one_moment_are_averaged(tmp_path):
    table = make_table(60, seed=1).with_columns(pl.Series("when", [min(n, 57) for n in range(60)]))
    value = fitted(table, tmp_path, **{Role.TIME: "when"})
    assert value == pytest.approx(table["amount due"][57:].mean())


def test_without_a_time_column_there_is_no_last_number(tmp_path):
    with pytest.raises(UsageError, match=r"data\.columns\.time"):
        fitted(make_table(60), tmp_path)
    assert fitted(make_table(60), tmp_path, "median") > 0
