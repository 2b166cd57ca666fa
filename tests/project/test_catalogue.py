"""Tasks are found as the library finds them, without loading it."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from luodi.contracts import UsageError
from luodi.project import catalogue


def test_the_files_say_what_the_library_says():
    known = {entry.name: entry.value for entry in entry_points(group="luodi.tasks")}
    assert known
    assert {name: catalogue._written(name) for name in known} == known
    assert {name: catalogue._registered(name) for name in known} == known


def test_a_strangers_task_is_found_in_the_first_folder_that_has_it(tmp_path: Path, monkeypatch):
    for place in ("first", "second"):
        folder = tmp_path / place / f"{place}-1.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "entry_points.txt").write_text(
            "[console_scripts]\nodd = nothing:here\n"
            f"[luodi.tasks]\nodd = {place}_module:task [extra]\n", "utf-8"
        )  # fmt: skip
    monkeypatch.setattr(sys, "path", [str(tmp_path / "none"), *map(str, tmp_path.iterdir())])
    expected = next(tmp_path.iterdir()).name
    assert catalogue._written("odd") == f"{expected}_module:task"
    assert catalogue._written("console") == ""


def test_what_nobody_registered_is_told_with_the_nearest_name():
    with pytest.raises(UsageError, match="Did you mean tabular-regression"):
        catalogue.find_task("tabular-regresion")


def test_finding_a_task_loads_no_mail_library():
    script = (
        "import sys; from luodi.project.catalogue import find_task;"
        "find_task('tabular-classification'); print('importlib.metadata' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
