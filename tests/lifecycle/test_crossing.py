"""k folds and nested folds of a project: learnt anew in each, the test part untouched, told."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from luodi.contracts import DataError, ProjectError
from luodi.evaluation.folds import over_folds
from luodi.evaluation.metrics import CLASSIFICATION
from luodi.lifecycle.check import check_project
from luodi.lifecycle.crossing import fold_seconds
from luodi.lifecycle.run import run_lifecycle
from luodi.project.file import load_project
from tests.lifecycle.test_augmenting import Watcher

PROJECT = """
name: loans
task: tabular-classification
data:
  source: loans.csv
  columns: {label: bad}
  noise: {check: false}
  clean: {missing: flag, scale: standard, outliers: drop}
  split: SPLIT
model: {learner: LEARNER, refit: false}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LUODI_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(3)
    lines = ["income,years,bad"]
    for _ in range(300):
        income, years = rng.lognormal(3, 0.5), rng.integers(0, 30)
        bad = "yes" if rng.random() < 1 / (1 + income / 20) else "no"
        lines.append(f"{income:.2f},{years if rng.random() > 0.1 else ''},{bad}")
    (tmp_path / "loans.csv").write_text("\n".join(lines))
    return tmp_path


def project(folder: Path, split: str, learner: str = "linear") -> Any:
    path = folder / "luodi.yaml"
    path.write_text(PROJECT.replace("SPLIT", split).replace("LEARNER", learner))
    return load_project(path)


def test_folds_stand_beside_the_test_part_and_change_nothing_of_it(folder: Path) -> None:
    plain = run_lifecycle(project(folder, "{seed: 7}"), Watcher())
    watcher = Watcher()
    outcome = run_lifecycle(project(folder, "{seed: 7, folds: 4}"), watcher)
    crossed = outcome.result["cross_validation"]
    assert "cross_validation" not in plain.result
    assert outcome.result["digest"] == plain.result["digest"]
    data = outcome.result["data"]
    assert crossed["rows"] == data["train"] + data["valid"] + data["dropped"].get("outliers", 0)
    assert (crossed["folds"], crossed["nested"], len(crossed["scores"])) == (4, 0, 4)
    assert sum(score["held"] for score in crossed["scores"]) == crossed["rows"]
    for name, found in crossed["metrics"].items():
        values = [score["metrics"][name] for score in crossed["scores"]]
        assert found["value"] == pytest.approx(sum(values) / 4)
        assert found["low"] <= found["value"] <= found["high"]
    assert crossed["metrics"]["accuracy"]["value"] == pytest.approx(
        outcome.result["metrics"]["accuracy"]["value"], abs=0.2
    )
    page = Path(outcome.result["report"]).read_text("utf-8")
    assert "Cross-validation" in page
    assert "Fold by fold" in page
    assert outcome.result["openings"] == plain.result["openings"] == 1  # no fold opens it


def test_nested_folds_choose_in_each(folder: Path) -> None:
    outcome = run_lifecycle(project(folder, "{folds: 3, nested: 2}", "[naive, linear]"), Watcher())
    crossed = outcome.result["cross_validation"]
    assert crossed["nested"] == 2
    assert {score["learner"] for score in crossed["scores"]} <= {"naive", "linear"}
    json.dumps(outcome.result, allow_nan=False)


def test_what_folds_cost_is_told_before(folder: Path) -> None:
    without = check_project(project(folder, "{seed: 7}"), Watcher())
    checked = check_project(project(folder, "{folds: 5}"), Watcher())
    assert (without.folds, checked.folds > 0) == (0.0, True)
    assert checked.to_json()["estimate"]["folds"] == checked.folds
    assert checked.seconds > without.seconds
    assert fold_seconds(5, None, [10.0, 1.0]) == 50.0
    assert fold_seconds(5, 3, [10.0, 1.0]) == 5 * (10 + 3 * 11)
    assert fold_seconds(5, 3, [10.0]) == 50.0  # nothing to choose from
    assert fold_seconds(None, None, [10.0]) == 0.0
    assert fold_seconds(5, 3, [10.0, 1.0], 40.0) == 5 * (10 + 3 * 11 + 40)  # searched anew in each
    assert fold_seconds(5, None, [10.0, 1.0], 40.0) == 50.0


def folds_of(outcome: Any) -> str:
    [table] = [one for one in outcome.report.sections if one.title == "Cross-validation"]
    return str(table.note)


