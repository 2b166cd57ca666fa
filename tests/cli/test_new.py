"""A new project, and nothing overwritten."""

from __future__ import annotations

import json

from luodi.project.file import load_project
from luodi.solutions import solution_names


def test_every_solution_makes_a_project_whose_file_is_right(luodi, tmp_path):
    for name in solution_names():
        done = luodi("new", tmp_path / name, "--solution", name, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["solution"] == name
        assert load_project(tmp_path / name).name


def test_a_folder_in_use_is_left_alone(luodi, tmp_path):
    (tmp_path / "luodi.yaml").write_text("mine")
    assert luodi("new", tmp_path, "--solution", "reviews").returncode == 2
    assert (tmp_path / "luodi.yaml").read_text() == "mine"
