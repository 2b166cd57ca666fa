"""How far a score can be trusted: the cluster bootstrap.

Rows of one cluster (near-copies, one customer) are drawn together: they are no independent
evidence, and intervals that take them for it are too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from luodi.contracts import Interval, Metric, Scored
from luodi.evaluation.measure import Floats, compute

BLOCK = 4_000_000
"""Weights held at a time (32 MB): resamples are worked through in blocks of rows of this size."""
TAIL_DRAWS = 10
"""An end is read off the resamples only where at least so many lie beyond it."""
JACKKNIFE_GROUPS = 200
"""Clusters are left out in so many groups at most: enough to see skew, cheap for any table."""
MOST_BIAS = 0.25
"""The median bias that is corrected for, in normal units; more is bias of the metric itself."""
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


def leave_out_weights(scored: Scored, seed: int) -> Iterator[tuple[slice, Floats]]:
    """Row weights with one group of clusters after another left out, in blocks like resamples."""
    names, cluster = np.unique(scored.cluster, return_inverse=True)
    groups = min(len(names), JACKKNIFE_GROUPS)
    group = np.random.default_rng(seed).permutation(len(names))[cluster] % max(groups, 1)
    block = max(1, BLOCK // max(1, scored.rows))
    for start in range(0, groups, block):
        left = np.arange(start, min(start + block, groups))
        yield slice(start, start + len(left)), np.where(group == left[:, None], 0.0, scored.weight)


def draws(
    scored: Scored, metrics: Sequence[Metric[Any]], weightings: Iterable[tuple[slice, Floats]]
) -> dict[str, Floats]:
    """Each metric's value under each of the weightings: name -> (their number,)."""
    values: dict[str, list[Floats]] = {metric.name: [] for metric in metrics}
    for _, weights in weightings:
        for name, found in compute(metrics, scored, weights).items():
            values[name].append(found)
    return {name: np.concatenate(found or [np.empty(0)]) for name, found in values.items()}


def points(scored: Scored, metrics: Sequence[Metric[Any]]) -> dict[str, float]:
    """Each metric's value on the rows as they are."""
    found = compute(metrics, scored, scored.weight[None, :])
    return {name: float(values[0]) for name, values in found.items()}


def intervals(
    scored: Scored,
    metrics: Sequence[Metric[Any]],
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 7,
) -> dict[str, Interval]:
    """Each metric with its interval.

    Bootstrap over clusters (Field and Welsh 2007), bias-corrected and accelerated (Efron 1987):
    near its best value a score is skewed, and the plain percentile interval's low end, which a
    gate rests on, then promises too much. Widened for few clusters (Hesterberg 2015), and always
    holding the value itself: the calibration error of a resample lies above that of the rows it
    came from. An end is NaN where there is no evidence: fewer than two clusters, or a metric
    that is undefined in over a tenth of the resamples.
    """
    clusters = len(np.unique(scored.cluster))
    found = points(scored, metrics)
    drawn = draws(scored, metrics, resample_weights(scored, resamples, seed))
    left_out = draws(scored, metrics, leave_out_weights(scored, seed))
    return {
        metric.name: _interval(
            metric,
            found[metric.name],
            Resampled(drawn[metric.name], clusters, acceleration(left_out[metric.name])),
            level,
        )
        for metric in metrics
    }


@dataclass(frozen=True)
class Resampled:
    """What resampling told of one number.

    Attributes:
        drawn: (resamples,) its value on each; NaN where undefined.
        clusters: how many independent pieces of evidence there are.
        acceleration: how its spread changes with its size.
    """

    drawn: Floats
    clusters: int
    acceleration: float

    @property
    def known(self) -> Floats:
        """The values that are numbers."""
        return self.drawn[np.isfinite(self.drawn)]

    @property
    def enough(self) -> bool:
        """Whether an interval can be made of it."""
        return self.clusters > 1 and len(self.known) >= DEFINED_SHARE * len(self.drawn) > 0


def acceleration(left_out: Floats) -> float:
    """Efron's acceleration from values with one group of clusters after another left out.

    Groups do as well as single rows: sums of independent influences keep their second and third
    moments' sums.
    """
    known = left_out[np.isfinite(left_out)]
    influence = known.mean() - known if len(known) else known
    spread = float((influence**2).sum())
    return float((influence**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0


def _interval(metric: Metric[Any], value: float, found: Resampled, level: float) -> Interval:
    if not (math.isfinite(value) and found.enough):
        return Interval(value, math.nan, math.nan, level)
    low, high = ends(value, found, level)
    lowest = float(getattr(metric, "lowest", -math.inf))
    highest = float(getattr(metric, "highest", math.inf))
    low, high = max(low, lowest), min(high, highest)
    if low == high == value == (highest if metric.higher_is_better else lowest):
        # Faultless answers: every resample is faultless too, yet the next row may not be. With m
        # independent successes the exact lower end is (a/2)^(1/m) (Clopper and Pearson 1934).
        missing = 1 - ((1 - level) / 2) ** (1 / found.clusters)
        low, high = (
            (value - missing, value) if metric.higher_is_better else (value, value + missing)
        )
    return Interval(value, low, high, level)


def ends(value: float, found: Resampled, level: float) -> tuple[float, float]:
    """The lower and the upper end at a level, with `value` between them."""
    known, clusters = np.sort(found.known), found.clusters
    reach = _student((1 + level) / 2, clusters - 1) * math.sqrt(clusters / (clusters - 1))
    below = ((known < value).mean() + (known <= value).mean()) / 2  # ties count half
    bias = 0.0
    if 0 < below < 1:
        bias = min(MOST_BIAS, max(-MOST_BIAS, _NORMAL.inv_cdf(float(below))))

    def corrected(z: float) -> float:
        return bias + (bias + z) / max(0.2, 1 - found.acceleration * (bias + z))

    low, high = _quantile(known, corrected(-reach)), _quantile(known, corrected(reach))
    return min(low, value), max(high, value)


def _quantile(known: Floats, z: float) -> float:
    """The quantile of sorted values at normal deviate z.

    Fewer than TAIL_DRAWS values beyond it are too few to read it off: then the outermost readable
    quantile on that side is moved away from the median in the proportion of the deviates. That
    keeps the skew which a plain normal interval would lose.
    """
    readable = -_NORMAL.inv_cdf(min(0.4, TAIL_DRAWS / len(known)))
    inside = max(-readable, min(readable, z))
    middle, end = np.quantile(known, [0.5, _NORMAL.cdf(inside)])
    return float(end if inside == z else middle + (end - middle) * z / inside)


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
