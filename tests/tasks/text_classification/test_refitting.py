"""A chosen model of texts is learnt once more from both parts, by what its first fit settled."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from luodi.contracts import Quiet, Refitting
from luodi.tasks.parts import together
from luodi.tasks.text_classification import task
from tests.tasks.text_classification.test_transformer import TRAIN, VALID, _settings

pytestmark = pytest.mark.usefixtures("own_cache")
LEARNERS = ("linear", "transformer", "ensemble")


@pytest.fixture(scope="module")
def chosen(base: str, own_cache: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What each learner's fit exported, a folder each."""
    folder = tmp_path_factory.mktemp("chosen")
    for name in LEARNERS:
        settings = replace(_settings(base, folder), folder=folder / f"{name}-scratch")
        settings.folder.mkdir()
        task.learners[name].fit(TRAIN, VALID, settings, Quiet()).export(folder / name)
    return folder


def _refit(name: str, chosen: Path, base: str, folder: Path, **more: object) -> Path:
    learner = task.learners[name]
    assert isinstance(learner, Refitting)
    settings = _settings(base, folder, **more)
    settings.folder.mkdir(parents=True)
    assert learner.refits(TRAIN, VALID, settings)
    fitted = learner.refit(TRAIN, VALID, settings, Quiet(), chosen / name)
    assert not fitted.history
    fitted.export(folder / "export")
    return folder / "export"


def _chance(name: str, exported: Path) -> np.ndarray:
    requests = task.requests(VALID, task.schema(TRAIN))
    answers = task.learners[name].predictor.load(exported, 1).predict(requests)
    return np.array([list(answer["probabilities"].values()) for answer in answers])


@pytest.mark.parametrize("name", LEARNERS)
def test_both_parts_are_learnt_from_and_the_same_rows_give_the_same_model(
    name: str, chosen: Path, base: str, tmp_path: Path
) -> None:
    first, second = (_refit(name, chosen, base, tmp_path / str(n)) for n in range(2))
    answers = _chance(name, first)
    assert np.array_equal(answers, _chance(name, second))
    assert np.abs(answers - _chance(name, chosen / name)).max() > 1e-4
    truth = np.array([label == "yes" for label in VALID.table["label"]], dtype=np.int64)
    held = _chance(name, chosen / name)[np.arange(len(truth)), truth]
    assert answers[np.arange(len(truth)), truth].mean() > held.mean()  # it has seen them now


def test_what_the_first_fit_settled_is_kept(chosen: Path, base: str, tmp_path: Path) -> None:
    def head(folder: Path, name: str) -> dict:
        return json.loads((folder / f"{name}.json").read_text())

    whole = _refit("ensemble", chosen, base, tmp_path)
    assert head(whole, "ensemble") == head(chosen / "ensemble", "ensemble")
    before = head(chosen / "ensemble" / "transformer", "transformer")
    assert head(whole / "transformer", "transformer")["settled"] == before["settled"]
    assert 1 <= before["settled"]["passes"] <= 4
    assert before["settled"]["sharpness"] > 0
    strength = head(chosen / "ensemble" / "linear", "linear")["strength"]
    assert head(whole / "linear", "linear")["strength"] == strength > 0


def test_the_linear_weights_are_those_of_all_rows(chosen: Path, base: str, tmp_path: Path) -> None:
    again = _refit("linear", chosen, base, tmp_path)
    strength = json.loads((again / "linear.json").read_text())["strength"]
    settings = _settings(base, tmp_path / "whole", options={"strengths": [strength]})
    whole = task.learners["linear"].fit(together(TRAIN, VALID), VALID, settings, Quiet())
    whole.export(tmp_path / "whole" / "export")
    assert np.array_equal(
        np.load(again / "weights.npy"), np.load(tmp_path / "whole/export/weights.npy")
    )


def test_as_many_passes_as_did_best_are_made(chosen: Path, base: str, tmp_path: Path) -> None:
    """Of a fit that did best in its first pass, the second fit makes one."""
    settled = tmp_path / "chosen" / "transformer"
    settled.mkdir(parents=True)
    told = json.loads((chosen / "transformer" / "transformer.json").read_text())
    answers = {}
    for passes in (1, 4):
        told["settled"] = {"passes": passes, "sharpness": 1.0}
        (settled / "transformer.json").write_text(json.dumps(told))
        exported = _refit("transformer", tmp_path / "chosen", base, tmp_path / str(passes))
        answers[passes] = _chance("transformer", exported)
    asked = replace(_settings(base, tmp_path, options={"epochs": 1}), folder=tmp_path / "w")
    none = VALID.take(np.arange(0))
    few = task.learners["transformer"].fit(together(TRAIN, VALID), none, asked, Quiet())
    few.export(tmp_path / "few")
    assert np.allclose(answers[1], _chance("transformer", tmp_path / "few"), atol=1e-5)
    assert np.abs(answers[1] - answers[4]).max() > 0.01
