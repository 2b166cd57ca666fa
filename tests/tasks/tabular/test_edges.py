"""Tables at the edge of sense, through the learners of trees: one row, nothing known, too wide."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from luodi.contracts import ROW, FitSettings, Quiet, Role
from luodi.data.roles import assign_roles
from luodi.tasks import find_task
from tests.tables import as_dataset, make_table

LEARNERS = ["boosting", "forest"]


def predictor(folder, task, data, learner, valid=None, **options):
    kind = find_task(task)
    (folder / "scratch").mkdir()
    settings = FitSettings(
        schema=kind.schema(data), metric=kind.metrics[0], folder=folder / "scratch",
        options=options,
    )  # fmt: skip
    valid = data.take(np.arange(0)) if valid is None else valid
    fitted = kind.learners[learner].fit(data, valid, settings, Quiet())
    fitted.export(folder / "export")
    return kind.learners[learner].predictor.load(folder / "export", 1), settings.schema


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("task", ["tabular-classification", "tabular-regression"])
def test_what_was_never_seen_is_answered(tmp_path, task, learner):
    data = as_dataset(make_table(200), task)
    served, schema = predictor(tmp_path, task, data, learner)
    asked = find_task(task).requests(data.take(np.arange(3)), schema)
    asked.append({**asked[0], "city": "a city never seen", "年收入 (元)": 1e300})
    asked.append(dict.fromkeys(asked[0]))  # the schema would refuse it; the trees do not
    answers = served.predict(asked)
    assert len(answers) == 5
    for answer in answers:
        numbers = answer.get("probabilities", {"value": answer.get("value")}).values()
        assert all(np.isfinite(number) for number in numbers)


@pytest.mark.parametrize("learner", LEARNERS)
@pytest.mark.parametrize("task", ["tabular-classification", "tabular-regression"])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_a_handful_of_rows(tmp_path, task, learner, rows):
    data = as_dataset(make_table(200), task)
    few = data.take(np.arange(rows))
    kind = find_task(task)
    (tmp_path / "scratch").mkdir()
    settings = FitSettings(
        schema=kind.schema(data), metric=kind.metrics[0], folder=tmp_path / "scratch"
    )
    fitted = kind.learners[learner].fit(few, few.take(np.arange(0)), settings, Quiet())
    fitted.export(tmp_path / "export")
    served = kind.learners[learner].predictor.load(tmp_path / "export", 1)
    assert len(served.predict(kind.requests(data.take(np.arange(5)), settings.schema))) == 5


def test_far_more_columns_than_rows(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(80, 4_000))
    table = {ROW: np.arange(80), "y": np.where(values[:, 77] > 0, "good", "bad")}
    table |= {f"c {n}.,:": values[:, n] for n in range(values.shape[1])}
    data = assign_roles(
        pl.DataFrame(table), {Role.LABEL: "y"}, find_task("tabular-classification").roles
    )
    served, schema = predictor(
        tmp_path, "tabular-classification", data, "boosting", rounds=20, models=3
    )
    assert len(schema.request) == 4_000
    asked = find_task("tabular-classification").requests(data, schema)
    found = [answer["label"] for answer in served.predict(asked)]
    assert np.mean(found == table["y"]) > 0.7


@pytest.mark.parametrize("learner", LEARNERS)
def test_as_many_labels_as_people_have_names(tmp_path, learner):
    rng = np.random.default_rng(0)
    size = rng.uniform(0, 60, 900)
    table = pl.DataFrame(
        {ROW: np.arange(900), "size": size, "noise": rng.normal(size=900),
         "y": [f"kind {int(s)}" for s in size]}
    )  # fmt: skip
    data = assign_roles(table, {Role.LABEL: "y"}, find_task("tabular-classification").roles)
    options = {"models": 3, "rounds": 30} if learner == "boosting" else {"trees": 15}
    served, schema = predictor(tmp_path, "tabular-classification", data, learner, **options)
    answers = served.predict(find_task("tabular-classification").requests(data, schema))
    found = [answer["label"] for answer in answers]
    assert np.mean(np.array(found) == table["y"].to_numpy()) > 0.5
    assert len(answers[0]["probabilities"]) == 60
