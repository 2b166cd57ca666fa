"""Numbers learnt by their logarithm, and back."""

from __future__ import annotations

import numpy as np
import pytest

from luodi.contracts import DataError
from luodi.tasks.tabular.scale import Scale


def test_back_and_forth():
    values = np.exp(np.random.default_rng(0).normal(3, 1, 500))
    scale = Scale.learn(values, "log")
    np.testing.assert_allclose(scale.back(scale.forward(values)), values)
    again = Scale.from_json(scale.to_json())
    assert again == scale


def test_zeros_are_kept():
    values = np.concatenate([np.zeros(20), np.exp(np.random.default_rng(0).normal(3, 1, 300))])
    scale = Scale.learn(values, "log")
    np.testing.assert_allclose(scale.back(scale.forward(values)), values, atol=1e-9)


def test_auto_takes_the_logarithm_of_long_tails_alone():
    rng = np.random.default_rng(0)
    assert Scale.learn(np.exp(rng.normal(3, 1, 500)), "auto").log
    assert not Scale.learn(rng.normal(100, 5, 500), "auto").log
    assert not Scale.learn(np.exp(rng.normal(3, 1, 500)) - 30, "auto").log
    assert not Scale.learn(np.zeros(5), "auto").log
    assert not Scale.learn(np.exp(rng.normal(3, 1, 500)), "none").log


def test_a_logarithm_of_numbers_below_zero_is_refused():
    with pytest.raises(DataError, match="-1"):
        Scale.learn(np.array([-1.0, 2.0, 3.0]), "log")


def test_answers_are_right_on_average():
    rng = np.random.default_rng(0)
    truth = np.exp(rng.normal(2, 1, 20_000))
    scale = Scale.learn(truth, "log")
    scores = np.full(len(truth), np.log(truth).mean())
    plain = scale.mean(scores).mean()
    smeared = scale.smeared(np.log(truth) - scores, np.ones(len(truth))).mean(scores).mean()
    assert abs(smeared - truth.mean()) < 0.03 * truth.mean()
    assert plain < 0.7 * truth.mean()


def test_a_wild_answer_stays_near_what_was_seen():
    values = np.exp(np.random.default_rng(0).normal(3, 1, 500))
    scale = Scale.learn(values, "log")
    assert np.isfinite(scale.mean(np.array([1e6, -1e6]))).all()
    assert scale.forward(np.array([-5.0])) == scale.low
