"""Every command that the READMEs show is run, and prints what they show."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.forked import LUODI

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)


def sessions(text: str) -> list[tuple[str, list[str]]]:
    """Each command of the console blocks, in order, with the lines shown below it."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif line.strip() and line.strip() != "...":
                found[-1][1].append(line)
    return found


def alike(line: str) -> str:
    """A line without what differs from run to run: numbers, digests, paths, spaces."""
    line = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line)
    line = re.sub(r"(/[^\s/]+)+/", "/", line)
    line = re.sub(r"\b\d{8}-\d{6}-[0-9a-f]{6}\b|\b[0-9a-f]{12,64}\b", "#", line)
    line = re.sub(r"\d+ min \d+ s|\d+(\.\d+)? s", "# s", line)
    return re.sub(r"\s+", " ", re.sub(r"\d+([.,]\d+)*", "#", line)).strip()


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """One for both: what was done in one language is done, and only told again in the other."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize(("name", "language"), [("README.md", "en"), ("README.zh-CN.md", "zh")])
def test_the_readme_is_true(name, language, home, tmp_path):
    commands = sessions((ROOT / name).read_text("utf-8"))
    assert len(commands) >= 5, "the README shows no commands"
    folder = tmp_path
    for command, shown in commands:
        words = shlex.split(command)
        if words[0] == "cd":
            folder = folder / words[1]
            continue
        assert words[0] == "luodi", command
        done = subprocess.run(
            [LUODI, *words[1:]], cwd=folder, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=os.environ | {"LUODI_LANGUAGE": language, "LUODI_HOME": str(home)},
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        printed = {alike(line) for line in done.stdout.splitlines()}
        missing = [line for line in shown if alike(line) not in printed]
        assert not missing, f"{command}\nnot printed: {missing}\nprinted:\n{done.stdout}"


def test_both_readmes_show_the_same_commands():
    english, chinese = (
        [command for command, _ in sessions((ROOT / name).read_text("utf-8"))]
        for name in ("README.md", "README.zh-CN.md")
    )
    assert english == chinese


def test_length():
    for name in ("README.md", "README.zh-CN.md"):
        assert len((ROOT / name).read_text("utf-8").splitlines()) <= 150


def test_a_line_that_is_not_printed_is_seen():
    assert alike("Passed. 2 of 2") == alike("Passed. 3 of 3")
    assert alike("Passed. 2 of 2") != alike("Refused. 2 of 2")
