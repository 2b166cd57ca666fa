"""Costs that do not fit the labels are a mistake of the project file, and are told before training;
those that fit decide what is answered."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from luodi.contracts import Dataset, ProjectError, Role
from luodi.lifecycle.costs import check_costs
from luodi.project.file import load_project
from tests.tables import make_table

PROJECT = """\
name: t
task: tabular-classification
data:
  source: rows.csv
  columns: {label: risk, id: amount due}
  noise: {check: false}
model: {learner: linear}
costs:
"""


def checked(folder: Path, costs: str, labels: str = "abc") -> None:
    (folder / "luodi.yaml").write_text(PROJECT + costs)
    data = Dataset(pl.DataFrame({"risk": [*labels, None]}), {Role.LABEL: ("risk",)})
    check_costs(load_project(folder), data)


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        (
            "  false_approve: 5\n  false_reject: 1\n",
            r"line 8: costs: .*two wrong.*3 labels: a, b, c",
        ),
        ("  a: 5\n  b: 1\n", "line 8: costs: no cost for c"),
        ("  a: 5\n  b: 1\n  c: 1\n  dd: 2\n", r"line 12: costs\.dd: no such label"),
        ("  a: 5\n  b: {a: 1}\n  c: 1\n", r"line 10: costs\.b: no cost for c"),
        ("  a: 5\n  b: {a: 1, c: 1, b: 3}\n  c: 1\n", r"costs\.b\.b: no such label"),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(tmp_path, costs, told):
    with pytest.raises(ProjectError, match=told):
        checked(tmp_path, costs)


@pytest.mark.parametrize(
    ("costs", "labels"),
    [
        ("  false_approve: 5\n  false_reject: 1\n", "ab"),
        ("  a: 5\n  b: {a: 3}\n", "ab"),
        ("  a: 5\n  b: {a: 1, c: 0}\n  c: 1\n", "abc"),
    ],
)
def test_what_fits_passes(tmp_path, costs, labels):
    checked(tmp_path, costs, labels)


def test_costs_of_three_labels_are_kept_to_by_the_bundle(luodi, tmp_path):
    make_table(400, seed=4, labels=3).drop("__row__").write_csv(tmp_path / "rows.csv")
    file = tmp_path / "luodi.yaml"
    file.write_text(PROJECT + "  false_approve: 5\n")
    done = luodi("check", cwd=tmp_path)
    assert done.returncode == 2
    assert "3 labels: bad, good, ugly" in done.stderr
    file.write_text(PROJECT + "  bad: 1\n  good: 1\n  ugly: {bad: 30, good: 30}\n")
    done = luodi("run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout
    result = json.loads(done.stdout)
    assert result["metrics"]["expected_cost"]["value"] > 0
    report = json.loads((Path(result["report"]).parent / "report.json").read_text("utf-8"))
    (table,) = [s for s in report["sections"] if s["title"] == "What answers cost"]
    cost = {row[0]: row[1]["value"] for row in table["rows"]}
    assert cost["the model, as served"] < cost["the model, the likeliest label"]
    assert cost["the model, as served"] == pytest.approx(
        result["metrics"]["expected_cost"]["value"]
    )
