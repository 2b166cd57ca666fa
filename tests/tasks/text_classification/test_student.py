"""A smaller encoder learns what another model says, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from luodi.contracts import Answer, BaseModelError, Dataset, Quiet, TrainingError
from luodi.tasks.text_classification import task
from luodi.tasks.text_classification.transformer import TransformerLearner
from luodi.tasks.text_classification.transformer_predictor import TransformerPredictor
from luodi.training.encoder import keep_layers, load_encoder
from tests.tasks.text_classification.test_transformer import TRAIN, VALID, _settings
from tests.tiny_base import make_tiny_base

pytestmark = pytest.mark.usefixtures("own_cache")
TRUTH = [label == "yes" for label in TRAIN.table["label"]]


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_tiny_base(tmp_path_factory.mktemp("deep") / "base", layers=6))


def said(truth: Sequence[bool], sure: float = 0.9) -> list[Answer]:
    """A teacher that is so sure of what it says."""
    chances = [sure if yes else 1 - sure for yes in truth]
    return [
        {"label": "yes" if p > 0.5 else "no", "probabilities": {"no": 1 - p, "yes": p}}
        for p in chances
    ]


def taught(
    base: str, folder: Path, answers: list[Answer], layers: int | None, valid: Dataset = VALID
) -> TransformerPredictor:
    folder.mkdir(exist_ok=True)
    settings = _settings(base, folder)
    settings.folder.mkdir()
    fitted = TransformerLearner().distil(TRAIN, valid, settings, Quiet(), answers, layers)
    fitted.export(folder / "export")
    return TransformerPredictor.load(folder / "export", 1)


def says_yes(predictor: TransformerPredictor) -> list[bool]:
    answers = predictor.predict(task.requests(VALID, task.schema(TRAIN)))
    return [answer["label"] == "yes" for answer in answers]


def test_a_student_says_what_its_teacher_says_and_not_what_the_labels_say(deep, tmp_path):
    truth = [label == "yes" for label in VALID.table["label"]]
    assert says_yes(taught(deep, tmp_path / "right", said(TRUTH), 3)) == truth
    # A teacher that says the opposite of every label, judged by rows that agree with it.
    turned = pl.col("label").replace({"yes": "no", "no": "yes"})
    valid = replace(VALID, table=VALID.table.with_columns(turned))
    wrong = taught(deep, tmp_path / "wrong", said([not yes for yes in TRUTH]), 3, valid)
    assert says_yes(wrong) == [not yes for yes in truth]


def test_it_learns_how_sure_the_teacher_is(deep, tmp_path):
    """Not the likelier label alone: a teacher that is hardly sure makes a student that is not."""

    def sure(folder: str, by: float) -> float:
        place = tmp_path / folder
        place.mkdir()
        settings = _settings(deep, place)
        settings.folder.mkdir()
        fitted = TransformerLearner().distil(TRAIN, VALID, settings, Quiet(), said(TRUTH, by), 2)
        with torch.inference_mode():
            ids = torch.tensor(np.stack([fitted.samples[0]]).astype(np.int64))
            scores = fitted.model(ids)[0] / fitted.settled.sharpness  # as it was taught
        return float(torch.softmax(scores, 0).max())

    assert sure("hardly", 0.6) < 0.75
    assert sure("very", 0.97) > 0.85


@pytest.mark.parametrize(("wanted", "layers"), [(None, 3), (1, 1), (5, 5)])
def test_its_layers_are_counted_and_told(deep, tmp_path, wanted, layers):
    settings = _settings(deep, tmp_path, options={"epochs": 1})
    settings.folder.mkdir()
    fitted = TransformerLearner().distil(TRAIN, VALID, settings, Quiet(), said(TRUTH), wanted)
    fitted.export(tmp_path / "export")
    assert json.loads((tmp_path / "export" / "transformer.json").read_text())["layers"] == layers
    (told,) = (each for each in fitted.findings if each.code == "student")
    assert told.count == layers
    import onnx

    graph = onnx.load(tmp_path / "export" / "model.onnx").graph
    # One product of scores and values a layer, as `eager` attention writes it.
    assert sum(node.op_type == "Softmax" for node in graph.node) == layers


def test_more_layers_than_there_are_is_told(deep, tmp_path):
    with pytest.raises(TrainingError, match=r"The base has 6 layers.*fewer than 6"):
        taught(deep, tmp_path, said(TRUTH), 6)


def test_the_layers_that_stay_are_spread_over_all(deep):
    for count, kept in ((1, [0]), (2, [0, 5]), (3, [0, 2, 5]), (5, [0, 1, 2, 4, 5])):
        encoder = load_encoder(Path(deep))
        before = list(encoder.encoder.layer)
        keep_layers(encoder, count)
        assert [before.index(layer) for layer in encoder.encoder.layer] == kept
        assert encoder.config.num_hidden_layers == count


def test_layers_that_cannot_be_told_apart_are_told():
    from transformers import AlbertConfig, AlbertModel

    shared = AlbertModel(
        AlbertConfig(
            vocab_size=50, hidden_size=16, num_hidden_layers=4, num_attention_heads=2,
            intermediate_size=16, embedding_size=8, num_hidden_groups=1,
        )
    )  # fmt: skip
    with pytest.raises(BaseModelError, match=r"cannot be told apart.*model\.distil"):
        keep_layers(shared, 2)
