"""What a careless split would have claimed stands beside what the honest one measures."""

from __future__ import annotations

import json

import pytest

from tests.reviews import write_project


def ran(luodi, folder, *options):
    done = luodi("run", "--json", *options, cwd=folder)
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)


def kept(folder):
    (file,) = (folder / ".luodi" / "stages").glob("leak-*/leak.json")
    return json.loads(file.read_text())


@pytest.fixture
def folder(tmp_path):
    return write_project(tmp_path, rows=300, copies=200)


def test_the_honest_score_is_the_baselines_own(luodi, folder):
    result = ran(luodi, folder)
    assert result["leak"]["honest"] == result["baselines"]["linear"]["accuracy"]
    assert set(kept(folder)) == {"careless"}  # nothing is fitted twice


@pytest.mark.parametrize("option", ["data.limit=40", "data.clean.scale=standard"])
def test_where_the_baseline_learnt_from_others_it_is_fitted_to_all(luodi, folder, option):
    leak = ran(luodi, folder, "--set", option)["leak"]
    assert kept(folder) == {name: leak[name] for name in ("careless", "honest")}
