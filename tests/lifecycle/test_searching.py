"""A search keeps what it tried, goes on after a kill as if there had been none, and tells all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from luodi.contracts import Choice, Quiet, Range, TrainingError
from luodi.lifecycle.recipes import Recipe, recipe_of
from luodi.lifecycle.searching import Found, Search, search_findings, search_sections
from luodi.project.file import load_project
from luodi.tasks import find_task
from tests.tables import make_table

pytest.importorskip("optuna")

SPACE = {"rate": Range(0.0, 1.0, 0.5), "kind": Choice(("a", "b"))}


class Killed(BaseException):
    """As from outside."""


def search(trials: int = 8, budget: float | None = None, options=None) -> Search:
    return Search(Recipe("x", None, budget, options or {}, trials), SPACE, "auc", True, 7)


def attempt(recipe: Recipe, folder: Path, progress) -> float:
    (folder / "export").mkdir(exist_ok=True)
    (folder / "export" / "model").write_text(json.dumps(dict(recipe.options)))
    progress.step(1, 2, "half")
    return float(recipe.options.get("rate", 0.5)) + (recipe.options.get("kind") == "b")


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def settings(found: Found) -> list:
    return [trial.options for trial in found.tried]


def test_the_best_model_is_kept_and_no_other(tmp_path):
    found = search().run(tmp_path, attempt, Quiet())
    assert len(found.tried) == 8
    assert [path.name for path in tmp_path.glob("trial-*")] == [found.folder.name]
    told = found.to_json()
    assert json.loads((found.folder / "export" / "model").read_text()) == told["options"]
    assert found.best.value == max(trial.value for trial in found.tried)


def test_after_a_kill_finished_trials_are_not_done_again(tmp_path):
    whole = search().run(made(tmp_path / "whole"), attempt, Quiet())
    calls: list[Recipe] = []

    def killed(recipe, folder, progress):
        calls.append(recipe)
        if len(calls) == 5:
            raise Killed
        return attempt(recipe, folder, progress)

    folder = made(tmp_path / "cut")
    with pytest.raises(Killed):
        search().run(folder, killed, Quiet())
    again = search().run(folder, killed, Quiet())
    assert len(calls) == 5 + 4  # the fifth was begun twice
    assert settings(again) == settings(whole)
    assert again.to_json()["options"] == whole.to_json()["options"]


def test_a_budget_ends_it_and_is_shared(tmp_path):
    shares: list[float] = []

    def slow(recipe, folder, progress):
        assert recipe.budget is not None
        shares.append(recipe.budget)
        import time

        time.sleep(0.15)
        return attempt(recipe, folder, progress)

    found = search(trials=100, budget=0.4).run(tmp_path, slow, Quiet())
    assert 1 <= len(found.tried) < 10
    assert shares[0] == pytest.approx(0.004, rel=0.2)
    assert "100 were asked for" in search_findings({"x": found.to_json()})[0].message


def test_settings_that_cannot_be_trained_are_told_unless_they_are_the_defaults(tmp_path):
    def picky(recipe, folder, progress):
        if recipe.options.get("kind") == "b":
            raise TrainingError("kind b is no good")
        return attempt(recipe, folder, progress)

    found = search(12).run(tmp_path, picky, Quiet())
    assert any(trial.error == "kind b is no good" for trial in found.tried)
    assert found.best.options["kind"] == "a"
    table, curve = search_sections({"x": found.to_json()})
    assert len(table.rows) == 10
    assert [row[0] for row in table.rows if row[0] == "defaults"] == ["defaults"]
    assert len(curve.series["validation part"]) < 12

    def never(recipe, folder, progress):
        raise TrainingError("nothing is any good")

    with pytest.raises(TrainingError, match="nothing"):
        search().run(made(tmp_path / "none"), never, Quiet())


def test_learners_without_a_choice_are_named():
    (finding,) = search_findings({}, ["linear", "naive"])
    assert "linear, naive" in finding.message


def test_what_the_project_sets_is_not_searched(tmp_path):
    found = search(options={"kind": "b"}).run(tmp_path, attempt, Quiet())
    assert all(set(trial.options) == {"rate"} for trial in found.tried)
    assert found.to_json()["options"]["kind"] == "b"


PROJECT = """\
name: t
task: tabular-classification
data:
  source: rows.csv
  columns: {label: risk, id: amount due}
  noise: {check: false}
model: {learner: [linear, forest], options: {trees: 20}, refit: false, search: {trials: 3}}
gate: {auc: ">= 0.5"}
"""


def test_only_learners_with_a_choice_are_searched(tmp_path):
    make_table(100).drop("__row__").write_csv(tmp_path / "rows.csv")
    (tmp_path / "luodi.yaml").write_text(PROJECT)
    project, task = load_project(tmp_path, []), find_task("tabular-classification")
    assert recipe_of("linear", project, task) == Recipe("linear")
    assert recipe_of("forest", project, task).trials == 3
    (tmp_path / "luodi.yaml").write_text(
        PROJECT.replace("tabular", "text").replace("forest", "ensemble").replace("trees", "longest")
    )
    task = find_task("text-classification")
    project = project.model_copy(update={"task": task.name})
    assert recipe_of("ensemble", project, task).trials == 0  # its members are


def test_a_run_searches_and_says_what_it_found(luodi, tmp_path):
    make_table(300, seed=4).drop("__row__").write_csv(tmp_path / "rows.csv")
    (tmp_path / "luodi.yaml").write_text(PROJECT.replace("[linear, forest]", "forest"))
    done = luodi("run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout)
    found = result["search"]["forest"]
    assert len(found["trials"]) == 3
    assert found["options"]["trees"] == 20
    assert "trees" not in found["trials"][0]["options"]
    report = json.loads((Path(result["report"]).parent / "report.json").read_text("utf-8"))
    codes = {finding["code"] for finding in report["findings"]}
    assert "search" in codes
    assert "search-left-out" not in codes
    assert "Settings tried: forest" in {section["title"] for section in report["sections"]}
    (candidate,) = report["candidates"]
    assert candidate["trials"] == 3
    assert candidate["value"] == max(trial["value"] for trial in found["trials"])
    manifest = json.loads((Path(result["bundle"]) / "manifest.json").read_text())
    assert manifest["settings"]["options"] == found["options"]


def test_a_search_without_sense_is_a_project_mistake(luodi, tmp_path):
    make_table(100).drop("__row__").write_csv(tmp_path / "rows.csv")
    (tmp_path / "luodi.yaml").write_text(PROJECT.replace("trials: 3", "trials: 1"))
    done = luodi("check", cwd=tmp_path)
    assert done.returncode == 2
    assert "model.search.trials" in done.stdout + done.stderr
