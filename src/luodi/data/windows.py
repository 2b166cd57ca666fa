"""Long texts in pieces that a model can take, and texts of one length together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

BATCH = 32


def same_length(lengths: Sequence[int], batch: int = BATCH) -> Iterator[list[int]]:
    """Places of equal lengths, at most `batch` together.

    Padding changes what a recurrent or a quantised model answers: a request must get the very
    mask that it got as a row.
    """
    groups: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        groups.setdefault(length, []).append(place)
    for places in groups.values():
        for start in range(0, len(places), batch):
            yield places[start : start + batch]


def windows(length: int, size: int, overlap: int) -> list[tuple[int, int]]:
    """(start, end) of pieces of at most `size` that overlap and cover `length`."""
    if length <= size:
        return [(0, length)]
    step = size - overlap
    starts = range(0, length - overlap, step)
    return [(start, min(start + size, length)) for start in starts]
