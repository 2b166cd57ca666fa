"""Explanations of a bundle whose inside is known: two fields carry it, a third is idle."""

from __future__ import annotations

import numpy as np
import pytest

from luodi.contracts import Bars, Field, Lines, Reason, Schema, Table
from luodi.evaluation.explanations import Question, explain
from luodi.evaluation.local import local_weights

SCHEMA = Schema(
    (Field("a", "number"), Field("b", "category", categories=("x", "y")), Field("idle", "number")),
    (Field("value", "number"),),
)


class Known:
    """value = 3 a + 5 [b = y]."""

    schema = SCHEMA
    explains = True
    by_field = False

    def read(self, values):
        return list(values)

    def answer(self, requests):
        return self.predict(requests)

    def predict(self, values):
        return [{"value": 3 * v["a"] + 5 * (v["b"] == "y")} for v in values]

    def explain(self, values, most=5):
        return [
            [Reason("a", v["a"], 3 * v["a"], "value", "a"),
             Reason("b", v["b"], 5.0 * (v["b"] == "y"), "value", "b")][:most]
            for v in values
        ]  # fmt: skip


@pytest.fixture
def question():
    rng = np.random.default_rng(0)
    rows = [
        {"a": float(a), "b": str(b), "idle": float(i)}
        for a, b, i in zip(rng.normal(0, 1, 80), rng.choice(["x", "y"], 80),
                           rng.normal(0, 1, 80), strict=True)
    ]  # fmt: skip
    truth = np.array([answer["value"] for answer in Known().predict(rows)])

    def goodness(answers):
        return -float(np.mean((np.array([a["value"] for a in answers]) - truth) ** 2))

    return Question(Known(), rows, SCHEMA, goodness, "mse", 3)


def test_sections(question):
    found = explain(question)
    weights, shuffled, *followed, examples = found
    assert isinstance(weights, Bars)
    assert list(weights.labels) == ["a", "b", "idle"] or list(weights.labels) == ["b", "a", "idle"]
    assert weights.values[-1] == 0
    lost = dict(zip(shuffled.labels, shuffled.values, strict=True))
    assert lost["idle"] == 0
    assert lost["a"] > 1
    assert lost["b"] > 1
    assert isinstance(examples, Table)
    curve = next(s for s in followed if isinstance(s, Lines) and s.x_label == "a")
    (x0, y0), *_, (x1, y1) = curve.series["mean"]
    assert (y1 - y0) / (x1 - x0) == pytest.approx(3.0)
    bars = next(s for s in followed if isinstance(s, Bars))
    means = dict(zip(bars.labels, bars.values, strict=True))
    assert means["y"] - means["x"] == pytest.approx(5.0)


def test_a_mute_bundle_still_shows_what_can_be_asked(question):
    class Mute(Known):
        explains = False

    mute = Question(Mute(), question.requests, SCHEMA, question.goodness, "mse", 3)
    found = explain(mute)
    assert all(not isinstance(section, Table) for section in found)
    assert len(found) > 1


def test_rows_that_are_read_field_by_field_are_read_once_and_answered_alike(question):
    class Reading(Known):
        by_field = True
        reads = 0

        def read(self, values):
            self.reads += 1
            return super().read(values)

    bundle = Reading()
    found = explain(Question(bundle, question.requests, SCHEMA, question.goodness, "mse", 3))
    assert found == explain(question)
    assert bundle.reads == 1


def test_lime_finds_the_weights_of_a_sum(question):
    row = {"a": 2.0, "b": "y", "idle": 4.0}
    found = local_weights(question.outcomes, row, question.requests, False, 7)
    mean_a = np.mean([r["a"] for r in question.requests])
    share = np.mean([r["b"] == "y" for r in question.requests])
    assert found["a"] == pytest.approx(3 * (2.0 - mean_a), abs=1.0)
    assert found["b"] == pytest.approx(5 * (1 - share), abs=1.0)
    assert abs(found["idle"]) < 0.6
