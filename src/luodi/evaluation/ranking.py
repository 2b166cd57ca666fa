"""Metrics of order: does a higher score mean a likelier class?

Two classes: the second label is the positive one, as in scikit-learn. More: each class against
the rest, averaged plainly over the classes that are there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Classified
from luodi.evaluation.measure import Floats, sum_by


@dataclass(frozen=True)
class Sweep:
    """A threshold lowered over all scores: weights that fall above it, step by step.

    A step is all rows of one score that some positive row has, or all negatives between two
    such: nothing finer can change the metrics, and there are few when positives are few.

    Attributes:
        positive, negative: (b, m) weight that each of the m steps adds.
    """

    positive: Floats
    negative: Floats


def sweep(score: Floats, is_positive: NDArray[np.bool_], weights: Floats) -> Sweep:
    """The steps for (n,) scores under (b, n) weights."""
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])  # first row of each score
    has_positive = np.add.reduceat(is_positive[order].astype(np.int64), first) > 0
    begins = has_positive | np.r_[True, has_positive[:-1]]  # scores where a step begins
    step_of_score = np.cumsum(begins) - 1
    step = np.empty(len(score), dtype=np.int64)
    step[order] = np.repeat(step_of_score, np.diff(np.r_[first, len(score)]))
    steps = int(step_of_score[-1]) + 1
    rows = np.flatnonzero(is_positive)
    positive = sum_by(step[rows], steps, weights[:, rows])
    return Sweep(positive, sum_by(step, steps, weights) - positive)


def _area(steps: Sweep) -> Floats:
    """Share of pairs in the right order, ties counting half (Mann and Whitney 1947)."""
    negatives = steps.negative.sum(axis=1)
    above = np.cumsum(steps.negative, axis=1) - steps.negative / 2
    won = (steps.positive * (negatives[:, None] - above)).sum(axis=1)
    return np.asarray(won / (steps.positive.sum(axis=1) * negatives))


def _average_precision(steps: Sweep) -> Floats:
    """Precision at each step, weighted by the recall that it adds."""
    caught = np.cumsum(steps.positive, axis=1)
    flagged = caught + np.cumsum(steps.negative, axis=1)
    precision = np.divide(caught, flagged, out=np.zeros_like(caught), where=flagged > 0)
    return np.asarray((precision * steps.positive).sum(axis=1) / steps.positive.sum(axis=1))


def _separation(steps: Sweep) -> Floats:
    """The largest distance between the two distributions of scores."""
    positives, negatives = steps.positive.sum(axis=1), steps.negative.sum(axis=1)
    gap = (
        np.cumsum(steps.positive, axis=1) / positives[:, None]
        - np.cumsum(steps.negative, axis=1) / negatives[:, None]
    )
    return np.asarray(np.abs(gap).max(axis=1))


@dataclass(frozen=True)
class Ranking:
    """The three of them, each (b,): computed together, for a sweep costs more than they do."""

    auc: Floats
    pr_auc: Floats
    ks: Floats


def ranking(scored: Classified, weights: Floats) -> Ranking:
    """The metrics of order under (b, n) weights."""
    labels = [1] if len(scored.labels) == 2 else np.unique(scored.truth).tolist()
    total, defined = np.zeros((3, len(weights))), np.zeros((3, len(weights)))
    for label in labels:
        steps = sweep(scored.probability[:, label], scored.truth == label, weights)
        values = np.stack([_area(steps), _average_precision(steps), _separation(steps)])
        known = np.isfinite(values)
        total += np.where(known, values, 0.0)
        defined += known
    return Ranking(*(total / np.where(defined > 0, defined, np.nan)))