def test_rows_are_made_in_each_fold_from_its_own(folder: Path, monkeypatch) -> None:
    from luodi.data.augment import rows

    seen = []

    def watched(parts: Any, *rest: Any) -> Any:
        made = real(parts, *rest)
        seen.append((parts, made))
        return made

    real = rows.augment
    monkeypatch.setattr(rows, "augment", watched)
    path = folder / "luodi.yaml"
    text = PROJECT.replace("SPLIT", "{folds: 3}").replace("LEARNER", "linear")
    path.write_text(text.replace("  split:", "  augment: {table: {way: smote}}\n  split:"))
    lines = (folder / "loans.csv").read_text().splitlines()
    few = [line for n, line in enumerate(lines) if not (line.endswith("yes") and n % 3)]
    (folder / "loans.csv").write_text("\n".join(few))
    outcome = run_lifecycle(load_project(path), Watcher())
    [_, *folds] = seen  # the first is the model's own
    assert len(folds) == 3
    for parts, made in folds:
        assert made.train.rows > parts.train.rows
        held = set(parts.test.table["__row__"])
        assert not held & set(parts.train.table["__row__"])
    crossed = outcome.result["cross_validation"]
    assert crossed["made"] is True
    assert (
        sum(score["held"] for score in crossed["scores"]) == crossed["rows"]
    )  # made ones are none
    assert "Rows were made from each fold's own rows" in folds_of(outcome)


SEARCHED = PROJECT.replace("refit: false", "refit: false, options: {trees: 5}, search: {trials: 2}")


@pytest.mark.parametrize(
    ("split", "way"), [("{folds: 2}", "kept"), ("{folds: 2, nested: 2}", "anew")]
)
def test_a_search_is_made_anew_in_nested_folds_and_told_in_others(
    folder: Path, split: str, way: str
) -> None:
    path = folder / "luodi.yaml"
    path.write_text(SEARCHED.replace("SPLIT", split).replace("LEARNER", "forest"))
    outcome = run_lifecycle(load_project(path), Watcher())
    crossed = outcome.result["cross_validation"]
    assert crossed["search"] == way
    assert [score.get("options", {}).get("trees") for score in crossed["scores"]] == (
        [5, 5] if way == "anew" else [None, None]
    )
    said = {"kept": "the figures flatter it", "anew": "searched anew in each"}
    assert said[way] in folds_of(outcome)


def test_too_few_rows_for_folds_are_told_before(folder: Path) -> None:
    few = (folder / "loans.csv").read_text().splitlines()[:20]
    (folder / "loans.csv").write_text("\n".join(few))
    with pytest.raises(DataError, match="cannot be dealt out to 20 folds"):
        check_project(project(folder, "{folds: 20}"), Watcher())


@pytest.mark.parametrize(
    "split", ["{folds: 1}", "{folds: 21}", "{nested: 3}", "{folds: 3, nested: 1}"]
)
def test_folds_that_cannot_be(folder: Path, split: str) -> None:
    with pytest.raises(ProjectError, match=r"expected 2 to (20|10) folds"):
        project(folder, split)


def test_the_interval_of_a_mean_over_folds() -> None:
    accuracy = next(metric for metric in CLASSIFICATION if metric.name == "accuracy")
    # By hand: sd 0.1 x sqrt(1/3 + 1/2) x t(0.975, 2) = 0.1 x 0.91287 x 4.30265
    found = over_folds(accuracy, [0.4, 0.5, 0.6], [0.5, 0.5, 0.5])
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.10722, 0.89278), abs=1e-4)
    assert over_folds(accuracy, [0.9, 1.0, 1.0], [0.5] * 3).high == 1.0
    alone = over_folds(accuracy, [0.9, math.nan], [0.5] * 2)
    assert alone.value == 0.9
    assert math.isnan(alone.low)
    # Another deal of the rows: the interval holds where 1/k alone would be far too narrow.
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        rows = rng.normal(size=60)
        scores = [float(rows[n::5].mean()) + float(np.delete(rows, np.s_[n::5]).mean()) * 0.5
                  for n in range(5)]  # fmt: skip
        interval = over_folds(_Free(), scores, [0.25] * 5)
        hits += interval.low <= 0 <= interval.high
    assert hits >= 0.9 * 400


class _Free:
    name, higher_is_better, lowest, highest = "free", True, -math.inf, math.inf
