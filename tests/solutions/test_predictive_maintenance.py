"""The solution's two project files: one runs on rows that a package ships, one on histories."""

from __future__ import annotations

import json
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


def test_the_file_of_remaining_life_is_right(tmp_path):
    create_project(tmp_path / "mine", "predictive-maintenance")
    project = load_project(tmp_path / "mine" / "remaining-life.yaml")
    history = project.data.history
    assert history is not None
    assert history.remaining is not None
    assert history.remaining.cap == 125
    assert len(history.columns) == 14


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
