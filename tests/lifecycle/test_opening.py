"""What is wrong with a base is a mistake of the project file, told before anything is fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from luodi.contracts import ProjectError
from luodi.lifecycle import recipes
from luodi.lifecycle.opening import open_project
from luodi.project.catalogue import find_task
from tests.reviews import write_project

TEXT = """\
name: shop-reviews
task: text-classification
data:
  source: reviews.csv
  columns: {text: review, label: sentiment}
model:
  learner: transformer
  base: BASE
  licence: LICENCE
"""


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LUODI_CACHE", str(tmp_path / "cache"))

    def call(base: str, licence: str = "any", *overrides: str):
        text = TEXT.replace("BASE", base).replace("LICENCE", licence)
        return open_project(write_project(tmp_path / "project", text), overrides)

    return call


@pytest.mark.parametrize(
    ("base", "licence", "found", "expected", "near"),
    [
        ("minilm", "any", "No base is named minilm", "a folder, a hub name", "minilm-en"),
        ("./missing", "any", "No base is named ./missing", "a folder, a hub name", ""),
        ("m3e-small", "commercial", "The base m3e-small has the licence research-only",
         "a licence known to allow commercial use", ""),
        ("package:a b", "any", "package:a b names no package", "package:NAME", ""),
        ("empty", "any", "empty holds 0 models", "one folder with config.json", ""),
    ],
)  # fmt: skip
def test_a_wrong_base_is_a_mistake_with_its_line(
    opened, tmp_path, base, licence, found, expected, near
):
    (tmp_path / "project" / "empty").mkdir(parents=True)
    with pytest.raises(ProjectError) as caught:
        opened(base, licence)
    (mistake,) = caught.value.mistakes
    assert (mistake.where, mistake.line, mistake.nearest) == ("model.base", 8, near)
    assert found in mistake.found
    assert mistake.expected.startswith(expected)
    assert not (tmp_path / "cache").exists()
    with pytest.raises(ProjectError, match=r"  --set model\.base: model\.base: "):
        opened("minilm-en", licence, f"model.base={base}")


def test_a_folder_beside_the_project_file_is_a_base_wherever_one_calls_from(opened, tmp_path):
    folder = tmp_path / "project" / "mine"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (folder / "model.safetensors").write_bytes(b"")
    project = opened("mine")
    (recipe,) = recipes.recipes(project, find_task(project.task))
    assert recipe.base == str(folder)
    assert recipe.base_name == "mine"


def test_a_model_to_take_over_is_looked_for_as_well(opened):
    for override, told in (
        ("model.base=nothing.onnx", "nothing.onnx"),
        ("model.base=null", "the model to take over"),
    ):
        with pytest.raises(ProjectError, match=told) as caught:
            opened("minilm-en", "any", "model.learner=given", override)
        assert caught.value.mistakes[0].where == "model.base"


def test_neither_check_nor_run_begins_with_a_wrong_base(luodi, tmp_path):
    text = TEXT.replace("BASE", "minilm").replace("LICENCE", "any")
    folder = write_project(tmp_path / "project", text)
    for command in ("check", "run"):
        done = luodi(command, "--json", cwd=folder)
        assert done.returncode == 2
        (mistake,) = json.loads(done.stdout)["error"]["mistakes"]
        assert mistake["nearest"] == "minilm-en"
        assert not (folder / ".luodi").exists()


def test_names_of_a_table_without_a_header_are_those_that_the_file_gives(tmp_path):
    text = TEXT.replace("BASE", "minilm").replace("LICENCE", "any")
    folder = write_project(
        tmp_path / "project", text.replace("data:\n", "data:\n  header: [review, sentiment]\n")
    )
    rows = (folder / "reviews.csv").read_text("utf-8").splitlines()[1:]
    (folder / "reviews.csv").write_text("\n".join(rows), "utf-8")
    with pytest.raises(ProjectError) as caught:
        open_project(folder)
    assert [mistake.where for mistake in caught.value.mistakes] == ["model.base"]
