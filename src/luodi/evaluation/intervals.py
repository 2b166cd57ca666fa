"""How far a score can be trusted: the cluster bootstrap.

Rows of one cluster (near-copies, one customer) are drawn together: they are no independent
evidence, and intervals that take them for it are too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from luodi.contracts import Interval, Metric, Scored
from luodi.evaluation.measure import Floats

BLOCK = 2_000_000
"""Weights held at a time (16 MB): resamples are worked through in blocks of rows of this size."""
TAIL_DRAWS = 10
"""An end is read off the resamples only where at least so many lie beyond it."""
DEFINED_SHARE = 0.9
"""Below this share of resamples in which a metric is defined, it has no interval."""

_NORMAL = NormalDist()


def resample_weights(scored: Scored, resamples: int, seed: int) -> Iterator[tuple[slice, Floats]]:
    """Bootstrap resamples as row weights, in blocks: (which resamples, (b, n) weights).

    As many clusters as there are are drawn with replacement; a row's weight is its own times how
    often its cluster came. The same seed and clusters give the same draws, so that two models
    judged on the same rows are compared on the same resamples.
    """
    _, cluster = np.unique(scored.cluster, return_inverse=True)
    clusters = int(cluster.max()) + 1 if scored.rows else 0
    single = clusters == scored.rows and bool((cluster == np.arange(clusters)).all())
    generator = np.random.default_rng(seed)
    block = max(1, min(resamples, BLOCK // max(1, scored.rows)))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        weights = np.empty((size, scored.rows))
        for row in weights:
            drawn = generator.integers(clusters, size=clusters, dtype=np.int32)
            times = np.bincount(drawn, minlength=clusters)
            np.multiply(times if single else times[cluster], scored.weight, out=row)
        yield slice(start, start + size), weights


def draws(
    scored: Scored, metrics: Sequence[Metric[Any]], resamples: int, seed: int
) -> dict[str, Floats]:
    """Each metric's value on each resample: name -> (resamples,)."""
    values = {metric.name: np.full(resamples, np.nan) for metric in metrics}
    if scored.rows == 0:
        return values
    for part, weights in resample_weights(scored, resamples, seed):
        for metric in metrics:
            values[metric.name][part] = metric.compute(scored, weights)
    return values


def points(scored: Scored, metrics: Sequence[Metric[Any]]) -> dict[str, float]:
    """Each metric's value on the rows as they are."""
    weights = scored.weight[None, :]
    return {metric.name: float(metric.compute(scored, weights)[0]) for metric in metrics}


def intervals(
    scored: Scored,
    metrics: Sequence[Metric[Any]],
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 7,
) -> dict[str, Interval]:
    """Each metric with its interval.

    Percentile bootstrap over clusters (Efron and Tibshirani 1993; Field and Welsh 2007), widened
    for few clusters as in Hesterberg (2015, "expanded percentile"), and always holding the value
    itself: the calibration error of a resample lies above that of the rows it came from. An end
    is NaN where there is no evidence: fewer than two clusters, or a metric that is undefined in
    over a tenth of the resamples.
    """
    clusters = len(np.unique(scored.cluster))
    values = draws(scored, metrics, resamples, seed)
    found = points(scored, metrics)
    return {
        metric.name: _interval(metric, found[metric.name], values[metric.name], clusters, level)
        for metric in metrics
    }


def _interval(
    metric: Metric[Any], value: float, drawn: Floats, clusters: int, level: float
) -> Interval:
    known = drawn[np.isfinite(drawn)]
    if clusters < 2 or not math.isfinite(value) or len(known) < DEFINED_SHARE * len(drawn):
        return Interval(value, math.nan, math.nan, level)
    low, high = ends(known, level, clusters)
    lowest = float(getattr(metric, "lowest", -math.inf))
    highest = float(getattr(metric, "highest", math.inf))
    low, high = max(min(low, value), lowest), min(max(high, value), highest)
    if low == high == value == (highest if metric.higher_is_better else lowest):
        # Faultless answers: every resample is faultless too, yet the next row may not be. With m
        # independent successes the exact lower end is (a/2)^(1/m) (Clopper and Pearson 1934).
        missing = 1 - ((1 - level) / 2) ** (1 / clusters)
        low, high = (
            (value - missing, value) if metric.higher_is_better else (value, value + missing)
        )
    return Interval(value, low, high, level)


def ends(drawn: Floats, level: float, clusters: int) -> tuple[float, float]:
    """The lower and the upper end that resampled values (r,) give at a level.

    A tail thinner than the resamples can show (fewer than TAIL_DRAWS beyond the end) is not read
    off them: the outermost readable quantile on that side is moved away from the median in the
    proportion of normal quantiles. That keeps the skew which a plain normal interval would lose.
    """
    tail = (1 - level) / 2
    if clusters > 1:
        expanded = _student(1 - tail, clusters - 1) * math.sqrt(clusters / (clusters - 1))
        tail = _NORMAL.cdf(-expanded)
    readable = min(0.5, max(tail, TAIL_DRAWS / len(drawn)))
    low, middle, high = np.quantile(drawn, [readable, 0.5, 1 - readable])
    if readable > tail and readable < 0.5:
        stretch = _NORMAL.inv_cdf(tail) / _NORMAL.inv_cdf(readable)
        low, high = middle - (middle - low) * stretch, middle + (high - middle) * stretch
    return float(low), float(high)


def _student(probability: float, freedom: int) -> float:
    """Student's quantile from the normal one (Abramowitz and Stegun 1964, 26.7.5).

    Good to a few thousandths from five degrees of freedom; below, it is too small, but no
    interval over so few clusters means much.
    """
    z = _NORMAL.inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / freedom**power for power, term in enumerate(terms, start=1))


def level_for(openings: int, level: float = 0.95) -> float:
    """The level to compute at when a test part is opened for the `openings`-th time.

    Whoever looks k times and keeps the best look has k chances to be lucky. Over k intervals of
    level 1 - a/k the chance that any of them misses is at most a (Bonferroni), whatever the
    looks have in common; so the k-th look is held to 1 - a/k.

    Raises:
        ValueError: for fewer than one opening, or a level outside (0, 1).
    """
    if openings < 1 or not 0 < level < 1:
        raise ValueError(f"openings={openings}, level={level}: need openings >= 1, 0 < level < 1")
    return 1 - (1 - level) / openings
