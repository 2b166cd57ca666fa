"""A table that passes by: read once, onto the disk, then given back some rows at a time.

What it is read for needs each row once, and never all of them. The types are those of the whole
table all the same, and so are the checks: they come before the first row is given back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.contracts import Finding, Progress
from luodi.data.fetching import Access
from luodi.data.header import Header
from luodi.data.numerals import Watched, infer_types
from luodi.data.reading import Part
from luodi.data.sources import gather

if TYPE_CHECKING:
    import polars as pl

HELD = 2 << 20
"""Bytes of a file that is loaded instead: no more than one block of a long one."""


@dataclass(frozen=True)
class Passing:
    """The rows of one file, and what was noticed when it was read.

    Attributes:
        numbers: columns of texts that become numbers, in a file that has its own types.
    """

    part: Part
    findings: list[Finding]
    numbers: Mapping[str, pl.DataType]

    @property
    def rows(self) -> int:
        """How many."""
        return self.part.rows

    def blocks(self, most: int) -> Iterator[pl.DataFrame]:
        """The rows in order, at most so many at a time."""
        import polars as pl

        for table in self.part.tables():
            typed = infer_types(table) if self.part.table is not None else table
            casts = [pl.col(name).cast(kind) for name, kind in self.numbers.items()]
            yield from typed.with_columns(casts).iter_slices(most)


def passing(
    source: str, root: Path, scratch: Path, progress: Progress, header: Header = None
) -> Passing | None:
    """The rows of one file; None where they must be read as one table.

    Args:
        source: a path, relative to `root`.
        scratch: a folder for its pieces; they are needed as long as the rows.
        header: where the names of columns come from.

    Returns:
        None for a file without rows, and for one that packs several: their types are settled over
        all of them.

    Raises:
        DataError: as `collect` does, with file and line.
    """
    gathered = gather(source, root, progress, Access(scratch, root), HELD, header)
    if len(gathered.parts) != 1 or not gathered.rows:
        return None
    return Passing(gathered.parts[0], gathered.findings, _numbers(gathered.parts[0]))


def _numbers(part: Part) -> dict[str, pl.DataType]:
    """Which texts of a long file of columns are numbers throughout: its rows are gone through once
    before, where it has texts. What a text file was made into is settled already."""
    import polars as pl

    if part.table is not None or not part.columnar:
        return {}
    seen = Watched()
    for table in part.tables():
        texts = table.select(pl.col(pl.String))
        if texts.width:
            seen.see(texts)
    kinds = {name: seen.kind(name) for name in part.columns if name in seen.filled}
    return {name: kind for name, kind in kinds.items() if kind is not None}
