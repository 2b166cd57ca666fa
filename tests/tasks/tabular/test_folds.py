"""A training part dealt out again."""

from __future__ import annotations

import numpy as np

from luodi.tasks.tabular.folds import deal
from tests.tasks.tabular.fits import sample


def test_labels_are_spread_evenly():
    truth = np.array([0] * 90 + [1] * 10)
    fold = deal(sample(np.zeros((100, 1)), truth), 5, 3)
    assert [int((truth[fold == n] == 1).sum()) for n in range(5)] == [2] * 5
    assert [int((fold == n).sum()) for n in range(5)] == [20] * 5


def test_numbers_are_spread_evenly():
    truth = np.arange(100.0)
    fold = deal(sample(np.zeros((100, 1)), truth), 5, 3)
    assert max(truth[fold == n].mean() for n in range(5)) < 53


def test_copies_stay_together():
    rng = np.random.default_rng(0)
    cluster = rng.integers(0, 30, 200)
    fold = deal(sample(np.zeros((200, 1)), rng.integers(0, 2, 200), cluster=cluster), 5, 3)
    assert all(len(set(fold[cluster == n])) == 1 for n in range(30))
    assert len(set(fold)) == 5


def test_a_seed_deals_alike():
    part = sample(np.zeros((50, 1)), np.arange(50) % 2)
    assert np.array_equal(deal(part, 5, 3), deal(part, 5, 3))
    assert not np.array_equal(deal(part, 5, 3), deal(part, 5, 4))
