"""A base install, without the training parts, verifies, predicts and serves; and says so when it
is asked to train.
"""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from tests import forked
from tests.forked import LUODI
from tests.reviews import write_project

TRAINING = ("torch", "transformers", "sklearn", "scipy", "onnx", "onnxscript", "safetensors")
BLOCK = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {TRAINING!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name.split(".")[0])
sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> dict[str, str]:
    """The environment of a process in which the training parts cannot be imported."""
    place = tmp_path_factory.mktemp("site")
    (place / "sitecustomize.py").write_text(BLOCK)
    return {"PYTHONPATH": str(place)}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> tuple[Path, dict]:
    folder = write_project(tmp_path_factory.mktemp("shop"), rows=200)
    done = forked.call("run", "--json", cwd=folder)
    return folder, json.loads(done.stdout)


def test_verify_and_predict(luodi, base, project):
    folder, result = project
    assert luodi("verify", result["bundle"], cwd=folder, **base).returncode == 0
    done = luodi("predict", "shop-reviews", "reviews.csv", "--json", cwd=folder, **base)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == 200


def test_serve(base, project):
    import os

    folder, _ = project
    service = subprocess.Popen(
        [LUODI, "serve", "--port", "0", "--json"], cwd=folder, stdout=subprocess.PIPE, text=True,
        env=os.environ | base,
    )  # fmt: skip
    assert service.stdout is not None
    try:
        url = json.loads(service.stdout.readline())["url"]
        answer = httpx.post(f"{url}/predict/shop-reviews", json={"inputs": ["it is excellent"]})
        assert answer.json()["outputs"][0]["label"] == "good"
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=20)
        service.stdout.close()


def test_run_says_what_is_missing(luodi, base, tmp_path):
    folder = write_project(tmp_path, rows=100)
    done = luodi("run", cwd=folder, **base)
    assert done.returncode == 1
    assert "luodi[train]" in done.stderr
    assert "Traceback" not in done.stderr
