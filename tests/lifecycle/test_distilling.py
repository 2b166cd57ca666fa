"""The chosen model teaches a smaller one, which is served where it is good enough."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from luodi.contracts import ProjectError, pupil_of
from luodi.lifecycle.distilled import Distilled, Side, distilled_findings, distilled_sections
from luodi.lifecycle.distilling import _refused, distil
from luodi.lifecycle.recipes import Recipe
from luodi.lifecycle.refitting import _taught
from luodi.project.file import make_project
from luodi.project.schema import DistilSettings, ModelSettings
from luodi.tasks.tabular_classification import task as tables
from luodi.tasks.text_classification import task as texts
from tests.tiny_base import make_tiny_base

PROJECT = """\
name: moods
task: text-classification
data:
  source: texts.csv
  columns: {text: text, label: mood}
  clean: {similarity: 1}
model:
  learner: transformer
  base: ./deep
  options: {learning_rate: 0.003, epochs: 4, max_length: 16, batch_tokens: 512, head_rate: 1.0}
gate: {accuracy: ">= 0.7", beats: naive}
serve: {form: float32, runtime: onnxruntime}
"""
SUBJECTS = ["book", "film", "phone", "hotel", "meal", "room", "service", "price"]
MOODS = {"up": ["good", "great", "nice", "happy"], "down": ["bad", "poor", "awful", "sad"]}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("moods")
    make_tiny_base(folder / "deep", layers=6)
    rows = [
        f"the {first} was {word} and the {second} was very {other},{mood}"
        for mood, words in MOODS.items()
        for word in words
        for other in words
        for first in SUBJECTS
        for second in SUBJECTS
        if first != second and word != other
    ]
    (folder / "texts.csv").write_text("\n".join(["text,mood", *rows[::3], ""]))
    (folder / "luodi.yaml").write_text(PROJECT)
    return folder


def ran(luodi, folder: Path, *settings: str) -> tuple[dict, dict]:
    words = [word for setting in settings for word in ("--set", setting)]
    done = luodi("run", "--json", *words, cwd=folder)
    assert done.returncode in (0, 3), done.stderr + done.stdout
    result = json.loads(done.stdout)
    report = json.loads((Path(result["report"]).parent / "report.json").read_text("utf-8"))
    return result, report


def head(result: dict) -> dict:
    return json.loads((Path(result["bundle"]) / "model" / "transformer.json").read_text())


def test_the_student_is_judged_served_and_told(luodi, project):
    teacher, _ = ran(luodi, project)
    assert "distilled" not in teacher
    assert "layers" not in head(teacher)
    result, report = ran(luodi, project, "model.distil=2")
    told = result["distilled"]
    assert told["served"] is True
    assert not told["refused"]
    assert head(result)["layers"] == 2
    assert result["digest"] != teacher["digest"]
    assert result["seconds"]["train-transformer"] == teacher["seconds"]["train-transformer"]
    assert told["student"]["bytes"] < told["teacher"]["bytes"]
    assert told["student"]["rows_a_second"] > told["teacher"]["rows_a_second"]
    assert told["student"]["gate"]["passed"]
    assert result["metrics"]["accuracy"]["low"] > 0.7  # of the test part, by the student itself
    codes = {finding["code"] for finding in report["findings"]}
    assert {"distilled", "student"} <= codes
    (table,) = (each for each in report["sections"] if "taught by" in each["title"])
    assert [row[0] for row in table["rows"]] == ["teacher (transformer)", "student (transformer)"]
    assert [row[-1] for row in table["rows"]] == ["no", "yes"]
    manifest = json.loads((Path(result["bundle"]) / "manifest.json").read_text())
    assert "taught_by" in json.dumps(manifest)
    assert luodi("verify", result["bundle"], cwd=project).returncode == 0
    again, _ = ran(luodi, project, "model.distil={layers: 2}")
    assert again["digest"] == result["digest"]  # the same work, and none of it done again


def test_an_ensemble_teaches_its_encoder(luodi, project):
    result, report = ran(luodi, project, "model.learner=ensemble", "model.distil=true")
    assert result["distilled"]["served"], result["distilled"]["refused"]
    assert result["distilled"]["teacher"]["learner"] == "ensemble"
    assert result["learner"] == "transformer"
    assert head(result)["layers"] == 3
    assert [each["learner"] for each in report["candidates"] if each["chosen"]] == ["ensemble"]


def test_one_of_as_many_layers_is_left_out_and_nothing_is_lost(luodi, project):
    result, report = ran(luodi, project, "model.distil=6", "model.refit=true")
    assert result["distilled"]["served"] is False
    assert "6 layers" in result["distilled"]["refused"]
    (told,) = (each for each in report["findings"] if each["code"] == "distil-left-out")
    assert "model.distil" in told["remedy"]
    assert "refit-transformer" in result["seconds"]  # the teacher may be learnt once more


def test_check_counts_it_and_refuses_it_of_learners_that_have_no_smaller_form(luodi, project):
    def check(*settings: str) -> tuple[int, dict]:
        words = [word for setting in settings for word in ("--set", setting)]
        done = luodi("check", "--json", *words, cwd=project)
        return done.returncode, json.loads(done.stdout)

    code, plain = check()
    assert (code, plain["estimate"]["distil"]) == (0, 0)
    code, asked = check("model.distil=true")
    assert code == 0
    fit = next(each for each in asked["estimates"] if each["learner"] == "transformer")
    assert asked["estimate"]["distil"] == pytest.approx(1.5 * fit["seconds"], rel=0.5)
    code, wrong = check("model.distil=true", "model.learner=linear")
    assert code == 2
    told = {each["where"]: each for each in wrong["error"]["mistakes"]}
    mistake = told["model.distil"]  # beside options that linear does not know
    assert "transformer" in mistake["expected"]


@pytest.mark.parametrize(
    "value", [0, -1, "half", 2.5, {"layers": 2.5}, {"cost": 2}, [2], {"size": 1}]
)
def test_what_is_no_size_is_told(tmp_path, value):
    columns = {"text": "text", "label": "mood"}
    values = {"name": "t", "task": texts.name, "data": {"source": "t.csv", "columns": columns},
              "model": {"distil": value}}  # fmt: skip
    with pytest.raises(ProjectError) as told:
        make_project(values, tmp_path)
    assert all(each.where.startswith("model.distil") for each in told.value.mistakes)


def test_who_can_be_taught():
    assert pupil_of(texts, "transformer") == "transformer"
    assert pupil_of(texts, "ensemble") == "transformer"
    assert not any(pupil_of(tables, name) for name in tables.learners)
    assert pupil_of(texts, "nobody") == ""


@pytest.mark.parametrize(
    ("given", "layers"), [(True, None), (3, 3), ({"layers": 2, "cost": 0}, 2), ({}, None)]
)
def test_how_it_is_asked_for(given, layers):
    settings = ModelSettings(distil=given).distil
    assert settings is not None
    assert settings.layers == layers


def test_it_is_asked_for_or_not_done():
    assert ModelSettings().distil is None
    assert ModelSettings(distil=False).distil is None


def gate(*lines: tuple[str, bool]) -> dict:
    return {"lines": [
        {"metric": metric, "rule": ">= 0.9", "passed": passed, "reason": f"{metric} fails"}
        for metric, passed in lines
    ]}  # fmt: skip


def side(score: float, lines: dict) -> Side:
    return Side("transformer", 100.0, score, 1, 1, lines)


@pytest.mark.parametrize(
    ("drop", "teacher", "student", "refused"),
    [
        (0.009, gate(), gate(), ""),
        (-0.1, gate(), gate(), ""),
        (0.011, gate(), gate(), "it costs 0.0110 of accuracy, more than 0.01"),
        (0.0, gate(("auc", True)), gate(("auc", False)), "auc fails"),
        (0.0, gate(("auc", False)), gate(("auc", False)), ""),  # neither keeps it: no worse
        (0.0, gate(("auc", True)), gate(("auc", True)), ""),
    ],
)
def test_why_a_student_does_not_take_its_teachers_place(drop, teacher, student, refused):
    run = SimpleNamespace(
        project=SimpleNamespace(model=SimpleNamespace(distil=DistilSettings())),
        task=SimpleNamespace(metrics=[SimpleNamespace(name="accuracy")]),
    )
    found = _refused(run, [side(0.9, teacher), side(0.9 - drop, student)], drop, 1000)
    assert refused in found
    assert bool(found) == bool(refused)


def test_a_budget_that_is_spent_leaves_no_time_for_it():
    recipe = Recipe("transformer", budget=100.0)
    told = []
    run = SimpleNamespace(
        project=SimpleNamespace(model=SimpleNamespace(distil=DistilSettings())),
        task=texts,
        observer=SimpleNamespace(tell=told.append),
    )
    teacher = SimpleNamespace(recipe=recipe, seconds=80.0)
    found = distil(run, None, teacher, [])
    assert found.model is teacher
    assert "budget leaves no time" in found.refused
    assert told == [found.in_words()]


def test_a_student_is_not_learnt_once_more():
    assert _taught(SimpleNamespace(facts={})) == ""
    assert "teacher" in _taught(SimpleNamespace(facts={"taught_by": "ensemble"}))


def test_nothing_is_told_where_nothing_was_asked():
    nothing = Distilled(SimpleNamespace())
    assert not distilled_findings(nothing)
    assert not distilled_sections(nothing)
