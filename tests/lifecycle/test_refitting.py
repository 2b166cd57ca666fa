"""A chosen model is learnt once more where that is sound, and never where it is not."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from luodi.lifecycle.recipes import Recipe
from luodi.lifecycle.refitting import _refitted, _too_late
from luodi.lifecycle.training import Trained
from luodi.tasks.text_classification import task as texts
from tests import reviews
from tests.tables import make_table

PROJECT = """\
name: t
task: tabular-{kind}
data:
  source: rows.csv
  columns: {{label: {label}, id: {other}}}
  noise: {{check: false}}
  {data}
model: {{learner: {learner}, {model}}}
"""


def project(folder: Path, rows: int = 300, **more: str) -> None:
    make_table(rows, seed=4).drop("__row__").write_csv(folder / "rows.csv")
    asked = {
        "kind": "classification", "label": "risk", "other": "amount due", "learner": "linear",
        "data": "", "model": "seed: 7",
    } | more  # fmt: skip
    (folder / "luodi.yaml").write_text(PROJECT.format(**asked))


def ran(luodi, folder: Path) -> tuple[dict, list[dict]]:
    done = luodi("run", "--json", cwd=folder)
    assert done.returncode in (0, 3), done.stderr + done.stdout
    result = json.loads(done.stdout)
    report = json.loads((Path(result["report"]).parent / "report.json").read_text("utf-8"))
    return result, report


def codes(report) -> dict[str, str]:
    return {finding["code"]: finding["severity"] for finding in report["findings"]}


def test_few_rows_are_all_learnt_from_and_that_is_said(luodi, tmp_path):
    project(tmp_path, learner="[linear, scorecard]")
    result, report = ran(luodi, tmp_path)
    assert codes(report)["refit"] == "info"
    chosen = result["learner"]
    # The baseline that it is held against gets the same rows, and shares the work.
    assert {f"refit-{chosen}", "refit-linear"} <= set(result["seconds"])
    assert result["data"]["valid"] > 0
    # What the candidates were chosen by is what they reached while the part was held out.
    stages = tmp_path / ".luodi" / "stages"
    (first,) = stages.glob(f"train-{chosen}-*/fitted.json")
    (again,) = stages.glob(f"refit-{chosen}-*/fitted.json")
    kept = json.loads(first.read_text())["valid"]["auc"]["value"]
    (shown,) = [one["value"] for one in report["candidates"] if one["chosen"]]
    assert shown == kept
    assert "valid" not in json.loads(again.read_text())
    # Golden answers are the model's own: the packaged one says what it says when it is judged.
    assert luodi("verify", result["bundle"], cwd=tmp_path).returncode == 0


def test_refit_false_leaves_the_model_as_it_was_chosen(luodi, tmp_path):
    project(tmp_path, model="refit: false")
    result, report = ran(luodi, tmp_path)
    assert not {"refit", "refit-left-out"} & set(codes(report))
    assert not [stage for stage in result["seconds"] if stage.startswith("refit")]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"kind": "regression", "label": "amount due", "other": "risk"}, "question"),
        ({"data": "split: {time: since}"}, "follow time"),
        ({"data": "clean: {outliers: drop}"}, "outliers were dropped"),
        ({"data": "clean: {columns: {age: {outliers: drop}}}"}, "outliers were dropped"),
        ({"learner": "naive"}, "no use for more"),
    ],
)
def test_where_it_is_not_sound_it_is_not_done_and_whoever_asked_is_told(
    luodi, tmp_path, more, reason
):
    project(tmp_path, model="refit: true", **more)
    result, report = ran(luodi, tmp_path)
    assert codes(report)["refit-left-out"] == "warning"
    assert any(reason in f["message"] for f in report["findings"] if f["code"] == "refit-left-out")
    assert not [stage for stage in result["seconds"] if stage.startswith("refit")]


def test_many_rows_are_refit_only_on_request(luodi, tmp_path):
    project(tmp_path, rows=2600)
    assert not {"refit", "refit-left-out"} & set(codes(ran(luodi, tmp_path)[1]))
    project(tmp_path, rows=2600, model="refit: true")
    assert codes(ran(luodi, tmp_path)[1])["refit"] == "info"


def test_texts_are_refit_on_request_with_the_baseline(luodi, tmp_path):
    reviews.write_reviews(tmp_path / "reviews.csv")
    (tmp_path / "luodi.yaml").write_text(reviews.PROJECT)
    assert not {"refit", "refit-left-out"} & set(codes(ran(luodi, tmp_path)[1]))
    asked = reviews.PROJECT.replace("linear", "linear\n  refit: true\n  options: {longest: 3}")
    unasked = json.loads(luodi("check", "--json", cwd=tmp_path).stdout)["estimate"]
    (tmp_path / "luodi.yaml").write_text(asked)
    foreseen = json.loads(luodi("check", "--json", cwd=tmp_path).stdout)["estimate"]
    assert unasked["refit"] == 0 < foreseen["refit"] < foreseen["seconds"]
    assert "Once more, on all rows: at most " in luodi("check", cwd=tmp_path).stdout
    done = luodi("run", cwd=tmp_path)
    assert done.stderr.count("✓ Train linear once more, on all rows  (") == 2
    result, report = ran(luodi, tmp_path)
    assert codes(report)["refit"] == "info"
    (found,) = [finding for finding in report["findings"] if finding["code"] == "refit"]
    assert found["count"] == result["data"]["valid"] > 0
    heads = (tmp_path / ".luodi" / "stages").glob("refit-linear-*/export/linear.json")
    assert len(list(heads)) == 2  # the model, and the baseline with the same rows
    assert luodi("verify", result["bundle"], cwd=tmp_path).returncode == 0


def test_it_goes_by_what_was_chosen_and_by_what_the_searches_found(tmp_path, monkeypatch):
    """An ensemble's recipe says nothing of its members' searches: their best is learnt again, and
    what was learnt from another choice is not taken for it."""
    keys = []

    class Stages:
        seconds = {"refit-ensemble": 1.0}

        def run(self, name, inputs, work):
            keys.append(json.dumps(inputs, sort_keys=True))
            work(tmp_path, None)
            (tmp_path / "fitted.json").write_text('{"findings": [], "history": []}')
            return tmp_path

    recipes = []
    monkeypatch.setattr("luodi.lifecycle.refitting.fit_inputs", lambda *_: {"parts": "same"})
    monkeypatch.setattr("luodi.lifecycle.refitting.facts_of", lambda fitted: {})
    monkeypatch.setattr(
        "luodi.lifecycle.refitting.fit_and_export",
        lambda run, recipe, cut, folder, fit: recipes.append(recipe),
    )
    cut = SimpleNamespace(taught=None, parts=SimpleNamespace(
        train=SimpleNamespace(rows=9), valid=SimpleNamespace(rows=3)))  # fmt: skip
    recipe = Recipe("ensemble", budget=60.0, options={"epochs": 2})
    facts = {"findings": [], "history": []}
    plain = Trained(recipe, tmp_path / "train-1" / "export", {}, facts, 20.0)
    best = {"linear": {"options": {"longest": 3}}, "transformer": {"options": {"epochs": 5}}}
    searched = Trained(recipe, tmp_path / "train-2" / "export", {}, facts, 30.0, best)
    for trained in (plain, searched):
        _refitted(SimpleNamespace(stages=Stages()), cut, trained)
    assert [each.options for each in recipes] == [{"epochs": 2}, {"epochs": 5, "longest": 3}]
    assert [each.budget for each in recipes] == [40.0, 30.0]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(("budget", "seconds", "late"), [
    (None, 900, False), (60, 20, False), (60, 27, True), (60, 60, True),
])  # fmt: skip
def test_a_budget_must_leave_time_for_it(budget, seconds, late):
    recipe = SimpleNamespace(learner="transformer", budget=budget)
    trained = SimpleNamespace(recipe=recipe, facts={}, seconds=seconds)
    assert bool(_too_late(SimpleNamespace(task=texts), trained)) is late


def test_a_spelling_that_is_none_of_the_three_is_told(luodi, tmp_path):
    project(tmp_path, model="refit: always")
    done = luodi("check", cwd=tmp_path)
    assert done.returncode == 2
    assert "model.refit" in done.stdout + done.stderr
