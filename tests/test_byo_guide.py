"""The guide to models that were trained elsewhere, carried out as it stands."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests import forked

GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "bring-your-own.md"
BLOCK = re.compile(
    r"<!-- python -->\n```python\n(?P<python>.*?)^```|<!-- file: (?P<name>\S+) -->\n```\w+\n"
    r"(?P<text>.*?)^```|^\$ luodi (?P<command>[^\n]*)$",
    re.DOTALL | re.MULTILINE,
)


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The page from top to bottom; the Python blocks are one program, as they build on another."""
    folder = tmp_path_factory.mktemp("guide")
    python, done = "", []
    for block in BLOCK.finditer(GUIDE.read_text("utf-8")):
        if block["python"]:
            python += block["python"]
            run = subprocess.run(
                [sys.executable, "-c", python], cwd=folder, capture_output=True, text=True,
                check=False,
            )  # fmt: skip
            assert run.returncode == 0, run.stderr
        elif block["name"]:
            (folder / block["name"]).write_text(block["text"], "utf-8")
        else:
            words = shlex.split(block["command"])
            told = [] if words[0] == "predict" else ["--json"]
            run = forked.call(*words, *told, cwd=folder)
            assert run.returncode == 0, f"{words}\n{run.stdout}{run.stderr}"
            done.append((words, run.stdout))
    return folder, done


def test_every_command_of_it_runs(followed):
    _, done = followed
    assert [words[0] for words, _ in done] == ["package", "predict", "package", "run"]
    for words, printed in done:
        if words[0] != "predict":
            result = json.loads(printed)
            assert result["verdict"] == "passed"
            assert result["metrics"]["auc"]["low"] >= 0.6


def test_what_is_registered_is_what_was_given(followed):
    folder, done = followed
    first = json.loads(done[0][1])
    manifest = json.loads((Path(first["bundle"]) / "manifest.json").read_text("utf-8"))
    assert manifest["learner"] == "given"
    verified = subprocess.run(
        [sys.executable, "-m", "luodi", "verify", first["bundle"]], cwd=folder, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_answers_carry_reasons(followed):
    folder, _ = followed
    lines = (folder / "answers.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 1200
    answer = json.loads(lines[0])
    assert answer["label"] in ("late", "paid")
    assert answer["reasons"]
