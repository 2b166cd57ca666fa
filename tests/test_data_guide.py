"""The guide to sources: every block of YAML is a right one, every command prints what it shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from luodi.project.schema import DataSettings
from luodi.project.sources import KINDS, AnySource, members, typed
from tests.reviews import write_project, write_reviews
from tests.test_readme import alike, sessions

GUIDE = (Path(__file__).parents[1] / "docs/guide/data.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS)
def test_each_source_is_a_right_one(block: str) -> None:
    assert str(typed(source_of(block)))


def source_of(block: str) -> AnySource:
    written = yaml.safe_load(block) | {"columns": {"text": "a"}}
    return DataSettings.model_validate(written).source


def test_every_kind_is_told() -> None:
    told = {kind.kind for block in BLOCKS for kind in members(source_of(block))}
    assert told == set(KINDS)


def test_the_commands(luodi, tmp_path: Path) -> None:
    folder = write_project(tmp_path, rows=200)
    (folder / ".luodi").mkdir()
    newer = write_reviews(folder / "newer.csv", rows=150, seed=3)
    lines = newer.read_text("utf-8").splitlines()
    newer.write_text("\n".join([lines[0] + ",stars", *(line + ",3" for line in lines[1:])]))
    commands = sessions(GUIDE)
    assert len(commands) == 2
    for command, shown in [("luodi run -q", []), *commands]:
        done = luodi(*shlex.split(command)[1:], cwd=folder)
        assert done.returncode == 0, done.stderr
        printed = {alike(line) for line in done.stdout.splitlines()}
        assert {alike(line) for line in shown} <= printed, done.stdout
