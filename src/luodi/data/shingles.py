"""Texts as sets of short runs of characters, as numbers, for a whole table at once.

What is compared is letters, digits and symbols; punctuation and white space are left out, so that
copies which differ in nothing else are copies. A shingle begins at each character. One that
begins at a Chinese, Japanese or Korean character spans 2 of them (about a word); at any other, 4
(about half a word): the length follows the character, not the text, because two near-copies must
be cut alike even when the one holds an English name more. A text too short for one shingle is one
shingle by itself: only an equal text is its copy.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from luodi.data.chance import GOLDEN, scrambled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WIDE, NARROW = 2, 4
# Han with its extensions, kana, hangul.
_WIDE_RANGES = (
    (0x1100, 0x11FF),
    (0x3040, 0x30FF),
    (0x3130, 0x318F),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)


class Shingles(NamedTuple):
    """The shingles of n texts: text i has `hashes[starts[i]:starts[i + 1]]`, at least one.

    `hashes` (total,) uint32, repeats within a text kept; `starts` (n + 1,) int64.
    """

    hashes: NDArray[np.uint32]
    starts: NDArray[np.int64]


@cache
def _spans() -> NDArray[np.uint8]:
    """For each code point, how many characters a shingle that begins there spans; 0: left out."""
    import numpy as np

    dropped = frozenset("PZC")
    kept = [unicodedata.category(chr(point))[0] not in dropped for point in range(0x110000)]
    spans = np.where(kept, NARROW, 0).astype(np.uint8)
    for first, last in _WIDE_RANGES:
        spans[first : last + 1][spans[first : last + 1] > 0] = WIDE
    return spans


def shingles(texts: Sequence[str]) -> Shingles:
    """The shingles of normalised texts. A text without letters, digits or symbols keeps its all."""
    import numpy as np

    count = len(texts)
    lengths = np.fromiter(map(len, texts), np.int64, count)
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    spans = _spans()[points]
    keep = spans > 0
    owner = np.repeat(np.arange(count), lengths)
    kept = np.bincount(owner[keep], minlength=count) if len(owner) else np.zeros(count, np.int64)
    bare = kept == 0
    if bare.any():
        keep |= bare[owner]
        kept = np.where(bare, lengths, kept)
        spans = np.where(spans == 0, NARROW, spans)
    points, spans, owner = points[keep], spans[keep], owner[keep]
    ends = np.cumsum(kept)
    hashes = _hashes(points, spans)
    complete = np.arange(len(points)) + spans <= ends[owner]
    counts = np.bincount(owner[complete], minlength=count) if len(owner) else kept
    short = np.flatnonzero(counts == 0)
    starts = np.concatenate(([0], np.cumsum(np.maximum(counts, 1))))
    out = np.empty(starts[-1], np.uint32)
    place = np.ones(len(out), np.bool_)
    place[starts[short]] = False
    out[place] = hashes[complete]
    out[starts[short]] = _whole(points, ends, kept, short)
    return Shingles(out, starts)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint32]:
    import numpy as np

    return (scrambled(values) >> np.uint64(32)).astype(np.uint32)


def _hashes(points: NDArray[np.uint32], spans: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The hash of the run of `spans[i]` characters from each place i on (past the end: zeros)."""
    import numpy as np

    padded = np.zeros(len(points) + NARROW, np.uint64)
    padded[: len(points)] = points
    base = np.uint64(GOLDEN)
    size = len(points)
    value = padded[:size] * base + padded[1 : size + 1]
    longer = (value * base + padded[2 : size + 2]) * base + padded[3 : size + 3]
    return _mixed(np.where(spans == WIDE, value, longer ^ np.uint64(NARROW)))


def _whole(
    points: NDArray[np.uint32],
    ends: NDArray[np.int64],
    kept: NDArray[np.int64],
    short: NDArray[np.int64],
) -> NDArray[np.uint32]:
    """The hash of each short text (fewer than NARROW characters) as one shingle."""
    import numpy as np

    value = np.zeros(len(short), np.uint64)
    for offset in range(NARROW):
        inside = offset < kept[short]
        at = np.minimum(ends[short] - kept[short] + offset, max(len(points) - 1, 0))
        sign = points[at].astype(np.uint64) if len(points) else np.zeros(len(short), np.uint64)
        grown = value * np.uint64(GOLDEN) + sign + np.uint64(1)
        value = np.where(inside, grown, value)
    return _mixed(value ^ np.uint64(0x5BF0_3635))


def distinct(found: Shingles) -> Shingles:
    """Each text's shingles as a set: sorted, each once."""
    import numpy as np

    count = len(found.starts) - 1
    owner = np.repeat(np.arange(count, dtype=np.uint64), np.diff(found.starts))
    keys = (owner << np.uint64(32)) | found.hashes
    keys.sort()
    first = np.ones(len(keys), np.bool_)
    first[1:] = keys[1:] != keys[:-1]
    keys = keys[first]
    counts = np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=count)
    return Shingles(keys.astype(np.uint32), np.concatenate(([0], np.cumsum(counts))))
