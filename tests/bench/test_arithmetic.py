from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.finetune.arithmetic import Bounds, at_least, compare, middle, spread, time_to

from .conftest import measurement

EVER = math.inf


def exact(value: float) -> Bounds:
    return Bounds(value, value)


def test_the_moment_of_reaching_lies_between_two_looks() -> None:
    curve = measurement("default", 1, (0.80, 100.0), (0.90, 200.0), (0.94, 300.0))["curve"]
    assert time_to(curve, 0.92, "train_seconds") == exact(pytest.approx(250.0))
    assert time_to(curve, 0.92, "whole_seconds") == exact(pytest.approx(260.0))
    assert time_to(curve, 0.94, "train_seconds") == exact(pytest.approx(300.0))


def test_a_first_look_at_the_target_is_the_moment_itself() -> None:
    curve = measurement("luodi", 1, (0.93, 100.0))["curve"]
    assert time_to(curve, 0.92, "train_seconds") == exact(100.0)


def test_the_first_time_counts_even_when_the_accuracy_falls_again() -> None:
    curve = measurement("default", 1, (0.92, 100.0), (0.90, 200.0), (0.93, 300.0))["curve"]
    assert time_to(curve, 0.92, "train_seconds") == exact(100.0)


def test_a_target_never_reached_is_known_from_below() -> None:
    curve = measurement("default", 1, (0.80, 100.0), (0.91, 200.0))["curve"]
    assert time_to(curve, 0.92, "train_seconds") == Bounds(200.0, EVER)


@pytest.mark.parametrize(
    ("theirs", "ours", "ratio"),
    [
        (exact(600), exact(100), exact(6)),
        (Bounds(600, EVER), exact(100), Bounds(6, EVER)),
        (exact(600), Bounds(100, EVER), Bounds(0, 6)),
        (Bounds(600, EVER), Bounds(100, EVER), Bounds(0, EVER)),
    ],
)
def test_a_ratio_keeps_what_is_not_known(theirs: Bounds, ours: Bounds, ratio: Bounds) -> None:
    assert theirs / ours == ratio


def test_a_median_is_exact_when_the_unknown_cannot_move_it() -> None:
    values = [exact(4), exact(6), Bounds(7, EVER)]
    assert middle(values) == exact(6)
    assert spread(values) == Bounds(4, EVER)
    assert middle([exact(4), Bounds(5, EVER), exact(8)]) == Bounds(5, 8)
    assert middle([Bounds(5, EVER), exact(6)]) == Bounds(5.5, EVER)


@given(st.lists(st.tuples(st.floats(0.1, 1e4), st.floats(0, 1e4)), min_size=1, max_size=9))
def test_the_median_of_any_true_values_lies_within_its_bounds(
    ends: list[tuple[float, float]],
) -> None:
    from statistics import median

    values = [Bounds(low, low + more) for low, more in ends]
    for share in (0.0, 0.3, 1.0):
        truth = median(v.low + share * (v.high - v.low) for v in values)
        found = middle(values)
        assert found.low - 1e-9 <= truth <= found.high + 1e-9


def test_ratios_are_taken_seed_by_seed(measurements: list[dict[str, Any]]) -> None:
    found = compare(measurements, ("default", "default-6", "default-12"), 0.92, "train_seconds")
    assert found.ratios[1] == exact(pytest.approx(6.0))
    assert found.ratios[2] == Bounds(6.0, EVER)
    assert found.ratios[3] == exact(pytest.approx(4.0))
    assert middle(list(found.ratios.values())) == exact(pytest.approx(6.0))
    whole = compare(measurements, ("tuned",), 0.92, "whole_seconds")
    assert whole.ratios[1] == exact(pytest.approx(160 / 110))


def test_a_stretched_script_stands_in_only_where_it_is_needed(
    measurements: list[dict[str, Any]],
) -> None:
    measurements += [
        measurement("default-6", 1, (0.93, 9999.0)),
        measurement("default-6", 2, (0.92, 880.0)),
        measurement("default-12", 2, (0.92, 770.0)),
    ]
    found = compare(measurements, ("default", "default-6", "default-12"), 0.92, "train_seconds")
    assert found.ratios[1] == exact(pytest.approx(6.0))
    assert found.ratios[2] == exact(pytest.approx(8.0))


def test_a_seed_that_only_one_side_has_gives_no_ratio(measurements: list[dict[str, Any]]) -> None:
    measurements.append(measurement("tuned", 4, (0.93, 50.0)))
    assert sorted(compare(measurements, ("tuned",), 0.92, "train_seconds").ratios) == [1, 2, 3]


def test_a_goal_is_met_only_when_it_surely_is() -> None:
    assert at_least(exact(5), 5) == "met"
    assert at_least(Bounds(6, EVER), 5) == "met"
    assert at_least(Bounds(4, EVER), 5) == "not shown"
    assert at_least(Bounds(0, 4.9), 5) == "missed"
