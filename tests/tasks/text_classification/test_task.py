"""The task as a whole, by the contract's own check."""

from __future__ import annotations

import polars as pl
import pytest

from luodi.contracts import COPIES, ROW, CleanSettings, Dataset, Role
from luodi.data.clean import inspect, prepare
from luodi.tasks import find_task
from luodi.testing import check_task
from tests.reviews import make_reviews

TASK = find_task("text-classification")


def data(pairs) -> Dataset:
    table = pl.DataFrame(pairs, schema=["review", "label"], orient="row").with_row_index(ROW)
    return Dataset(
        table.with_columns(pl.col(ROW).cast(pl.Int64).alias(COPIES)),
        {Role.TEXT: ("review",), Role.LABEL: ("label",)},
    )


@pytest.mark.parametrize("learner", ["naive", "linear"])
def test_check_task(tmp_path, learner):
    check_task(TASK, data(make_reviews(200)), tmp_path, [learner])


def test_check_task_sees_a_predictor_that_peeks_at_its_batch(tmp_path, monkeypatch):
    """The fault planted: answers that depend on the rest of the batch."""
    predictor = TASK.learners["linear"].predictor
    honest = predictor.predict

    def peeking(self, requests):
        answers = honest(self, requests)
        for answer in answers:
            share = 0.1 / max(len(requests), 1)
            answer["probabilities"] = {
                name: value * (1 - share) + share / 2
                for name, value in answer["probabilities"].items()
            }
        return answers

    monkeypatch.setattr(predictor, "predict", peeking)
    with pytest.raises(AssertionError, match="batch"):
        check_task(TASK, data(make_reviews(200)), tmp_path, ["linear"])


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([("one text", "a"), ("another", "a")], "one-class"),
        ([(f"text {n}", f"label {n}") for n in range(200)], "label-is-no-class"),
    ],
)
def test_what_cannot_be_learnt_is_an_error(pairs, code):
    found = {finding.code: finding for finding in TASK.inspect(data(pairs), CleanSettings())}
    assert found[code].severity == "error"
    assert found[code].remedy


def test_rare_classes_are_shown_and_refused_where_the_project_says_so():
    pairs = [*make_reviews(60), ("odd one", "rare")]
    keep = {f.code: f for f in TASK.inspect(data(pairs), CleanSettings())}["rare-classes"]
    assert (keep.severity, keep.count) == ("warning", 1)
    settings = CleanSettings(rare_classes="refuse")
    refused = {f.code: f for f in TASK.inspect(data(pairs), settings)}["rare-classes"]
    assert refused.severity == "error"


def test_rare_classes_are_dropped_where_the_project_says_so():
    pairs = [*make_reviews(60), ("odd one", "rare")]
    rows = data(pairs)
    settings = CleanSettings(rare_classes="drop")
    prepared = prepare(rows, inspect(rows, TASK.content(rows), settings), settings)
    assert prepared.counts["dropped"] == {"rare_classes": 1}
    assert set(prepared.data.table["label"]) == {"good", "bad"}
    kept = prepare(rows, inspect(rows, TASK.content(rows), CleanSettings()), CleanSettings())
    assert kept.data.rows == 61


def test_the_schema_takes_the_columns_own_name_as_well():
    schema = TASK.schema(data(make_reviews(20)))
    assert schema.read({"review": "fine"}) == schema.read({"text": "fine"}) == schema.read("fine")
