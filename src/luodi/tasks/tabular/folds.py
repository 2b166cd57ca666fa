"""A training part dealt out again, so that what learns is stopped by what it has not seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from luodi.tasks.tabular.fitting import Sample


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
