"""Weights of a pool: what they are worth on rows with a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from luodi.tasks.classes import softmax
from luodi.tasks.pooling import logs, pool_weights, pooled

RNG = np.random.default_rng(5)


def _world(rows: int, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """True scores (n, k), and labels drawn from them."""
    scores = RNG.normal(0, 1.5, (rows, classes))
    chance = softmax(scores)
    return scores, (chance.cumsum(axis=1) > RNG.random((rows, 1))).argmax(axis=1)


def _loss(chance: np.ndarray, truth: np.ndarray) -> float:
    return float(-logs(chance)[np.arange(len(truth)), truth].mean())


def test_one_model_that_is_too_sure_is_cooled_to_the_truth() -> None:
    scores, truth = _world(20_000)
    (weight,) = pool_weights([3 * scores], truth)
    assert weight == pytest.approx(1 / 3, abs=0.02)
    (weight,) = pool_weights([scores / 2], truth)
    assert weight == pytest.approx(2, abs=0.1)


def test_two_that_see_different_halves_are_added_up() -> None:
    one, two = RNG.normal(0, 1.5, (2, 20_000, 3))
    chance = softmax(one + two)
    truth = (chance.cumsum(axis=1) > RNG.random((20_000, 1))).argmax(axis=1)
    weights = pool_weights([one, 2 * two], truth)
    assert weights == pytest.approx((1.0, 0.5), abs=0.05)
    alone = min(_loss(softmax(one), truth), _loss(softmax(two), truth))
    assert _loss(pooled([one, 2 * two], weights), truth) < 0.85 * alone


def test_one_that_knows_nothing_counts_for_nothing() -> None:
    scores, truth = _world(20_000)
    weights = pool_weights([scores, RNG.normal(0, 1, scores.shape)], truth)
    assert weights == pytest.approx((1.0, 0.0), abs=0.03)
    wrong = pool_weights([scores, -scores], truth)
    assert min(wrong) >= 0  # never held against itself


def test_a_handful_of_rows_moves_little() -> None:
    scores = np.array([[3.0, 0.0], [0.0, 3.0], [2.5, 0.0]])
    (weight,) = pool_weights([scores], np.array([0, 1, 0]))
    assert 1 < weight < 1.2  # all right: without the even share it would grow without end
    assert pool_weights([scores, scores], np.array([], dtype=np.int64)) == (0.5, 0.5)
    assert pool_weights([scores[:0], scores[:0]], np.array([], dtype=np.int64)) == (0.5, 0.5)


def test_pooled_rows_sum_to_one_and_survive_certainty() -> None:
    sure = logs(np.array([[1.0, 0.0], [0.0, 1.0]]))
    chance = pooled([sure, sure[::-1]], (1.0, 1.0))
    assert np.isfinite(chance).all()
    np.testing.assert_allclose(chance, 0.5)
