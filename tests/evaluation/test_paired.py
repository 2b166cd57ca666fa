"""Better, or lucky."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from luodi.contracts import Classified
from luodi.evaluation.metrics import by_name
from luodi.evaluation.paired import Paired, compare, mid_p

Make = Callable[..., Classified]
ACCURACY = by_name("accuracy")


@given(st.integers(0, 400), st.integers(0, 400))
def test_mid_p_is_the_binomial_one(first: int, second: int) -> None:
    tosses, fewer = first + second, min(first, second)
    expected = 2 * binom.cdf(fewer, tosses, 0.5) - binom.pmf(fewer, tosses, 0.5)
    if first == second:
        expected = 1.0
    assert mid_p(first, second) == pytest.approx(min(1.0, expected), abs=1e-9)
    assert mid_p(first, second) == mid_p(second, first)


def test_a_large_lead_has_a_small_p() -> None:
    assert mid_p(5000, 100) < 1e-300 or mid_p(5000, 100) == 0
    assert mid_p(30_000, 30_001) > 0.99


def test_the_better_model_is_told(classified: Make) -> None:
    strong, weak = classified(skill=3.0, rows=600), classified(skill=1.0, rows=600)
    found = compare(strong, weak, ACCURACY)
    assert found.better
    assert found.method == "mcnemar"
    assert found.low > 0
    assert found.low <= found.difference <= found.high
    back = compare(weak, strong, ACCURACY)
    assert not back.better
    assert back.difference == -found.difference
    loss = compare(strong, weak, by_name("log_loss"))
    assert loss.better
    assert loss.high < 0
    assert loss.method == "bootstrap"


def test_a_model_is_not_better_than_itself(classified: Make) -> None:
    found = compare(classified(), classified(), ACCURACY)
    assert not found.better
    assert found.p_value == 1
    assert found.low == found.high == 0


def test_four_rows_are_too_few_to_tell() -> None:
    answers = np.zeros((2, 200), dtype=np.int64)
    answers[1, :4] = 1
    pair = [
        Classified(
            np.ones(200), np.arange(200), np.zeros(200, int), row, np.eye(2)[row], ("a", "b")
        )
        for row in answers
    ]
    found = compare(*pair, ACCURACY)
    assert found.low > 0  # the resamples alone would say so
    assert found.p_value == pytest.approx(0.0625)
    assert not found.better


def test_chance_alone_rarely_wins() -> None:
    generator, wins = np.random.default_rng(4), 0
    for trial in range(200):
        right = generator.random((2, 120)) < 0.75
        pair = [
            Classified(
                np.ones(120),
                np.arange(120),
                np.zeros(120, int),
                (~row).astype(int),
                np.eye(2)[(~row).astype(int)],
                ("a", "b"),
            )
            for row in right
        ]
        wins += compare(*pair, ACCURACY, resamples=200, seed=trial).better
    assert wins / 200 <= 0.05  # one side of a two-sided 5 %: 2.5 % expected


def test_copies_are_one_piece_of_evidence() -> None:
    generator = np.random.default_rng(8)
    right = np.repeat(generator.random((2, 30)) < [[0.8], [0.65]], 20, axis=1)
    pair = [
        Classified(
            np.ones(600),
            np.repeat(np.arange(30), 20),
            np.zeros(600, int),
            (~row).astype(int),
            np.eye(2)[(~row).astype(int)],
            ("a", "b"),
        )
        for row in right
    ]
    together = compare(*pair, ACCURACY)
    apart = compare(
        *(dataclasses.replace(scored, cluster=np.arange(600)) for scored in pair), ACCURACY
    )
    assert together.method == "bootstrap"
    assert together.high - together.low > 2 * (apart.high - apart.low)
    assert together.p_value > apart.p_value


def test_other_rows_are_refused(classified: Make) -> None:
    with pytest.raises(ValueError, match="same rows"):
        compare(classified(rows=10), classified(rows=12), ACCURACY)


def test_json_and_back(classified: Make) -> None:
    found = compare(classified(skill=3.0), classified(), ACCURACY, resamples=50)
    assert Paired.from_json(found.to_json()) == found
    unknown = dataclasses.replace(found, low=math.nan)
    assert unknown.to_json()["low"] is None
    assert math.isnan(Paired.from_json(unknown.to_json()).low)
