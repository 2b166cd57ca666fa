"""Newton's steps against scikit-learn's answers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from luodi.tasks.tabular.newton import descend, logistic, ridge


@pytest.mark.parametrize("strength", [0.003, 0.3, 30.0])
@pytest.mark.parametrize("k", [2, 4])
def test_logistic_weights_are_the_librarys(k, strength):
    rng = np.random.default_rng(k)
    matrix = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    truth = (matrix @ rng.normal(size=(5, k)) + rng.gumbel(size=(200, k)) * 2).argmax(axis=1)
    weight = rng.random(200) + 0.5
    names = [1] if k == 2 else range(k)
    hit = (truth[:, None] == np.array(list(names))).astype(float)
    found = logistic(matrix, hit, weight, strength)
    model = LogisticRegression(C=strength, tol=1e-9, max_iter=10_000)
    model.fit(matrix, truth, sample_weight=weight)
    theirs = np.vstack([model.coef_.T, model.intercept_])
    if k > 2:  # one number added to all sums of a row changes no answer
        found, theirs = (each - each.mean(axis=1, keepdims=True) for each in (found, theirs))
    assert np.allclose(found, theirs, atol=2e-4)


def test_labels_told_apart_by_a_line_have_finite_weights():
    matrix = np.r_[np.full((20, 1), -1.0), np.full((20, 1), 1.0)]
    hit = np.r_[np.zeros((20, 1)), np.ones((20, 1))]
    found = logistic(matrix, hit, np.ones(40), 1e6)
    assert np.isfinite(found).all()
    assert found[0, 0] > 5


def test_columns_that_say_the_same_share_the_weight():
    rng = np.random.default_rng(0)
    column = rng.normal(size=(100, 1))
    hit = (column + rng.normal(size=(100, 1)) > 0).astype(float)
    found = logistic(np.hstack([column, column]), hit, np.ones(100), 1.0)
    assert np.allclose(found[0], found[1])


def test_ridge_weights_are_the_librarys():
    rng = np.random.default_rng(1)
    matrix, weight = rng.normal(size=(80, 6)), rng.random(80)
    truth = matrix[:, 0] + rng.normal(size=80)
    found = ridge(matrix, truth, weight, 0.7)
    model = Ridge(alpha=0.7).fit(matrix, truth, sample_weight=weight)
    assert np.allclose(found, np.r_[model.coef_, model.intercept_])


def test_a_place_stays_in_its_bounds():
    def step(at):
        return float(at[0] ** 2), 2 * at, np.eye(1) * 2

    assert descend(step, np.array([3.0]), lambda at: np.clip(at, 1.0, 5.0))[0] == pytest.approx(1.0)
