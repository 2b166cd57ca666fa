from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from luodi.training.budget import Clock, Plan, fit_plan, plan_seconds, spread

TRAIN = np.random.default_rng(0).integers(10, 400, 1000)
VALID = TRAIN[:100]
WISH = Plan(5, 256, 1000)
NEEDED = plan_seconds(WISH, TRAIN, VALID, 1e-3)


def test_enough_time_changes_nothing() -> None:
    assert fit_plan(WISH, TRAIN, VALID, 1e-3, NEEDED + 1) == (WISH, [])


def test_first_epochs_then_length_then_rows() -> None:
    plan, findings = fit_plan(WISH, TRAIN, VALID, 1e-3, NEEDED * 0.7)
    assert (plan.epochs, plan.length, plan.rows) == (3, 256, 1000)
    assert [finding.code for finding in findings] == ["budget-epochs"]
    plan, findings = fit_plan(WISH, TRAIN, VALID, 1e-3, NEEDED * 0.3)
    assert plan.epochs == 2
    assert plan.length < 256
    assert plan.rows == 1000
    assert [f.code for f in findings] == ["budget-epochs", "budget-length"]
    plan, findings = fit_plan(WISH, TRAIN, VALID, 1e-3, NEEDED * 0.05)
    assert (plan.epochs, plan.length) == (2, 48)
    assert 64 < plan.rows < 1000
    assert [f.code for f in findings] == ["budget-epochs", "budget-length", "budget-rows"]
    assert "48 tokens instead of 256" in findings[1].message


@given(st.floats(0.05, 1.5))
def test_the_plan_fits(share: float) -> None:
    plan, _ = fit_plan(WISH, TRAIN, VALID, 1e-3, NEEDED * share)
    assert plan_seconds(plan, TRAIN, VALID, 1e-3) <= NEEDED * share * 1.1


def test_with_no_time_at_all_something_is_still_learnt() -> None:
    plan, _ = fit_plan(WISH, TRAIN, VALID, 1e-3, -5.0)
    assert plan.rows == 64


def test_the_clock_counts_what_a_killed_process_took() -> None:
    clock = Clock(100.0)
    clock.add(40.0)
    assert 59.0 < clock.left() <= 60.0
    assert 49.0 < clock.left(reserve=10.0) <= 50.0
    time.sleep(0.01)
    assert clock.elapsed > 40.0
    assert Clock(None).left() == float("inf")


def test_spread_takes_both_ends() -> None:
    batches = [np.array([i]) for i in range(10)]
    assert [int(b[0]) for b in spread(batches, 4)] == [0, 3, 6, 9]
    assert len(spread(batches[:2], 4)) == 2
