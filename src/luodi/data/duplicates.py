"""Copies and near-copies among texts, in Chinese and English, for a million rows on two cores.

Exact copies are equal after normalisation. Near-copies are pairs whose sets of shingles have a
Jaccard similarity of at least `similarity`; they are found by MinHash signatures cut into bands
(Broder 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3) and every
candidate is then verified on the sets themselves. Groups are the connected components.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from luodi.contracts import Progress, Quiet
from luodi.data.chance import stream
from luodi.data.normal import normalise_all
from luodi.data.shingles import Shingles, distinct, shingles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# 14 bands of 6: a pair at Jaccard 0.8 shares a band with probability 0.986, one at 0.4 with 0.06.
BANDS, BAND_ROWS = 14, 6
# Within a bucket each row is compared with this many that follow it: buckets up to WINDOW + 1 rows
# in full, a crowd of thousands in linear time. Rows of a bucket are sorted by the next band too,
# so the likest stand side by side; the 14 bands give 14 orders.
WINDOW = 24
_CHARACTERS_AT_ONCE = 1 << 21
_PAIRS_AT_ONCE = 1 << 17


class Pairs(NamedTuple):
    """Verified near-copies: rows `left[i] < right[i]` with Jaccard `similarity[i]`."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    similarity: NDArray[np.float64]


class Sketch(NamedTuple):
    """What the search knows of n texts.

    `keys` (bands, n) uint32: texts with equal keys in a band are candidates. `marks`
    (n, bands x rows) uint8: the low byte of each MinHash value; the share of equal bytes of two
    texts estimates their similarity.
    """

    sets: Shingles
    keys: NDArray[np.uint32]
    marks: NDArray[np.uint8]


def exact_groups(texts: Sequence[str]) -> NDArray[np.int64]:
    """A group number for each row; rows whose normalised texts are equal share one.

    Numbers count from 0 in the order of first appearance.
    """
    return numbered(normalise_all(texts))


def numbered(values: Sequence[str]) -> NDArray[np.int64]:
    """Equal values get equal numbers, from 0 in the order of first appearance."""
    import numpy as np

    numbers: dict[str, int] = {}
    found = (numbers.setdefault(value, len(numbers)) for value in values)
    return np.fromiter(found, np.int64, len(values))


def near_groups(
    texts: Sequence[str],
    similarity: float = 0.8,
    progress: Progress = Quiet(),  # noqa: B008
) -> NDArray[np.int64]:
    """A group number for each row; rows joined by a chain of near-copies share one.

    Args:
        texts: as they are; they are normalised here. Order changes no group.
        similarity: the Jaccard similarity from which two texts are near-copies.
        progress: told of each step.

    Returns:
        (n,) numbers from 0, in the order of first appearance.
    """
    import numpy as np

    found = near_pairs(texts, similarity, progress)
    joined = components(found.left, found.right, len(texts))
    return first_appearance(joined) if len(joined) else np.zeros(0, np.int64)


def near_pairs(
    texts: Sequence[str],
    similarity: float = 0.8,
    progress: Progress = Quiet(),  # noqa: B008
) -> Pairs:
    """Verified pairs of near-copies, enough to connect each group; not every pair of a crowd.

    Exact copies are paired with their first row (similarity 1).
    """
    import numpy as np

    normal = normalise_all(texts)
    order = np.argsort(np.array(normal, dtype=np.dtypes.StringDType()), kind="stable")
    exact = numbered(normal)
    first = np.flatnonzero(first_rows(exact))
    # Sorted by content, so that nothing depends on the order in which rows came.
    rank = np.empty(len(texts), np.int64)
    rank[order] = np.arange(len(texts))
    unique = first[np.argsort(rank[first])]
    links = _Search(similarity, progress).run([normal[row] for row in unique])
    again = np.flatnonzero(~first_rows(exact))
    left = np.concatenate((unique[links.left], first[exact[again]]))
    right = np.concatenate((unique[links.right], again))
    scores = np.concatenate((links.similarity, np.ones(len(again))))
    return Pairs(np.minimum(left, right), np.maximum(left, right), scores)


