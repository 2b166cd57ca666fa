"""The door: help at once, errors in words, the right exit code."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from luodi import cli
from luodi.cli import COMMANDS
from luodi.contracts import LuodiError
from tests.forked import LUODI


def seconds(command: list[str]) -> float:
    """Processor seconds of a whole process: what else the machine does is left out."""
    before = os.times()
    subprocess.run(command, check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before[2] - before[3]


@pytest.mark.alone
def test_help_takes_under_eight_times_an_empty_python():
    nothing, answer = [sys.executable, "-c", "pass"], [str(LUODI), "--help"]
    pairs = [(sum(seconds(nothing) for _ in range(5)) / 5, seconds(answer)) for _ in range(9)]
    assert statistics.median(answer / nothing for nothing, answer in pairs) < 8


HEAVY = ("torch", "transformers", "numpy", "polars", "sklearn", "pydantic", "typer", "rich")


@pytest.mark.parametrize("code", ["import luodi", "import luodi.cli; luodi.cli.help_text()"])
def test_help_and_import_load_nothing_heavy(code):
    script = f"import sys; {code}; sys.exit(str([m for m in {HEAVY!r} if m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_its_options(luodi, name):
    done = luodi(name, "--help")
    assert done.returncode == 0, done.stderr
    assert "--json" in done.stdout


def test_every_command_has_its_file():
    folder = Path(cli.__file__).parent
    files = {path.stem for path in folder.glob("*.py")}
    files |= {path.parent.name for path in folder.glob("*/__init__.py")}
    assert set(COMMANDS) <= files


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "Usage"),
        (("--help",), 0, "Usage"),
        (("--version",), 0, "luodi"),
        (("rnu",), 2, "Did you mean run?"),
        (("run", "--no-such-option"), 2, "--no-such-option"),
        (("run", "nowhere"), 2, "luodi new"),
        (("new", "x", "--solution", "reviewz"), 2, "Did you mean reviews?"),
        (("predict", "nothing", "nowhere.csv"), 1, "No model"),
        (("verify", "nowhere"), 1, "No model"),
        (("report",), 2, "luodi run"),
    ],
)
def test_exit_codes_and_words(luodi, tmp_path, arguments, code, words):
    done = luodi(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("rnu",), ("run", "nowhere"), ("verify", "nowhere")])
def test_json_errors_are_one_document(luodi, tmp_path, arguments):
    done = luodi(*arguments, "--json", cwd=tmp_path)
    error = json.loads(done.stdout)["error"]
    assert error["message"]
    assert error["exit_code"] == done.returncode


def test_chinese(luodi, tmp_path):
    assert "用法" in luodi("--help", LUODI_LANGUAGE="zh").stdout
    assert "没有名为" in luodi("rnu", cwd=tmp_path, LUODI_LANGUAGE="zh").stderr


def test_an_unforeseen_error_is_told_in_words_and_kept_in_a_file():
    def broken(json_output: bool = False) -> None:
        raise ZeroDivisionError("planted")

    with pytest.raises(LuodiError, match=r"planted.*luodi-crash") as caught:
        cli._call("doctor", broken, [])
    assert caught.value.exit_code == 1
