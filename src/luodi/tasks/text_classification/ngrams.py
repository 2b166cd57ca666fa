"""Character and word n-grams of many texts at once, as hashes.

The same function runs in training and in serving, on NumPy alone, so the two cannot differ. A
text's code points c lie behind one another in one array; with prefix sums C[i] = sum of
c[j] * P**j for j < i (modulo 2**64, P odd and so invertible), the hash of any piece [s, e) is
(C[e] - C[s]) * P**-s: polynomial hashing (Karp and Rabin 1987), every n-gram in a few array
operations. A finalizer then spreads the bits (Steele et al. 2014, SplitMix64).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_P = np.uint64(0x9E3779B97F4A7C15)
_P_INVERSE = np.uint64(pow(int(_P), -1, 2**64))
_WORD_SALT = np.uint64(0xD1B54A32D192ED03)
_PAIR = np.uint64(0xBF58476D1CE4E5B9)
_BLOCK = 1 << 20
"""Code points hashed at a time: bounds the memory of a large table."""


def normalise(text: str) -> str:
    """Width, case and white space evened out, a blank at either end so that edges are seen."""
    return f" {' '.join(unicodedata.normalize('NFKC', text).lower().split())} "


def hashed_ngrams(
    texts: Sequence[str], longest: int = 4, words: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """The n-grams of each text.

    Args:
        texts: n texts, as they came.
        longest: character n-grams have 1 to `longest` characters.
        words: also single words and pairs of neighbours, where a script has words.

    Returns:
        (m,) row of each n-gram, ascending, and (m,) its hash; an n-gram met twice stands twice.
    """
    rows: list[NDArray[np.int64]] = []
    hashes: list[NDArray[np.uint32]] = []
    start = 0
    clean = [normalise(text) for text in texts]
    while start < len(clean):
        stop, size = start, 0
        while stop < len(clean) and (size == 0 or size + len(clean[stop]) <= _BLOCK):
            size += len(clean[stop])
            stop += 1
        block_rows, block_hashes = _block(clean[start:stop], longest, words)
        rows.append(block_rows + start)
        hashes.append(block_hashes)
        start = stop
    if not rows:
        return np.empty(0, np.int64), np.empty(0, np.uint32)
    return np.concatenate(rows), np.concatenate(hashes)


def _block(
    texts: Sequence[str], longest: int, words: bool
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    points = np.frombuffer(
        "".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32
    ).astype(np.uint64)
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    row = np.repeat(np.arange(len(texts)), lengths)
    power, inverse = _powers(1 << max(10, len(points).bit_length()))
    prefix = np.zeros(len(points) + 1, dtype=np.uint64)
    np.cumsum((points + np.uint64(1)) * power[: len(points)], out=prefix[1:])
    ends = np.cumsum(lengths)[row]
    found_rows: list[NDArray[np.int64]] = []
    found: list[NDArray[np.uint64]] = []
    start = np.arange(len(points))
    for n in range(1, longest + 1):
        start = start[start + n <= ends[start]]
        kept = start[points[start] != 32] if n == 1 else start  # a lone blank says nothing
        found.append(_piece(prefix, inverse, kept, kept + n) + np.uint64(n))
        found_rows.append(row[kept])
    if words:
        for where, value in _words(points, row, prefix, inverse):
            found_rows.append(where)
            found.append(value)
    all_rows = np.concatenate(found_rows)
    order = np.argsort(all_rows, kind="stable")
    return all_rows[order], _spread(np.concatenate(found))[order]


def _words(
    points: NDArray[np.uint64],
    row: NDArray[np.int64],
    prefix: NDArray[np.uint64],
    inverse: NDArray[np.uint64],
) -> list[tuple[NDArray[np.int64], NDArray[np.uint64]]]:
    """Words (runs of letters and digits of scripts that set blanks) and pairs of neighbours."""
    inside = _is_word(points)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], inside.view(np.int8), [0]))))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts):
        return []
    value = _piece(prefix, inverse, starts, stops) ^ _WORD_SALT
    where = row[starts]
    together = where[1:] == where[:-1]
    pair = (value[:-1] * _PAIR + value[1:])[together]
    return [(where, value), (where[1:][together], pair)]


def _is_word(points: NDArray[np.uint64]) -> NDArray[np.bool_]:
    table = _word_table()
    clipped = np.minimum(points, len(table) - 1).astype(np.int64)
    return table[clipped]


@lru_cache(maxsize=1)
def _word_table() -> NDArray[np.bool_]:
    # Chinese, Japanese and Korean ideographs and kana set no blanks: their words are left to
    # the character n-grams.
    table = np.array([chr(point).isalnum() for point in range(0x2E80)] + [False], dtype=np.bool_)
    table[ord("'")] = True
    return table


@lru_cache(maxsize=4)
def _powers(count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    power = np.full(count, _P)
    power[0] = 1
    inverse = np.full(count, _P_INVERSE)
    inverse[0] = 1
    return np.cumprod(power), np.cumprod(inverse)


def _piece(
    prefix: NDArray[np.uint64],
    inverse: NDArray[np.uint64],
    start: NDArray[np.int64],
    stop: NDArray[np.int64],
) -> NDArray[np.uint64]:
    return (prefix[stop] - prefix[start]) * inverse[start]


def _spread(value: NDArray[np.uint64]) -> NDArray[np.uint32]:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (value >> np.uint64(32)).astype(np.uint32)
