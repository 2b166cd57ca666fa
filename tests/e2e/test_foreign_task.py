"""A stranger's package registers a task; every command takes it, and nothing of ours was edited."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[1] / "example_plugin"
PROJECT = """\
name: lengths
task: length-classification
data:
  source: numbers.csv
  columns: {feature: length, label: kind}
model: {learner: nearest}
gate: {accuracy: ">= 0.8", beats: naive}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> dict[str, str]:
    """The plugin as pip leaves it: its code and its entry point, on the path of a subprocess."""
    place = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--target", str(place), str(PLUGIN)],
        check=True,
    )  # fmt: skip
    return {"PYTHONPATH": str(place)}


def test_the_whole_lifecycle_on_a_foreign_task(luodi, installed, tmp_path):
    source = random.Random(5)
    rows = [(source.gauss(3, 1), "short") for _ in range(150)]
    rows += [(source.gauss(9, 1), "long") for _ in range(150)]
    table = "length,kind\n" + "".join(f"{number:.6f},{kind}\n" for number, kind in rows)
    (tmp_path / "numbers.csv").write_text(table)
    (tmp_path / "luodi.yaml").write_text(PROJECT)
    run = luodi("run", "--json", cwd=tmp_path, **installed)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["metrics"]["accuracy"]["low"] > 0.8
    assert set(result["baselines"]) == {"naive"}
    checked = luodi("verify", result["bundle"], "--json", cwd=tmp_path, **installed)
    assert checked.returncode == 0, checked.stderr
    (tmp_path / "new.csv").write_text("length\n2.5\n9.5\n")
    answers = luodi("predict", "lengths", "new.csv", "--json", cwd=tmp_path, **installed)
    assert [a["label"] for a in json.loads(answers.stdout)["answers"]] == ["short", "long"]


def test_without_the_package_the_task_is_unknown_in_words(luodi, tmp_path):
    (tmp_path / "luodi.yaml").write_text(PROJECT)
    done = luodi("run", cwd=tmp_path)
    assert done.returncode == 2
    assert "text-classification" in done.stderr


def test_check_task_holds_for_it(installed, tmp_path):
    script = f"""
import polars as pl, random
from pathlib import Path
from luodi.contracts import COPIES, ROW, Dataset, Role
from luodi.testing import check_task
from luodi_lengths import task
source = random.Random(5)
rows = [(source.gauss(3, 1), "short") for _ in range(60)]
rows += [(source.gauss(9, 1), "long") for _ in range(60)]
table = pl.DataFrame(rows, schema=["length", "kind"], orient="row").with_row_index(ROW)
table = table.with_columns(pl.col(ROW).cast(pl.Int64).alias(COPIES))
roles = {{Role.FEATURE: ("length",), Role.LABEL: ("kind",)}}
check_task(task, Dataset(table, roles), Path({str(tmp_path)!r}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **installed}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
