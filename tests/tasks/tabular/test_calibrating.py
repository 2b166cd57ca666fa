"""Calibration: strictly rising, right where it can be known, and left alone where it must be."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from luodi.tasks.classes import softmax
from luodi.tasks.tabular.calibrating import METHODS, Judged, _pooled, calibrate, enough
from luodi.tasks.tabular.calibrators import calibrator_from_json, calibrator_to_json


def judged(rows: int, power: float = 1.0, shift: float = 0.0, seed: int = 0, k: int = 2) -> Judged:
    """Scores whose log-odds are `power` times too large, and shifted, for the truths drawn."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.5, (rows, k))
    logits[:, 0] = 0
    truth = np.array([generator.choice(k, p=p) for p in softmax(logits)])
    wrong = power * logits
    wrong[:, 1:] += shift
    return Judged(softmax(wrong), truth, np.ones(rows), np.arange(rows))


@pytest.mark.parametrize("name", list(METHODS))
@pytest.mark.parametrize("rows", [25, 400])
def test_a_higher_score_is_a_higher_probability(name, rows):
    calibrator = METHODS[name](judged(rows, 3.0))
    event = np.r_[0.0, 1e-9, np.linspace(0.001, 0.999, 500), 1 - 1e-9, 1.0]
    found = calibrator.apply(np.column_stack([1 - event, event]))
    # Scores within 1e-12 of 0 and 1 are clipped: only there may two come out alike.
    assert (np.diff(found[1:-1, 1]) > 0).all()
    assert (np.diff(found[:, 1]) >= 0).all()
    assert found.sum(axis=1) == pytest.approx(1)
    if name != "none":
        assert ((found[1:-1] > 0) & (found[1:-1] < 1)).all()


@pytest.mark.parametrize("name", ["temperature", "platt", "isotonic"])
def test_too_sure_scores_are_drawn_in(name):
    rows, fresh = judged(2000, 3.0), judged(4000, 3.0, seed=1)
    found = METHODS[name](rows).apply(fresh.scores)[:, 1]
    wanted = judged(4000, 1.0, seed=1).scores[:, 1]
    assert np.abs(found - wanted).mean() < 0.03
    assert np.abs(fresh.scores[:, 1] - wanted).mean() > 0.1


def test_platt_mends_a_shift_that_a_temperature_cannot():
    rows = judged(2000, 1.0, 2.0)
    wanted = judged(2000).scores[:, 1]
    assert np.abs(METHODS["platt"](rows).apply(rows.scores)[:, 1] - wanted).mean() < 0.02
    assert np.abs(METHODS["temperature"](rows).apply(rows.scores)[:, 1] - wanted).mean() > 0.1


def test_temperature_is_what_it_was():
    assert METHODS["temperature"](judged(5000, 2.0)).scale[0] == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("name", list(METHODS))
def test_more_than_two_labels(name):
    rows, fresh = judged(3000, 3.0, k=4), judged(3000, 3.0, seed=1, k=4)
    found = METHODS[name](rows).apply(fresh.scores)
    assert found.sum(axis=1) == pytest.approx(1)
    loss = -np.log(found[np.arange(3000), fresh.truth]).mean()
    before = -np.log(fresh.scores[np.arange(3000), fresh.truth]).mean()
    assert loss <= before if name == "none" else loss < before - 0.1


def test_auto_mends_what_is_wrong_and_leaves_what_is_right():
    _, tried, name = calibrate(judged(1000, 3.0), "auto")
    assert name != "none"
    assert [one.name for one in tried] == list(METHODS)
    kept = [calibrate(judged(300, seed=seed), "auto")[2] for seed in range(10)]
    assert kept.count("none") >= 7


def test_an_asked_way_is_taken():
    calibrator, tried, name = calibrate(judged(300), "isotonic")
    assert name == "isotonic"
    assert calibrator.kind == "isotonic"
    assert [one.name for one in tried] == ["none", "isotonic"]
    assert calibrate(judged(300), "none")[1:] == ([], "none")


def test_rows_of_one_cluster_stay_together():
    rows = judged(80, 3.0)
    copies = Judged(*(np.repeat(part, 20, axis=0) for part in (
        rows.scores, rows.truth, rows.weight, rows.cluster)))  # fmt: skip
    apart = replace(copies, cluster=np.arange(1600))
    together = {one.name: one for one in calibrate(copies, "isotonic")[1]}
    scattered = {one.name: one for one in calibrate(apart, "isotonic")[1]}
    # Copies on both sides of a fold would make the learner of steps look better than it is.
    assert together["isotonic"].log_loss > scattered["isotonic"].log_loss + 0.01
    assert together["isotonic"].error > 2 * scattered["isotonic"].error


def test_few_rows_try_a_temperature_alone():
    tried = calibrate(judged(50, 3.0), "auto")[1]
    assert [one.name for one in tried] == ["none", "temperature"]
    assert calibrate(judged(50, 3.0), "platt")[2] == "platt"


def test_too_few_rows_or_scores_alike_change_nothing():
    rows = judged(12)
    assert not enough(rows)
    assert calibrate(rows, "auto")[2] == "none"
    alike = replace(judged(200), scores=np.full((200, 2), 0.5))
    assert calibrate(alike, "isotonic")[0].kind == "none"
    none = Judged(np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))
    assert calibrate(none, "auto")[2] == "none"


def test_rows_of_no_weight_say_nothing():
    rows = judged(300, 3.0)
    spoilt = Judged(
        np.r_[rows.scores, judged(300, -3.0, seed=5).scores], np.r_[rows.truth, rows.truth],
        np.r_[rows.weight, np.zeros(300)], np.arange(600),
    )  # fmt: skip
    event = np.linspace(0.01, 0.99, 50)
    grid = np.column_stack([1 - event, event])
    for name in ("temperature", "isotonic"):
        one, other = METHODS[name](rows).apply(grid), METHODS[name](spoilt).apply(grid)
        assert one == pytest.approx(other, abs=0.02)


@pytest.mark.parametrize("name", list(METHODS))
def test_through_json_and_back(name):
    calibrator = METHODS[name](judged(200, 3.0))
    text = json.dumps(calibrator_to_json(calibrator), allow_nan=False)
    assert calibrator_from_json(json.loads(text)) == calibrator


def test_scores_that_are_all_right_stay_below_one():
    scores = np.array([[0.9, 0.1]] * 20 + [[0.1, 0.9]] * 20)
    rows = Judged(scores, np.repeat([0, 1], 20), np.ones(40), np.arange(40))
    for name in ("platt", "isotonic"):
        found = METHODS[name](rows).apply(scores)
        assert 0.9 < found[-1, 1] < 1


@pytest.mark.parametrize("seed", range(20))
def test_groups_are_those_of_the_library(seed):
    from scipy.optimize import isotonic_regression

    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 200))
    share = np.round(rng.random(n), int(rng.integers(1, 6)))  # with ties
    weight = rng.random(n) + 0.1
    theirs = isotonic_regression(share, weights=weight)
    ours = _pooled(share, weight)
    assert np.allclose(_means(share, weight, ours), theirs.x)


def _means(share, weight, group):
    sums = np.bincount(group, weights=weight * share) / np.bincount(group, weights=weight)
    return sums[group]
