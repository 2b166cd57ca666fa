"""Some rows of a table that is too large: drawn evenly, the same ones each time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from luodi.contracts import ROW, DataError, say
from luodi.data.reading import Part
from luodi.project.machine import memory_bytes

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_SEED = 7
_SHARE = 0.5  # of the free memory: what is done with a table needs room as well


def drawn(total: int, sample: int) -> NDArray[np.int64]:
    """(sample) places out of `total`, sorted: each row as likely as any other."""
    import numpy as np

    return np.sort(np.random.default_rng(_SEED).choice(total, size=sample, replace=False))


def sampled(parts: Sequence[Part], chosen: NDArray[np.int64]) -> list[pl.DataFrame]:
    """The chosen rows, each with its place among all in the column ROW; a piece at a time."""
    import numpy as np
    import polars as pl

    found, start = [], 0
    for part in parts:
        for table in part.tables():
            low, high = np.searchsorted(chosen, [start, start + table.height])
            places = chosen[low:high]
            found.append(
                table[places - start].with_columns(pl.Series(ROW, places, dtype=pl.UInt32))
            )
            start += table.height
    return found


class TooLarge(NamedTuple):
    """A table that this machine cannot hold: its bytes, those that are free, the rows that fit."""

    size: float
    free: int
    fits: int

    def refused(self, source: str, rows: int) -> DataError:
        """The error for it, which names the size and `data.sample`."""
        gib = 1 << 30
        return DataError(
            say(f"{source} holds {rows:,} rows, about {self.size / gib:.1f} GiB in memory.",
                f"{source} 有 {rows:,} 行，在内存中约 {self.size / gib:.1f} GiB。"),
            say(f"There are {self.free / gib:.1f} GiB free.",
                f"可用内存为 {self.free / gib:.1f} GiB。"),
            say(f"Learn from some of them: data.sample: {self.fits}.",
                f"请抽取部分行：data.sample: {self.fits}。"),
        )  # fmt: skip


def too_large(parts: Sequence[Part]) -> TooLarge | None:
    """What is known of a table that the memory does not hold, before it is loaded; None of one that
    it holds."""
    scanned = [part for part in parts if part.pieces]
    free, _ = memory_bytes()
    if not scanned or not free:
        return None
    size = 0.0
    for part in scanned:
        first = next(part.tables())
        size += first.estimated_size() / max(first.height, 1) * part.rows
    if size <= free * _SHARE:
        return None
    rows = sum(part.rows for part in parts)
    fits = int(rows * free * _SHARE / size) // 1000 * 1000
    return TooLarge(size, free, max(fits, 1000))
