"""Bins: the best cut is found, by brute force; trends hold; edges are short and part the values."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from luodi.tasks.tabular import binning
from luodi.tasks.tabular.binning import (
    Limits,
    Tally,
    best_cut,
    category_groups,
    evidence,
    fine_edges,
    short_between,
)


def _tally(m: int, seed: int) -> Tally:
    generator = np.random.default_rng(seed)
    return Tally(generator.integers(0, 12, m).astype(float),
                 generator.integers(0, 30, m).astype(float))  # fmt: skip


def _worth(tally: Tally) -> float:
    total = -binning._PRICE * len(tally.events)
    for e, o in zip(tally.events, tally.others, strict=True):
        total += (e * math.log(e / (e + o)) if e else 0) + (o * math.log(o / (e + o)) if o else 0)
    return total


def _allowed(fine: Tally, starts: tuple[int, ...], limits: Limits) -> bool:
    joined = fine.joined(starts)
    whole = joined.events + joined.others
    if len(starts) > 1 and (whole < limits.share * whole.sum() - 1e-9).any():
        return False
    steps = np.diff(joined.rate)
    return {"any": True, "increasing": bool((steps > 0).all()),
            "decreasing": bool((steps < 0).all())}[limits.trend]  # fmt: skip


@pytest.mark.parametrize("trend", ["any", "increasing", "decreasing"])
@pytest.mark.parametrize("seed", range(8))
def test_no_cut_is_better(seed, trend):
    fine, limits = _tally(9, seed), Limits(4, 0.08, trend)
    ways = [
        (0, *rest)
        for bins in range(limits.bins)
        for rest in itertools.combinations(range(1, 9), bins)
    ]
    best = max((w for w in ways if _allowed(fine, w, limits)), key=lambda w: _worth(fine.joined(w)))
    found = best_cut(fine, limits)
    assert _allowed(fine, tuple(found), limits)
    assert _worth(fine.joined(found)) == pytest.approx(_worth(fine.joined(best)))


@pytest.mark.parametrize("seed", range(5))
def test_evidence_follows_the_trend(seed):
    fine = _tally(20, seed)
    for trend, turn in (("increasing", -1), ("decreasing", 1)):
        joined = fine.joined(best_cut(fine, Limits(6, 0.05, trend)))
        whole = Tally(fine.events.sum(keepdims=True), fine.others.sum(keepdims=True))
        assert (turn * np.diff(evidence(joined, whole)) > 0).all()


def test_either_way_is_the_better_of_both():
    up = Tally(np.arange(1.0, 9), np.full(8, 10.0))
    assert len(best_cut(up, Limits(4, 0.05, "either"))) > 1
    assert best_cut(up, Limits(4, 0.05, "decreasing")) == [0]


def test_noise_gets_one_bin_or_little_more():
    generator = np.random.default_rng(0)
    bins = []
    for _ in range(20):
        events = generator.binomial(50, 0.2, 24).astype(float)
        bins.append(len(best_cut(Tally(events, 50 - events), Limits(6, 0.05, "either"))))
    assert np.mean(bins) < 4


def test_nothing_to_tell_apart_is_one_bin():
    assert best_cut(Tally(np.zeros(5), np.full(5, 9.0)), Limits()) == [0]
    assert best_cut(Tally(np.array([3.0]), np.array([4.0])), Limits()) == [0]


def test_evidence_is_the_logarithm_of_the_shares():
    part = Tally(np.array([10.0, 30.0]), np.array([500.0, 300.0]))
    whole = Tally(np.array([40.0]), np.array([800.0]))
    assert evidence(part, whole) == pytest.approx(
        [math.log(500 / 800) - math.log(10 / 40), math.log(300 / 800) - math.log(30 / 40)], abs=0.01
    )
    assert evidence(Tally(np.zeros(1), np.zeros(1)), whole) == pytest.approx([0.0])


@pytest.mark.parametrize(
    ("low", "high", "edge"),
    [(17, 18, 18), (17.2, 18.9, 18), (0.1234, 0.1239, 0.1239), (999, 1500, 1000), (-5, -4.5, -4.5),
     (-1, 1, 0), (1e9, 1e9 + 1, 1e9 + 1), (0.1, 0.1 + 1e-12, 0.1 + 1e-12)],
)  # fmt: skip
def test_edges_are_short_and_between(low, high, edge):
    found = short_between(low, high)
    assert low < found <= high
    assert found == pytest.approx(edge, abs=1e-13)


def test_edges_part_every_value_they_came_from():
    values = np.random.default_rng(0).lognormal(3, 2, 5000)
    edges = fine_edges(values, np.ones(5000))
    assert len(edges) == binning.FINE - 1
    sizes = np.bincount(np.searchsorted(edges, values, side="right"))
    assert sizes.min() > 150
    few = np.array([1.0, 1.0, 2.0, 7.0])
    assert np.searchsorted(fine_edges(few, np.ones(4)), few, side="right").tolist() == [0, 0, 1, 2]
    assert len(fine_edges(np.ones(9), np.ones(9))) == 0


def test_categories_stand_in_order_of_their_rate():
    tally = Tally(np.array([30.0, 1.0, 10.0]), np.array([10.0, 99.0, 40.0]))
    assert category_groups(tally).tolist() == [2, 0, 1]
    many = _tally(200, 1)
    assert category_groups(many).max() < binning.FINE
