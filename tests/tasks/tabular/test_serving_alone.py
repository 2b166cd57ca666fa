"""What serves a table's bundle loads what answers, and nothing that trains or writes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from luodi.tasks import find_task

TASKS = ["tabular-classification", "tabular-regression"]
TRAINS = ("boosting", "growing", "deciding", "calibrating", "fitting", "folds", "refitting")


@pytest.mark.parametrize("task", TASKS)
def test_a_predictor_is_found_without_its_learner(task):
    found = find_task(task)
    for name, learner in found.learners.items():
        assert found.predictor(name) is learner.predictor
    with pytest.raises(KeyError):
        found.predictor("no such learner")


def test_a_served_boosting_model_brings_nothing_that_trains():
    script = (
        "import sys; from luodi.bundle import open_predictor;"
        "from luodi.data.preparation import Preparation; Preparation.from_json({'steps': []});"
        "from luodi.tasks import find_task;"
        "find_task('tabular-classification').predictor('boosting');"
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(done.stdout.split())
    assert "luodi.tasks.tabular.trees" in loaded
    unwanted = {f"luodi.tasks.tabular.{name}" for name in TRAINS}
    unwanted |= {"luodi.bundle.write", "luodi.data.privacy", "luodi.training.budget", "difflib"}
    assert not unwanted & loaded
