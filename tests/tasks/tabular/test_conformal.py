"""Intervals keep their promise on new rows, and are told where they cannot."""

from __future__ import annotations

import numpy as np
import pytest

from luodi.tasks.tabular.conformal import conformal_factor, dealt, least_groups
from luodi.tasks.tabular.scale import Scale
from luodi.tasks.tabular.spread import Spread
from luodi.tasks.tabular.values import Held, ValueDecision, interval_findings


def held(rows, seed, cluster=None, scale=None):
    """Errors that grow with the first column, or by `scale`."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 3))
    size = np.exp(matrix[:, 0]) if scale is None else scale
    truth = matrix[:, 1] + size * rng.normal(size=rows)
    cluster = np.arange(rows) if cluster is None else cluster
    return Held(matrix, matrix[:, 1].copy(), truth, np.ones(rows), cluster)


def inside(decision, rows):
    answers = decision.answers(rows.scores, rows.matrix)
    low, high = (np.array([a[end] for a in answers]) for end in ("low", "high"))
    return (rows.truth >= low) & (rows.truth <= high), high - low


def test_the_factor_is_the_usual_one_for_rows_of_their_own():
    ratios = np.random.default_rng(0).permutation(np.arange(1.0, 20.0))
    # ceil(20 * 0.9) = 18th smallest of 19
    found = conformal_factor(ratios, np.arange(19), np.ones(19), 0.9)
    assert found == (18.0, True)
    # Nine rows are the fewest that can promise 0.9; eight cannot.
    assert least_groups(0.9) == 9
    assert conformal_factor(ratios[:9], np.arange(9), np.ones(9), 0.9)[1]
    assert not conformal_factor(ratios[:8], np.arange(8), np.ones(8), 0.9)[1]


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_coverage_on_new_rows_over_many_calibrations(coverage):
    new = held(4000, 99)
    found = []
    for seed in range(60):
        kept = held(40, seed)
        decision, enough = ValueDecision.learn(held(50, 1000 + seed), kept, Scale(), coverage, 7)
        assert enough
        found.append(inside(decision, new)[0].mean())
    mean, error = np.mean(found), np.std(found) / np.sqrt(len(found))
    # In expectation at least the coverage, at most 1/41 more.
    assert coverage - 3 * error <= mean <= coverage + 1 / 41 + 3 * error


def test_groups_count_alike_whatever_their_rows():
    # One group has nearly all rows, and small errors: row by row, intervals would be too narrow.
    rng = np.random.default_rng(0)
    found, naive = [], []
    for _ in range(200):
        sizes = np.array([2000, *([5] * 19)])
        level = np.array([0.1, *np.exp(rng.normal(size=19))])
        cluster = np.repeat(np.arange(20), sizes)
        ratios = np.abs(rng.normal(size=len(cluster))) * level[cluster]
        new = np.abs(rng.normal(size=500) * np.exp(rng.normal(size=500)))
        factor, enough = conformal_factor(ratios, cluster, np.ones(len(ratios)), 0.9)
        assert enough
        found.append((new <= factor).mean())
        plain, _ = conformal_factor(ratios, np.arange(len(ratios)), np.ones(len(ratios)), 0.9)
        naive.append((new <= plain).mean())
    assert np.mean(found) > 0.87
    assert np.mean(naive) < 0.5


def test_wide_where_errors_are_large():
    chosen, kept, new = held(2000, 1), held(2000, 2), held(4000, 3)
    decision, _ = ValueDecision.learn(chosen, kept, Scale(), 0.9, 7)
    covered, width = inside(decision, new)
    assert 0.88 < covered.mean() < 0.92
    hard = new.matrix[:, 0] > 1
    easy = new.matrix[:, 0] < -1
    assert width[hard].mean() > 4 * width[easy].mean()
    assert covered[hard].mean() > 0.8  # with one width for all it would be far less
    flat = ValueDecision(np.quantile(np.abs(kept.errors), 0.9), Scale())
    assert inside(flat, new)[0][hard].mean() < 0.75


def test_the_trees_answer_as_scikit_learn_does():
    from sklearn.ensemble import RandomForestRegressor

    rows = held(500, 4)
    rows.matrix[::7, 2] = np.nan
    errors = np.abs(rows.errors)
    spread = Spread.learn(rows.matrix, rows.scores, errors, seed=3)
    model = RandomForestRegressor(
        40, max_depth=4, min_samples_leaf=20, max_features=0.5, random_state=3
    ).fit(np.column_stack([rows.matrix, rows.scores]), errors)
    fresh = held(300, 5)
    fresh.matrix[::5, 2] = np.nan
    expected = model.predict(np.column_stack([fresh.matrix, fresh.scores]))
    floor = 0.1 * errors.mean()
    found = spread.of(fresh.matrix, fresh.scores)
    np.testing.assert_allclose(found, np.maximum(expected, floor), rtol=1e-9)
    again = Spread.from_json(spread.to_json()).of(fresh.matrix, fresh.scores)
    np.testing.assert_array_equal(found, again)
    alone = np.concatenate([spread.of(fresh.matrix[i : i + 1], fresh.scores[i : i + 1])
                            for i in range(20)])  # fmt: skip
    np.testing.assert_array_equal(found[:20], alone)


def test_few_rows_and_equal_errors_have_no_spread():
    rows = held(99, 0)
    assert Spread.learn(rows.matrix, rows.scores, np.abs(rows.errors), 0) is None
    rows = held(300, 0)
    assert Spread.learn(rows.matrix, rows.scores, np.zeros(300), 0) is None


def test_what_is_calibrated_on_was_not_chosen_by():
    cluster = np.repeat(np.arange(40), 5)
    found = dealt(cluster, 0.9, seed=1)
    assert found.apart
    assert len(found.choosing) + len(found.calibrating) == 200
    assert not set(cluster[found.choosing]) & set(cluster[found.calibrating])
    assert len(set(cluster[found.calibrating])) == 20
    again = dealt(cluster, 0.9, seed=1)
    np.testing.assert_array_equal(found.choosing, again.choosing)


def test_too_few_groups_serve_both_and_it_is_told():
    found = dealt(np.arange(10), 0.9, seed=1)
    assert not found.apart
    assert len(found.choosing) == len(found.calibrating) == 10
    told = interval_findings(10, found.apart, True, 0.9)
    assert [finding.code for finding in told] == ["intervals-weak"]
    enough = 9 + 4
    assert str(enough) in told[0].remedy
    assert dealt(np.arange(enough), 0.9, seed=1).apart
    assert not dealt(np.arange(enough - 1), 0.9, seed=1).apart
    assert not interval_findings(enough, True, True, 0.9)


def test_rows_that_weigh_nothing_calibrate_nothing():
    ratios = np.concatenate([np.arange(1.0, 20.0), np.full(100, 50.0)])
    weight = np.concatenate([np.ones(19), np.zeros(100)])
    assert conformal_factor(ratios, np.arange(119), weight, 0.9) == (18.0, True)


def test_nothing_held_is_no_promise():
    factor, enough = conformal_factor(np.zeros(0), np.zeros(0, np.int64), np.zeros(0), 0.9)
    assert factor == 0
    assert not enough
