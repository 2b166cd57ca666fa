"""LIME: a linear model fitted around one row (Ribeiro, Singh and Guestrin 2016).

Written here: the authors' package has not been kept since 2021, and what is needed of it, fields
that keep their value or take another row's, is a few lines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from luodi.contracts import Request
from luodi.evaluation.measure import Floats

SAMPLES = 400
_RIDGE = 1.0
_TINY = 1e-6


def local_weights(
    outcomes: Callable[[Sequence[Request]], Floats],
    request: Request,
    others: Sequence[Request],
    chances: bool,
    seed: int,
) -> dict[str, float]:
    """Field -> what keeping its value, instead of another row's, adds to the outcome.

    Args:
        outcomes: (n,) of n requests.
        request: the row.
        others: rows that values are taken from.
        chances: whether outcomes are probabilities: the model is then fitted to their log-odds.
        seed: of the neighbours.
    """
    generator = np.random.default_rng(seed)
    names = list(request)
    kept = generator.random((SAMPLES, len(names))) < 0.5
    kept[0] = True
    donors = generator.integers(len(others), size=kept.shape)
    neighbours = [
        {
            name: request[name] if kept[row, place] else others[donors[row, place]].get(name)
            for place, name in enumerate(names)
        }
        for row in range(SAMPLES)
    ]
    value = outcomes(neighbours)
    if chances:
        value = np.clip(value, _TINY, 1 - _TINY)
        value = np.log(value / (1 - value))
    width = 0.75 * math.sqrt(len(names))
    distance = np.sqrt((~kept).sum(axis=1))
    nearness = np.exp(-((distance / width) ** 2))
    design = np.column_stack([np.ones(SAMPLES), kept])
    weighted = design * nearness[:, None]
    penalty = _RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    found = np.linalg.solve(design.T @ weighted + penalty, weighted.T @ value)
    return dict(zip(names, found[1:].tolist(), strict=True))
