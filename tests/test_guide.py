"""The guides are carried out as they stand: their files written, their commands run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.forked import LUODI

GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "write-a-task.md"
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)^```", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^\$ (luodi .*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A folder with the guide's files, and the package as pip leaves it on the path."""
    folder = tmp_path_factory.mktemp("guide")
    for name, text in FILE.findall(GUIDE.read_text("utf-8")):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(400)]
    lines = [f"{day},{100 + 40 * (day.weekday() > 4) + n % 11}" for n, day in enumerate(days)]
    (folder / "days.csv").write_text("day,came\n" + "\n".join(lines) + "\n")
    site = folder / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
         "--disable-pip-version-check", "--target", str(site), str(folder)],
        check=True,
    )  # fmt: skip
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    return folder, {**os.environ, "PYTHONPATH": path, "LUODI_LANGUAGE": "en"}


def test_the_task_is_short():
    files = dict(FILE.findall(GUIDE.read_text("utf-8")))
    assert len(files["src/visitors/__init__.py"].splitlines()) < 120


def test_it_keeps_the_contract(followed):
    folder, environment = followed
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_visitors.py"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_every_command_of_it_runs(followed):
    folder, environment = followed
    commands = COMMAND.findall(GUIDE.read_text("utf-8"))
    assert [command.split()[1] for command in commands] == ["check", "run", "predict", "serve"]
    for command in commands[:-1]:  # the service is asked in other tests
        done = subprocess.run(
            [LUODI, *command.split()[1:]], cwd=folder, env=environment,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    answers = (folder / "answers.csv").read_text().splitlines()
    assert len(answers) == 401
    assert answers[0].split(",")[-1] == "value"


TABLES = GUIDE.with_name("tables.md")


def test_the_guide_to_tables_is_true(luodi, tmp_path):
    folder = tmp_path
    commands = re.findall(r"^\$ (.*)$", TABLES.read_text("utf-8"), re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        words = command.split()
        if words[0] == "cd":
            folder = folder / words[1]
            continue
        done = luodi(*words[1:], cwd=folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    answers = (folder / "answers.jsonl").read_text().splitlines()
    assert len(answers) == 569
    assert "speaks" in answers[0]


def test_the_project_file_of_the_guide_is_one(tmp_path):
    from luodi.project.file import load_project

    (text,) = re.findall(r"^```yaml\n(.*?)^```", TABLES.read_text("utf-8"), re.S | re.M)
    (tmp_path / "luodi.yaml").write_text(text)
    question = load_project(tmp_path).question
    assert question.costs == {"false_negative": 5000, "false_positive": 800}
    assert question.leaks == ("score_of_bureau",)
