"""A class that only an official table knows is told, with what follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from luodi.lifecycle.check import check_project
from luodi.project.file import load_project
from tests.reviews import make_reviews, write_project
from tests.watcher import Watcher

OFFICIAL = {"test": "mixed", "valid": "godo"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("shop"), rows=120)
    for part, strange in OFFICIAL.items():
        rows = make_reviews(20, seed=len(part))
        rows += [(f"neither here nor there, call 1380013800{n}", strange) for n in range(3)]
        lines = "".join(f'"{text}",{label}\n' for text, label in rows)
        (folder / f"{part}.csv").write_text("review,sentiment\n" + lines)
    return folder


@pytest.mark.parametrize(("part", "strange"), OFFICIAL.items())
def test_it_is_counted_and_shown(folder: Path, part: str, strange: str) -> None:
    project = load_project(folder, [f"data.{part}={part}.csv"])
    findings = {each.code: each for each in check_project(project, Watcher()).clean.findings}
    finding = findings[f"{part}-only-classes"]
    assert (finding.severity, finding.count, *finding.columns) == ("warning", 3, "sentiment")
    assert f"{strange} (3)" in finding.message
    assert [example["label"] for example in finding.examples] == [strange] * 3
    assert "13800138000" not in str(finding.examples), "people are masked"
    assert "counts as a mistake" in finding.handled
    assert ("good" in finding.remedy) == (strange == "godo")


def test_classes_that_can_be_learnt_are_no_finding(folder: Path) -> None:
    rows = "".join(f'"{text}",{label}\n' for text, label in make_reviews(20, seed=9))
    (folder / "known.csv").write_text("review,sentiment\n" + rows)
    project = load_project(folder, ["data.test=test.csv", "data.valid=known.csv"])
    codes = {finding.code for finding in check_project(project, Watcher()).clean.findings}
    assert "test-only-classes" in codes
    assert "valid-only-classes" not in codes
