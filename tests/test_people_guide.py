"""The guide to people and made rows: every block is a right part of a project file."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from luodi.contracts import PersonalKind
from luodi.project.file import load_project
from tests.data.test_pictures import saved, scene

GUIDE = (Path(__file__).parents[1] / "docs/guide/people-and-made-rows.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_is_read(block: str, tmp_path: Path) -> None:
    inside = "".join(f"  {line}\n" for line in block.splitlines())
    path = tmp_path / "luodi.yaml"
    path.write_text(
        "name: x\ntask: text-classification\n"
        f"data:\n  source: x.csv\n  columns: {{text: a, label: b}}\n{inside}",
        "utf-8",
    )
    load_project(path)
    path.write_text(path.read_text("utf-8").replace("{", "{odd: 1, ", 2), "utf-8")
    with pytest.raises(Exception, match="odd"):
        load_project(path)


def test_every_kind_is_named() -> None:
    assert len(BLOCKS) == 8
    for kind in get_args(PersonalKind):
        assert f"`{kind}`" in GUIDE


def test_the_pictures_are_made(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    for number in range(20):
        saved(tmp_path / f"shots/{'ab'[number % 2]}/{number}.png", scene(number))
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "12 pictures, 24 made\n"
    assert len((tmp_path / "made.csv").read_text("utf-8").splitlines()) == 25
    assert len(list((tmp_path / "made").iterdir())) == 24
