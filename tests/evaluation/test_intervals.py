"""Intervals hold what they promise, and say so where they cannot."""

from __future__ import annotations

import dataclasses
import math
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from luodi.contracts import Classified
from luodi.evaluation.intervals import (
    Resampled,
    acceleration,
    ends,
    intervals,
    leave_out_weights,
    level_for,
    resample_weights,
)
from luodi.evaluation.measure import applicable
from luodi.evaluation.metrics import CLASSIFICATION, by_name

Make = Callable[..., Classified]
ACCURACY = [by_name("accuracy")]


def _answers(right: np.ndarray, cluster: np.ndarray) -> Classified:
    truth = np.zeros(len(right), dtype=np.int64)
    predicted = (~right).astype(np.int64)
    probability = np.eye(2)[predicted]
    return Classified(np.ones(len(right)), cluster, truth, predicted, probability, ("a", "b"))


def _missed(share: float, rows: int, copies: int, clustered: bool) -> tuple[float, float]:
    """How often the true share lies under the low end, over the high one; copies share a fate."""
    generator, trials = np.random.default_rng(11), 400
    under = over = 0
    for trial in range(trials):
        right = np.repeat(generator.random(rows) < share, copies)
        cluster = np.repeat(np.arange(rows), copies) if clustered else np.arange(len(right))
        scored = _answers(right, cluster)
        found = intervals(scored, ACCURACY, resamples=400, seed=trial)["accuracy"]
        under += share < found.low - 1e-9
        over += share > found.high + 1e-9
    return under / trials, over / trials


# 2.5 % are meant to be missed on either side; three standard errors of 400 trials are 2.3 %.
@pytest.mark.parametrize(
    ("share", "rows", "copies"),
    [
        pytest.param(0.8, 150, 1, marks=pytest.mark.soak),
        (0.8, 80, 4),
        pytest.param(0.9, 40, 1, marks=pytest.mark.soak),
        (0.97, 100, 1),
    ],
)
def test_misses_as_seldom_as_it_says(share: float, rows: int, copies: int) -> None:
    under, over = _missed(share, rows, copies, clustered=True)
    assert under <= 0.048
    assert over <= 0.048


def test_copies_taken_for_rows_would_promise_too_much() -> None:
    under, over = _missed(0.8, rows=80, copies=4, clustered=False)
    assert under + over > 0.25


def test_acceleration_is_the_skew_of_the_influences() -> None:
    right = np.arange(40) < 36
    scored = _answers(right, np.arange(40))
    left_out = [ACCURACY[0].compute(scored, w) for _, w in leave_out_weights(scored, seed=1)]
    # For a share p of m rows: (1 - 2p) / (6 sqrt(m p (1 - p))).
    expected = (1 - 1.8) / (6 * math.sqrt(40 * 0.9 * 0.1))
    assert acceleration(np.concatenate(left_out)) == pytest.approx(expected, rel=0.01)


def test_same_seed_same_ends(classified: Make) -> None:
    loss, scored = [by_name("log_loss")], classified()
    assert intervals(scored, loss, seed=3) == intervals(scored, loss, seed=3)
    assert intervals(scored, loss, seed=3) != intervals(scored, loss, seed=4)


def test_holds_its_value_and_stays_in_range(classified: Make) -> None:
    scored = classified(labels=("a", "b", "c"), skill=4.0, rows=60)
    metrics = applicable(CLASSIFICATION, scored)
    for name, found in intervals(scored, metrics, resamples=200).items():
        assert found.low <= found.value <= found.high, name
        assert by_name(name).lowest <= found.low, name
        assert found.high <= by_name(name).highest, name


def test_weights_of_rows_count() -> None:
    right = np.array([True] * 50 + [False] * 50)
    scored = _answers(right, np.arange(100))
    heavy = dataclasses.replace(scored, weight=np.where(right, 3.0, 1.0))
    assert intervals(heavy, ACCURACY)["accuracy"].value == pytest.approx(0.75)


def test_clusters_are_drawn_whole(classified: Make) -> None:
    scored = classified(rows=40, copies=4)
    for _, weights in resample_weights(scored, 50, seed=1):
        by_cluster = weights.reshape(len(weights), 10, 4)
        assert (by_cluster == by_cluster[:, :, :1]).all()
        assert (weights.sum(axis=1) == 40).all()


def test_faultless_answers_prove_no_perfection() -> None:
    found = intervals(_answers(np.ones(20, bool), np.arange(20)), ACCURACY)["accuracy"]
    assert found.value == found.high == 1
    assert found.low == pytest.approx(0.025 ** (1 / 20))  # Clopper and Pearson's own end
    one = intervals(_answers(np.ones(20, bool), np.zeros(20, int)), ACCURACY)["accuracy"]
    assert math.isnan(one.low)


def test_no_rows_no_interval(classified: Make) -> None:
    found = intervals(classified(rows=0), CLASSIFICATION, resamples=10)
    assert all(math.isnan(item.value) and math.isnan(item.low) for item in found.values())


def test_more_openings_widen(classified: Make) -> None:
    scored = classified()
    widths = []
    for openings in (1, 2, 5, 20, 200):
        found = intervals(scored, ACCURACY, level=level_for(openings))["accuracy"]
        widths.append(found.high - found.low)
    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_a_level_by_bonferroni() -> None:
    assert level_for(1) == 0.95
    assert level_for(5) == pytest.approx(0.99)
    with pytest.raises(ValueError, match="openings=0"):
        level_for(0)


def test_a_tail_too_thin_to_read_is_stretched() -> None:
    drawn = np.random.default_rng(0).normal(0.8, 0.01, size=1000)
    low, high = ends(0.8, Resampled(drawn, 100_000, 0.0), level=1 - 1e-5)
    reach = norm.ppf(1 - 0.5e-5) * 0.01
    assert low == pytest.approx(0.8 - reach, abs=0.008)
    assert high == pytest.approx(0.8 + reach, abs=0.008)
    assert low < drawn.min()
    assert high > drawn.max()


def test_few_clusters_widen_as_student_says() -> None:
    drawn = np.random.default_rng(0).normal(0, 1, size=200_000)
    low, high = ends(0.0, Resampled(drawn, 10, 0.0), 0.95)
    assert high == pytest.approx(2.262 * math.sqrt(10 / 9), abs=0.03)
    assert low == pytest.approx(-high, abs=0.05)


def test_twenty_thousand_rows_of_77_classes_in_little_memory(classified: Make) -> None:
    scored = classified(rows=20_000, labels=tuple(map(str, range(77))), copies=2)
    metrics = [m for m in CLASSIFICATION if m.name not in ("auc", "pr_auc", "ks")]
    tracemalloc.start()
    start = time.perf_counter()
    intervals(scored, metrics, resamples=200)
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6
    assert seconds < 10  # 0.2 s on a quiet machine
