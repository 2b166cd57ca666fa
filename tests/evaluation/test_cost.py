"""Costs by threshold, by brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from luodi.evaluation import cost
from luodi.evaluation.metrics import by_name

COSTS = np.array([[0.0, 800.0], [5000.0, 0.0]])


@pytest.fixture
def scored(classified):
    found = classified(200)
    weight = np.random.default_rng(1).integers(1, 4, 200).astype(float)
    return replace(found, costs=COSTS, weight=weight)


def _brute(scored, threshold: float) -> float:
    answer = (scored.probability[:, 1] >= threshold).astype(int)
    return float(np.average(COSTS[scored.truth, answer], weights=scored.weight))


def test_the_curve_is_the_cost_at_each_threshold(scored):
    thresholds, found = cost.cost_curve(scored, COSTS)
    assert len(thresholds) == len(np.unique(scored.probability[:, 1])) + 1
    for threshold, value in zip(thresholds, found, strict=True):
        assert value == pytest.approx(_brute(scored, threshold))


def test_expected_cost_is_the_mean(scored):
    metric = by_name("expected_cost")
    assert not metric.higher_is_better
    value = metric.compute(scored, scored.weight[None, :])[0]
    missed = scored.weight[(scored.truth == 1) & (scored.predicted == 0)].sum()
    alarms = scored.weight[(scored.truth == 0) & (scored.predicted == 1)].sum()
    assert value == pytest.approx((5000 * missed + 800 * alarms) / scored.weight.sum())


def test_naive_answers_stand_beside_the_model(scored):
    table = cost.policies(scored, COSTS, 0.95)
    value = {row[0]: row[1]["value"] for row in table.rows}
    share = np.average(scored.truth == 1, weights=scored.weight)
    assert value["always negative"] == pytest.approx(5000 * share)
    assert value["always positive"] == pytest.approx(800 * (1 - share))
    assert value["the model, as served"] < value["always negative"]


def test_the_threshold_in_use_lies_on_the_curve(scored):
    served = replace(scored, predicted=(scored.probability[:, 1] >= 0.14).astype(np.int64))
    (point,) = cost.by_threshold(served, COSTS).series["in use"]
    assert point[1] == pytest.approx(_brute(scored, point[0]))


def test_no_costs_no_sections(classified):
    assert cost.sections(classified(), 0.95) == []


def test_a_model_that_never_names_the_event(scored):
    served = replace(scored, predicted=np.zeros(200, dtype=np.int64))
    assert cost.used_threshold(served) == 1.0
    assert cost.sections(served, 0.95)
