"""An encoder and n-grams together: held to the contract, and worth more than either."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from luodi.contracts import BundleError, Combining, Compressible, Member, Quiet, Telling
from luodi.tasks.text_classification import task
from luodi.tasks.text_classification.ensemble import TextEnsemblePredictor
from luodi.testing import Trial, check_task
from tests.tasks.text_classification.test_transformer import TRAIN, VALID, _settings

pytestmark = pytest.mark.usefixtures("own_cache")

LEARNER = task.learners["ensemble"]


@pytest.fixture(scope="module")
def members(base: str, own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> list[Member]:
    made = []
    folder = tmp_path_factory.mktemp("members")
    for name in ("transformer", "linear"):
        settings = _settings(base, folder)
        settings.folder.mkdir(exist_ok=True)
        fitted = task.learners[name].fit(TRAIN, VALID, settings, Quiet())
        fitted.export(folder / name)
        made.append(Member(name, folder / name, fitted.findings, fitted.history))
    return made


def test_the_contract(base: str, tmp_path: Path) -> None:
    options = {"learning_rate": 3e-3, "epochs": 2, "max_length": 32, "batch_tokens": 512}
    check_task(task, TRAIN, tmp_path, ["ensemble"], {"ensemble": Trial(base, options, 60.0)})


def _export(members: list[Member], base: str, folder: Path) -> Path:
    assert isinstance(LEARNER, Combining)
    fitted = LEARNER.combine(members, VALID, _settings(base, folder))
    fitted.export(folder / "export")
    return folder / "export"


def test_models_trained_before_are_combined_as_they_are(
    members: list[Member], base: str, tmp_path: Path
) -> None:
    assert isinstance(LEARNER, Combining)
    fitted = LEARNER.combine(members, VALID, _settings(base, tmp_path))
    assert isinstance(fitted, Telling)
    (table,) = fitted.sections
    losses = [row[2] for row in table.rows]
    assert [row[0] for row in table.rows] == [*LEARNER.members, "together"]
    assert losses[-1] <= min(losses[:-1]) + 0.01
    assert fitted.history == members[0].history
    fitted.export(tmp_path / "export")
    for member in members:  # to the byte
        for file in member.exported.iterdir():
            copied = tmp_path / "export" / member.name / file.name
            assert copied.read_bytes() == file.read_bytes()


def test_what_a_member_says_besides_is_passed_on(
    members: list[Member], base: str, tmp_path: Path
) -> None:
    predictor = TextEnsemblePredictor.load(_export(members, base, tmp_path), 1)
    short, long = predictor.predict([{"text": "good"}, {"text": "good " * 400}])
    assert "truncated" not in short
    assert long["truncated"] is True
    assert predictor.call_cost > 0
    assert predictor.reads == predictor.cost({"text": "good " * 400})
    costs = [cost for cost, _ in predictor.prepare([{"text": "good"}, {"text": "good " * 10}])]
    assert costs[0] < costs[1]
    assert costs[0] == predictor.cost({"text": "good"})


def test_the_encoder_is_compressed_and_the_rest_stays(
    members: list[Member], base: str, tmp_path: Path
) -> None:
    assert isinstance(LEARNER, Compressible)
    exported = _export(members, base, tmp_path)
    form = next(form for form in LEARNER.forms() if form.name == "int8")
    requests = task.requests(TRAIN, task.schema(TRAIN))[:64]
    LEARNER.compress(exported, form, requests, tmp_path / "small")
    before, after = exported / "transformer/model.onnx", tmp_path / "small/transformer/model.onnx"
    assert before.read_bytes() != after.read_bytes()
    for name in ("ensemble.json", "linear/weights.npy"):
        assert (exported / name).read_bytes() == (tmp_path / "small" / name).read_bytes()
    answers = [
        [list(answer["probabilities"].values()) for answer in found.predict(requests)]
        for found in (
            TextEnsemblePredictor.load(exported, 1),
            TextEnsemblePredictor.load(tmp_path / "small", 1),
        )
    ]
    assert 0 < np.abs(np.array(answers[0]) - np.array(answers[1])).max() < 0.15


@pytest.mark.parametrize(
    "head",
    [
        None,
        "[]",
        '{"labels": ["no", "yes"], "members": [{"name": "../linear", "weight": 1}]}',
        '{"labels": ["no", "yes"], "members": [{"name": "naive", "weight": 1}]}',
        '{"labels": ["no", "yes"], "members": [{"name": "linear"}]}',
    ],
)
def test_a_head_that_names_something_else_is_refused(head: str | None, tmp_path: Path) -> None:
    if head is not None:
        (tmp_path / "ensemble.json").write_text(head)
    with pytest.raises(BundleError, match=r"transformer, linear"):
        TextEnsemblePredictor.load(tmp_path, 1)


def test_the_head_holds_nothing_but_names_weights_and_labels(
    members: list[Member], base: str, tmp_path: Path
) -> None:
    head = json.loads((_export(members, base, tmp_path) / "ensemble.json").read_text())
    assert set(head) == {"labels", "members"}
    assert [set(member) for member in head["members"]] == [{"name", "weight"}] * 2
