"""A training part dealt out again: what learns is stopped, or its strength is chosen, by rows that
it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.fitting import Sample, loss
from luodi.tasks.tabular.predicting import Scorer
from luodi.tasks.tabular.target import Classes, Target

FEW = 2_000
"""Up to so many rows a part held out of them is too small to choose by: see docs/decisions."""
FOLDS = 5
_JUDGED, REPEATS = 600, 5
"""The fewer rows, the more often they are dealt out: until so many were judged, or so often."""

Path = Callable[[Sample], Iterable[tuple[float, Scorer]]]
"""From rows to a model for each strength."""


def deal(sample: Sample, folds: int, seed: int) -> NDArray[np.int64]:
    """(n,) a fold a row: equal in size and in truth as far as clusters, kept whole, allow."""
    if len(sample.cluster):
        _, first, cluster = np.unique(sample.cluster, return_index=True, return_inverse=True)
    else:
        first = cluster = np.arange(sample.rows)
    order = np.random.default_rng(seed).permutation(len(first))
    # Neighbours in truth go to different folds: labels, and ranges of a number, are spread evenly.
    order = order[np.argsort(sample.truth[first][order], kind="stable")]
    fold = np.empty(len(first), np.int64)
    fold[order] = np.arange(len(first)) % folds
    return fold[cluster]


@dataclass(frozen=True)
class ByStrength:
    """What models of each strength made of rows that were held out of what they learnt from.

    Attributes:
        losses: strength -> mean loss; empty where no fold left two labels to tell apart.
        scores: strength -> (n, k) or (n,) scores, means over the times that a row was held out;
            empty where a row never was.
    """

    losses: Mapping[float, float] = field(default_factory=dict)
    scores: Mapping[float, Floats] = field(default_factory=dict)


def by_strength(
    sample: Sample, path: Path, target: Target, seed: int, repeats: int = REPEATS
) -> ByStrength:
    """Deal the rows out, learn a path from each side, ask it about the other.

    Args:
        repeats: how often rows are dealt out at the most: the fewer they are, the oftener.
    """
    repeats = min(repeats, max(1, -(-_JUDGED // max(sample.rows, 1))))
    lost: dict[float, float] = {}
    sums: dict[float, Floats] = {}
    times = np.zeros(sample.rows)
    for seen, unseen in _sides(sample, repeats, seed):
        learnt, held = sample.take(seen), sample.take(unseen)
        if isinstance(target, Classes) and len(np.unique(learnt.truth)) < 2:
            continue
        times[unseen] += 1
        for strength, scorer in path(learnt):
            scores = scorer.score(held.matrix)
            lost[strength] = lost.get(strength, 0.0) + loss(scores, held, target) * held.rows
            sums.setdefault(strength, np.zeros((sample.rows, *scores.shape[1:])))[unseen] += scores
    if not lost:
        return ByStrength()
    losses = {strength: total / times.sum() for strength, total in lost.items()}
    if (times == 0).any():
        return ByStrength(losses)
    means = {name: (total.T / times).T for name, total in sums.items()}
    return ByStrength(losses, means)


def _sides(
    sample: Sample, repeats: int, seed: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The rows seen and those not seen, a fold each."""
    for repeat in range(repeats):
        fold = deal(sample, FOLDS, seed + repeat)
        for number in range(FOLDS):
            seen, unseen = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            if len(seen) and len(unseen):
                yield seen, unseen
