"""Several models' probabilities as one, and one model's made honest: a weight a model.

The logarithmic opinion pool (Genest and Zidek 1986): log-probabilities are weighted, added and
made to sum to one again. Weights are free of one another: their sum is the pool's sharpness, so
that models that are too sure of themselves are calibrated by the same act. Of one model it is
temperature scaling (Guo et al. 2017). The loss is convex in the weights: there is one answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from luodi.tasks.classes import softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TINY = 1e-9
_SURE = 4.0
"""How firmly, in rows' worth of log loss, a weight is held to an even share: on a handful of rows
that a model happens to get right, sharper is always better."""


def logs(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms, of nothing too."""
    found: NDArray[np.float64] = np.log(np.maximum(probability, _TINY))
    return found


def pooled(members: Sequence[NDArray[np.float64]], weights: Sequence[float]) -> NDArray[np.float64]:
    """Each model's log-probabilities or scores, (n, k), by its weight -> probabilities (n, k)."""
    total = np.zeros_like(members[0])
    for member, weight in zip(members, weights, strict=True):
        total += weight * member
    return softmax(total)


def pool_weights(
    members: Sequence[NDArray[np.float64]], truth: NDArray[np.int64]
) -> tuple[float, ...]:
    """The weights, none below nothing, under which the pool's log loss is the lowest.

    Args:
        members: each model's log-probabilities or scores, (n, k), on rows that none was taught.
        truth: (n,) the place of each row's label.
    """
    share = 1.0 / len(members)
    if not len(truth):
        return (share,) * len(members)
    from scipy.optimize import minimize

    stacked = np.stack(members)  # (m, n, k)
    at_truth = stacked[:, np.arange(len(truth)), truth]  # (m, n)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        total = np.tensordot(weights, stacked, 1)
        top = total.max(axis=1, keepdims=True)
        chance = np.exp(total - top)
        rest = chance.sum(axis=1, keepdims=True)
        chance /= rest
        value = float((top[:, 0] + np.log(rest[:, 0]) - weights @ at_truth).sum())
        slope = (chance * stacked).sum(axis=(1, 2)) - at_truth.sum(axis=1)
        away = weights - share
        return value + _SURE / 2 * float(away @ away), slope + _SURE * away

    found = minimize(
        loss, np.full(len(members), share), jac=True, method="L-BFGS-B",
        bounds=[(0.0, None)] * len(members), options={"ftol": 1e-12, "gtol": 1e-6},
    )  # fmt: skip
    return tuple(float(weight) for weight in found.x)
