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
    unit = "in the answer's own unit"
    assert examples.columns[-2:] == [f"SHAP ({unit})", f"LIME ({unit})"]
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
    found = local_weights(lambda r: question.outcomes(r)[:, 0], row, question.requests, 7)
    mean_a = np.mean([r["a"] for r in question.requests])
    share = np.mean([r["b"] == "y" for r in question.requests])
    assert found["a"] == pytest.approx(3 * (2.0 - mean_a), abs=1.0)
    assert found["b"] == pytest.approx(5 * (1 - share), abs=1.0)
    assert abs(found["idle"]) < 0.6


THREE = Schema(
    (Field("a", "number"), Field("b", "number")),
    (
        Field("label", "category", categories=("x", "y", "z")),
        Field("probabilities", "scores", categories=("x", "y", "z")),
    ),
)


class ThreeLabels(Known):
    """Softmax of (0, 2 a, 2 b): what moves y is a, what moves z is b, by raw scores."""

    schema = THREE

    def predict(self, values):
        raw = np.array([[0.0, 2 * v["a"], 2 * v["b"]] for v in values])
        chance = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
        return [
            {"label": "xyz"[row.argmax()], "probabilities": dict(zip("xyz", row, strict=True))}
            for row in chance
        ]

    def explain(self, values, most=5):
        """As log-ratios to the mean of all labels: 2 a (1 - 1/3) for y, - 2 a / 3 for others."""
        found = []
        for answer, v in zip(self.predict(values), values, strict=True):
            moved = [("a", 2 * v["a"] * ((answer["label"] == "y") - 1 / 3)),
                     ("b", 2 * v["b"] * ((answer["label"] == "z") - 1 / 3))]  # fmt: skip
            found.append([Reason(f, v[f], c, "log-ratio", f) for f, c in moved][:most])
        return found


def test_shap_and_lime_are_of_the_label_that_is_answered_in_one_unit():
    rng = np.random.default_rng(0)
    rows = [{"a": float(a), "b": float(b)} for a, b in rng.normal(0, 1.5, (80, 2))]
    found = explain(Question(ThreeLabels(), rows, THREE, lambda answers: 0.0, "auc", 3))
    table = found[-1]
    assert isinstance(table, Table)
    assert table.columns[0] == "answer"
    assert {column.partition(" (")[2] for column in table.columns[-2:]} == {
        "log-ratio to the mean of all labels)"
    }
    surest = table.rows[-2:]
    assert surest[0][0] in ("y", "z")
    assert surest[0][1] > 0.9
    # The weightiest reason of a sure answer has the same sign and near the same size in both.
    for *_, shap, lime in surest:
        if abs(shap) > 1:
            assert lime / shap == pytest.approx(1.0, abs=0.5)
    curve = next(section for section in found if isinstance(section, Lines))
    assert list(curve.series) == [f"probability of {label}" for label in "xyz"]


DATED = Schema((Field("when", "date"), Field("note", "text")), (Field("value", "number"),))


class Dated(Known):
    """The value is the year."""

    schema = DATED

    def predict(self, values):
        return [{"value": float(v["when"][:4])} for v in values]

    def explain(self, values, most=5):
        return [
            [Reason("when", v["when"], float(v["when"][:4]) - 2010, "value", "when"),
             Reason("note", v["note"], 0.1, "value", "note")]
            for v in values
        ]  # fmt: skip


def test_dates_are_followed_and_of_texts_it_is_said_why_not():
    rows = [{"when": f"{2000 + n % 20}-05-0{1 + n % 9}", "note": f"n {n}"} for n in range(60)]
    found = explain(Question(Dated(), rows, DATED, lambda answers: 0.0, "rmse", 3))
    bars = next(s for s in found if isinstance(s, Bars) and s.title.endswith("when"))
    assert list(bars.labels) == sorted(bars.labels)
    assert bars.values == [float(label[:4]) for label in bars.labels]
    assert len(bars.labels) > 10
    text = next(s for s in found if isinstance(s, Table) and s.title.endswith("note"))
    assert "no order" in text.note
