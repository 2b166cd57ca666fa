"""Every pair of texts above a similarity, by the definition: no signatures, no buckets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from luodi.data.normal import normalise_all
from luodi.data.shingles import distinct, shingles

_ROWS = 500


def pairs_above(texts: list[str], similarity: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(pairs,) and (pairs,) the places of all pairs whose shingles' Jaccard similarity is enough.

    Shared shingles are counted by a product of sparse incidence matrices, block by block: exact.
    """
    from scipy.sparse import csr_matrix

    sets = distinct(shingles(normalise_all(texts)))
    _, columns = np.unique(sets.hashes, return_inverse=True)
    shape = (len(texts), int(columns.max()) + 1)
    matrix = csr_matrix((np.ones(len(columns), np.int32), columns, sets.starts), shape)
    sizes = np.diff(sets.starts)
    left: list[NDArray[np.int64]] = []
    right: list[NDArray[np.int64]] = []
    for start in range(0, len(texts), _ROWS):
        shared = (matrix[start : start + _ROWS] @ matrix.T).tocoo()
        one, other = shared.row + start, shared.col
        score = shared.data / (sizes[one] + sizes[other] - shared.data)
        near = (score >= similarity) & (one < other)
        left.append(one[near].astype(np.int64))
        right.append(other[near].astype(np.int64))
    return np.concatenate(left), np.concatenate(right)
