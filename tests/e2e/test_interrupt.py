"""Ctrl-C stops in words; the same command goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

from tests.forked import LUODI
from tests.reviews import write_project


def test_ctrl_c(luodi, tmp_path):
    folder = write_project(tmp_path, rows=300)
    process = subprocess.Popen(
        [LUODI, "run"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"LUODI_LANGUAGE": "en"},
    )  # fmt: skip
    stages = folder / ".luodi" / "stages"
    for _ in range(400):
        if list(stages.glob("split-*/stage.json")):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert "goes on from there" in told
    assert "Traceback" not in told
    done = luodi("run", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Going on with run" in done.stderr
    assert json.loads(done.stdout)["verdict"] == "passed"


def test_a_research_base_is_refused_by_name_for_commercial_use(luodi, tmp_path):
    folder = write_project(tmp_path, rows=100)
    done = luodi(
        "run", "--set", "model.learner=transformer", "--set", "model.base=m3e-small",
        "--set", "model.licence=commercial", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 2
    assert "m3e-small" in done.stderr
    assert "research" in done.stderr
