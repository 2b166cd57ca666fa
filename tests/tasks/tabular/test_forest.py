"""The forest: shares of labels, means of numbers, and nothing to stop by."""

from __future__ import annotations

import numpy as np
import pytest

from luodi.tasks.tabular.forest import ForestLearner
from tests.tasks.tabular.fits import fitting, nothing, sample

LEARNER = ForestLearner()


def fit(folder, matrix, truth, labels=("no", "yes"), **more):
    part = sample(matrix, truth, more.pop("weight", None))
    return LEARNER.train(
        part, nothing(matrix), fitting(LEARNER, folder, matrix.shape[1], labels, **more)
    )


def rows(count=500, seed=0):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(count, 3))
    matrix[rng.random(count) < 0.1, 2] = np.nan
    return matrix, matrix[:, 0] + np.nan_to_num(matrix[:, 2], nan=2.0)


def test_a_tree_on_all_rows_holds_the_shares_of_its_leaves(tmp_path):
    # One split is enough: what is left of 0 carries the event in 1 of 10, what is right in 7 of 10.
    matrix = np.repeat([[-1.0], [1.0]], 100, axis=0)
    truth = np.concatenate([np.arange(100) < 10, np.arange(100) < 70]).astype(int)
    options = {"trees": 1, "rows": 1.0, "columns": 1.0}
    found = fit(tmp_path, matrix, truth, options=options).scorer.score(matrix)[:, 1]
    assert found[0] == pytest.approx(0.1, abs=0.005)
    assert found[-1] == pytest.approx(0.7, abs=0.005)


def test_shares_of_three_labels(tmp_path):
    matrix, sums = rows()
    truth = np.digitize(sums, [-0.5, 1.0])
    trained = fit(tmp_path, matrix, truth, ("a", "b", "c"))
    scores = trained.scorer.score(matrix)
    assert (scores.argmax(axis=1) == truth).mean() > 0.85
    assert trained.scorer.unit == "probability"
    raw = trained.scorer.raw(matrix)
    assert np.allclose(trained.scorer.contributions(matrix).sum(axis=2), raw)
    assert np.abs(raw - scores).mean() < 0.05  # which are made to add up to one


def test_numbers(tmp_path):
    matrix, sums = rows()
    trained = fit(tmp_path, matrix, 1e9 + sums, ())
    unseen, wanted = rows(seed=1)
    error = trained.scorer.score(unseen) - 1e9 - wanted
    assert np.sqrt((error**2).mean()) < 0.4 * wanted.std()


def test_probabilities_are_honest(tmp_path):
    matrix, sums = rows(3000)
    rng = np.random.default_rng(3)
    truth = (rng.random(3000) < 1 / (1 + np.exp(3 - sums))).astype(int)
    trained = fit(tmp_path, matrix, truth)
    unseen, sums_too = rows(20_000, seed=4)
    found = trained.scorer.score(unseen)[:, 1]
    chance = 1 / (1 + np.exp(3 - sums_too))
    assert abs(found.mean() - chance.mean()) < 0.01
    assert np.abs(found - chance).mean() < 0.06


def test_a_weight_counts_as_so_many_rows(tmp_path):
    matrix, _ = rows()
    truth = np.arange(len(matrix)) % 2  # that nothing tells of
    weight = np.where(truth == 1, 5.0, 1.0)
    options = {"leaves": 4, "min_rows": 50}
    trained = fit(tmp_path, matrix, truth, weight=weight, options=options)
    found = trained.scorer.score(rows(seed=2)[0])[:, 1]
    assert abs(found.mean() - weight[truth == 1].sum() / weight.sum()) < 0.05


def test_a_budget_ends_it_and_is_told(tmp_path):
    matrix, sums = rows(200)
    trained = fit(tmp_path, matrix, (sums > 0.5).astype(int), budget=1e-6)
    assert [finding.code for finding in trained.findings] == ["budget-rounds"]
    assert trained.history[0]["trees"] < 10
    assert np.isfinite(trained.scorer.score(matrix)).all()


def test_one_row(tmp_path):
    scores = fit(tmp_path, np.ones((1, 2)), np.array([1])).scorer.score(np.zeros((2, 2)))
    assert scores[0, 1] == pytest.approx(2 / 3)
