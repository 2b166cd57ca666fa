"""Both tasks on tables as a whole, by the contract's own check."""

from __future__ import annotations

import pytest

from luodi.contracts import DataError, QuestionSettings
from luodi.tasks import find_task
from luodi.testing import check_task
from tests.tables import as_dataset, make_table

TASKS = ("tabular-classification", "tabular-regression")


@pytest.mark.parametrize("learner", ["naive", "linear", "boosting", "forest"])
@pytest.mark.parametrize("name", TASKS)
def test_check_task(tmp_path, name, learner):
    check_task(find_task(name), as_dataset(make_table(), name), tmp_path, [learner])


@pytest.mark.parametrize(("learner", "labels"), [("linear", 3), ("boosting", 3), ("forest", 4)])
def test_check_task_with_more_labels(tmp_path, learner, labels):
    task = find_task("tabular-classification")
    check_task(task, as_dataset(make_table(labels=labels), task.name), tmp_path, [learner])


def test_columns_are_recognised():
    schema = find_task(TASKS[0]).schema(as_dataset(make_table(), TASKS[0]))
    kinds = {field.name: field.kind for field in schema.request}
    assert kinds == {
        "age": "number", "年收入 (元)": "number", "city": "category", "member": "boolean",
        "since": "date", "note": "text", "sex": "category",
    }  # fmt: skip
    required = {field.name for field in schema.request if field.required}
    assert required == set(kinds) - {"age", "city"}


def test_a_kind_can_be_overridden_and_a_column_ignored():
    question = QuestionSettings(kinds={"sex": "ignore", "age": "category"})
    schema = find_task(TASKS[0]).schema(as_dataset(make_table(), TASKS[0], question))
    kinds = {field.name: field.kind for field in schema.request}
    assert kinds["age"] == "category"
    assert "sex" not in kinds


def test_a_protected_column_is_measured_and_not_learnt_from():
    task = find_task(TASKS[0])
    data = as_dataset(make_table(), task.name, protected="sex")
    schema = task.schema(data)
    assert "sex" not in [field.name for field in schema.request]
    probabilities = {"good": 0.5, "bad": 0.5}
    answers = [{"label": "good", "probabilities": probabilities}] * data.rows
    scored = task.score(data, answers, schema)
    assert scored.groups["sex"].values == ("f", "m")
    assert scored.groups["sex"].protected


def test_the_event_is_the_second_label():
    task = find_task(TASKS[0])
    table = make_table()
    assert task.schema(as_dataset(table, task.name)).answer[0].categories == ("good", "bad")
    question = QuestionSettings(positive="good")
    told = task.schema(as_dataset(table, task.name, question))
    assert told.answer[0].categories == ("bad", "good")


def test_a_label_that_is_no_number_is_told():
    table = make_table().with_columns(pl_text("amount due"))
    with pytest.raises(DataError, match="no numbers"):
        as_dataset(table, TASKS[1])


def pl_text(name):
    import polars as pl

    return (pl.col(name).cast(pl.String) + " yuan").alias(name)