def first_rows(groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows are the first of their group."""
    import numpy as np

    mark = np.zeros(len(groups), np.bool_)
    mark[np.unique(groups, return_index=True)[1]] = True
    return mark


def first_appearance(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups, numbered from 0 in the order of first appearance."""
    import numpy as np

    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    numbers = np.empty(len(first), np.int64)
    numbers[np.argsort(first)] = np.arange(len(first))
    ordered: NDArray[np.int64] = numbers[inverse]
    return ordered


def components(left: NDArray[np.int64], right: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The connected components of a graph: for each of `count` nodes, the least node it reaches.

    Hooking and pointer jumping over all edges at once (Shiloach and Vishkin 1982): a few dozen
    passes at most, whatever the shape.
    """
    import numpy as np

    return connect(np.arange(count), left, right)


def connect(
    root: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The components after edges are added to those that `root` already tells."""
    import numpy as np

    root = root.copy()
    while len(left):
        low, high = root[left], root[right]
        apart = low != high
        if not apart.any():
            break
        left, right, low, high = left[apart], right[apart], low[apart], high[apart]
        np.minimum.at(root, np.maximum(low, high), np.minimum(low, high))
        while True:  # every node points at its root
            higher = root[root]
            if (higher == root).all():
                break
            root = higher
    return root


class _Search:
    """One search for near-copies among distinct texts."""

    def __init__(self, similarity: float, progress: Progress) -> None:
        self.similarity, self.progress = similarity, progress
        self.threads = max(
            1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        )

    def run(self, texts: Sequence[str]) -> Pairs:
        """The links among texts, by their places."""
        import numpy as np

        nothing = np.zeros(0, np.int64)
        found = [Pairs(nothing, nothing, np.zeros(0))]
        if len(texts) < 2:
            return found[0]
        sets, keys, marks = self._sketch(texts)
        sizes = np.diff(sets.starts)
        root = np.arange(len(texts))
        for band in range(BANDS):
            self.progress.step(BANDS + band, 2 * BANDS, "near-copies")
            for left, right in _candidates(keys, band):
                apart = np.flatnonzero(root[left] != root[right])
                near = apart[self._likely(left[apart], right[apart], sizes, marks)]
                pairs = self._verified(sets, left[near], right[near])
                found.append(pairs)
                root = connect(root, pairs.left, pairs.right)
        self.progress.step(2 * BANDS, 2 * BANDS)
        return Pairs(*(np.concatenate(part) for part in zip(*found, strict=True)))

    def _sketch(self, texts: Sequence[str]) -> Sketch:
        """Every text's set of shingles, band keys and marks."""
        import numpy as np

        parts = list(_parts(texts))
        done: list[Sketch] = []
        with ThreadPoolExecutor(self.threads) as pool:
            for result in pool.map(_minhash, parts):
                done.append(result)
                self.progress.step(BANDS * len(done) / len(parts), 2 * BANDS, "shingles")
        counts = np.concatenate([np.diff(part.sets.starts) for part in done])
        starts = np.concatenate(([0], np.cumsum(counts)))
        hashes = np.concatenate([part.sets.hashes for part in done])
        return Sketch(
            Shingles(hashes, starts),
            np.concatenate([part.keys for part in done], axis=1),
            np.concatenate([part.marks for part in done]),
        )

    def _likely(
        self,
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        sizes: NDArray[np.int64],
        marks: NDArray[np.uint8],
    ) -> NDArray[np.int64]:
        """Which pairs are worth verifying: of like size, and of like signature."""
        import numpy as np

        low = np.minimum(sizes[left], sizes[right])
        high = np.maximum(sizes[left], sizes[right])
        near = np.flatnonzero(low >= self.similarity * high)
        agree = np.empty(len(near), np.int64)
        for at in range(0, len(near), _PAIRS_AT_ONCE):
            some = near[at : at + _PAIRS_AT_ONCE]
            same = marks[left[some]] == marks[right[some]]
            agree[at : at + _PAIRS_AT_ONCE] = np.count_nonzero(same, axis=1)
        # Four standard errors below the line: a true pair fails this once in thirty thousand.
        count = BANDS * BAND_ROWS
        slack = 4 * (self.similarity * (1 - self.similarity) / count) ** 0.5
        likely: NDArray[np.int64] = near[agree >= (self.similarity - slack) * count]
        return likely

    def _verified(self, sets: Shingles, left: NDArray[np.int64], right: NDArray[np.int64]) -> Pairs:
        import numpy as np

        scores = np.concatenate(
            [np.zeros(0)]
            + [
                jaccard(sets, left[at : at + _PAIRS_AT_ONCE], right[at : at + _PAIRS_AT_ONCE])
                for at in range(0, len(left), _PAIRS_AT_ONCE)
            ]
        )
        near = scores >= self.similarity
        return Pairs(left[near], right[near], scores[near])


def _parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in runs of some two million characters."""
    part: list[str] = []
    size = 0
    for text in texts:
        part.append(text)
        size += len(text)
        if size >= _CHARACTERS_AT_ONCE:
            yield part
            part, size = [], 0
    if part:
        yield part


def _minhash(texts: list[str]) -> Sketch:
    """The sketch of some texts: the least value of each of BANDS x BAND_ROWS hashes of a set.

    The hash of a shingle x is (x xor a) * b modulo 2**32, b odd: a permutation of the numbers.
    """
    import numpy as np

    sets = distinct(shingles(texts))
    factors = stream(BANDS * BAND_ROWS, 0, "minhash").astype("<u8").view("<u4").reshape(-1, 2)
    keys = np.zeros((BANDS, len(texts)), np.uint32)
    marks = np.empty((len(texts), BANDS * BAND_ROWS), np.uint8)
    scratch = np.empty_like(sets.hashes)
    for index, (offset, factor) in enumerate(factors):
        np.bitwise_xor(sets.hashes, offset, out=scratch)
        np.multiply(scratch, factor | np.uint32(1), out=scratch)
        least = np.minimum.reduceat(scratch, sets.starts[:-1])
        marks[:, index] = least.astype(np.uint8)
        key = keys[index // BAND_ROWS]
        key *= np.uint32(0x01000193)
        key ^= least
        key ^= key >> np.uint32(15)
    return Sketch(sets, keys, marks)


def _candidates(
    keys: NDArray[np.uint32], band: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of places that share the band's key, nearest neighbours first."""
    import numpy as np

    following = keys[(band + 1) % len(keys)].astype(np.uint64)
    joint = (keys[band].astype(np.uint64) << np.uint64(32)) | following
    order = np.argsort(joint, kind="stable")
    key = keys[band][order]
    for offset in range(1, WINDOW + 1):
        places = np.flatnonzero(key[offset:] == key[:-offset])
        if not len(places):
            return
        left, right = order[places], order[places + offset]
        yield np.minimum(left, right), np.maximum(left, right)


def jaccard(
    sets: Shingles, left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The Jaccard similarity of the sets of each pair of places."""
    import numpy as np

    if not len(left):
        return np.zeros(0)
    sizes = np.diff(sets.starts)
    both = np.concatenate((left, right))
    lengths = sizes[both]
    ends = np.cumsum(lengths)
    places = np.arange(ends[-1]) + np.repeat(sets.starts[both] - (ends - lengths), lengths)
    pair = np.repeat(np.tile(np.arange(len(left), dtype=np.uint64), 2), lengths)
    keys = (pair << np.uint64(32)) | sets.hashes[places]
    keys.sort()
    twice = keys[1:][keys[1:] == keys[:-1]] >> np.uint64(32)
    shared = np.bincount(twice.astype(np.int64), minlength=len(left))
    return shared / (sizes[left] + sizes[right] - shared)
