"""The threshold: from the costs, unless the validation part speaks against it beyond doubt."""

from __future__ import annotations

import numpy as np
import pytest

from luodi.contracts import QuestionSettings
from luodi.tasks.tabular.calibrating import Judged
from luodi.tasks.tabular.deciding import decide
from luodi.tasks.tabular.decision import ClassDecision, export_decision, load_decision
from luodi.tasks.tabular.labels import cost_matrix
from luodi.tasks.tabular.threshold import choose
from tests.tasks.tabular.test_calibrating import judged

COSTS = {"false_positive": 800.0, "false_negative": 5000.0}


def _choose(chance, truth, weight=None):
    rows = np.arange(len(truth))
    return choose(chance, truth, np.ones(len(truth)) if weight is None else weight, rows,
                  (800.0, 5000.0))  # fmt: skip


def test_probabilities_that_hold_keep_the_threshold_of_the_costs():
    rows = judged(500)
    found = _choose(rows.scores[:, 1], rows.truth)
    assert found.value == found.by_costs == pytest.approx(800 / 5800)


def test_probabilities_that_do_not_hold_get_another():
    rows = judged(3000, 1.0, -3.0)  # every event is stated far too low
    found = _choose(rows.scores[:, 1], rows.truth)
    assert found.value == found.cheapest < 0.05
    assert found.saved > 2 * found.error


def test_the_cheapest_is_the_cheapest():
    rows = judged(80, 2.0)
    weight = np.random.default_rng(0).integers(0, 3, 80).astype(float)
    found = _choose(rows.scores[:, 1], rows.truth, weight)

    def cost(threshold):
        named = rows.scores[:, 1] >= threshold
        each = np.where(rows.truth == 1, ~named * 5000.0, named * 800.0)
        return float(each @ weight)

    assert cost(found.cheapest) == min(cost(t) for t in np.r_[rows.scores[:, 1], 0, 1.1])


def test_costs_that_cost_nothing_are_none():
    labels = ("good", "bad")
    assert cost_matrix(labels, {}) is None
    assert cost_matrix(labels, {"false_positive": 0.0, "false_negative": 0.0}) is None
    matrix = cost_matrix(labels, COSTS)
    assert matrix is not None
    assert matrix.tolist() == [[0, 800.0], [5000.0, 0]]


def test_a_cost_of_one_side_alone():
    rows = judged(200)
    assert decide(rows, ("good", "bad"), QuestionSettings(costs={"false_negative": 1.0}))\
        .decision.threshold == 0.0  # fmt: skip
    decision = decide(
        rows, ("good", "bad"), QuestionSettings(costs={"false_positive": 1.0})
    ).decision
    assert {a["label"] for a in decision.answers(rows.scores, rows.scores)} == {"good"}


def test_a_decision_travels_whole(tmp_path):
    rows = judged(500, 3.0)
    decided = decide(rows, ("good", "坏"), QuestionSettings(costs=COSTS))
    assert decided.decision.calibrator.kind != "none"
    assert {f.code for f in decided.findings} == {"calibration", "threshold"}
    assert [s.kind for s in decided.sections] == ["lines", "table"]
    export_decision(decided.decision, tmp_path)
    assert load_decision(tmp_path) == decided.decision
    for answer in decided.decision.answers(rows.scores, rows.scores):
        named = answer["probabilities"]["坏"] >= decided.decision.threshold
        assert answer["label"] == ("坏" if named else "good")


def test_no_validation_rows_change_nothing_and_costs_still_count():
    none = Judged(np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    found = decide(none, ("a", "b"), QuestionSettings(costs=COSTS, calibration="platt"))
    assert found.decision == ClassDecision(("a", "b"), 800 / 5800)
    assert {f.code for f in found.findings} == {"calibration-left-out", "threshold"}


def test_three_labels_are_calibrated_and_have_no_threshold():
    found = decide(judged(600, 3.0, k=3), ("a", "b", "c"), QuestionSettings(costs=COSTS))
    assert found.decision.threshold is None
    assert found.decision.calibrator.kind != "none"


def test_of_several_labels_the_least_expected_cost_is_answered(tmp_path):
    rows, labels = judged(400, k=3), ("a", "b", "c")
    costs = {"a": 1.0, "b": {"a": 1.0, "c": 2.0}, "c": 50.0}
    decided = decide(rows, labels, QuestionSettings(costs=costs))
    assert "answers-by-cost" in {finding.code for finding in decided.findings}
    export_decision(decided.decision, tmp_path)
    decision = load_decision(tmp_path)
    assert decision == decided.decision
    table = np.array([[0, 1, 1], [1, 0, 2], [50, 50, 0]], float)
    named = [labels.index(a["label"]) for a in decision.answers(rows.scores, rows.scores)]
    plain = decide(rows, labels, QuestionSettings()).decision
    likeliest = [labels.index(a["label"]) for a in plain.answers(rows.scores, rows.scores)]
    assert table[rows.truth, named].mean() < 0.5 * table[rows.truth, likeliest].mean()
