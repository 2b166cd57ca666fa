"""A column as it is looked at for leaks, and the label that it may give away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from luodi.contracts import ColumnKind, Format
from luodi.data.leaks.evidence import LEAST_ROWS
from luodi.data.levels import levels

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_BINS = 64
_ROWS_A_BIN = 20
_LEAST_TOLD = 40
"""Labelled rows below which nothing can be said."""
_MOST_CLASSES = 50
FEW = 20
"""Different numbers up to which each is looked at as a category is."""
_MANY, _OFTENER = 0.05, 10
"""The share of all rows that have a number which means none, and how much oftener it stands there
than any other: a leaf's commonest width is a width."""
_DAY = 86_400e6
"""Microseconds."""


@dataclass(frozen=True)
class Truth:
    """Labels as codes (n,) with their names, or numbers (n,) without."""

    values: NDArray[np.float64]
    names: tuple[str, ...]

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """(n,) places in `names`."""
        import numpy as np

        return self.values.astype(np.int64)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(k,) rows of each label."""
        import numpy as np

        return np.bincount(self.codes, minlength=len(self.names))

    def of(self, rows: NDArray[Any]) -> Truth | None:
        """Of some rows alone; None where they are too few, of some label or altogether."""
        part = Truth(self.values[rows], self.names)
        if not self.names:
            return part if len(part.values) >= _LEAST_TOLD and part.values.std() > 0 else None
        return part if part.counts.min() >= LEAST_ROWS else None


def truth_of(label: pl.Series) -> tuple[NDArray[np.int64], Truth] | None:
    """The places that can be told something of, and their truth.

    Of labels those are the rows of common ones: a stray label must not hide a leak.
    """
    import numpy as np

    places = np.arange(len(label))
    if not label.dtype.is_numeric():
        names, codes = levels(label)
        counts = np.bincount(codes)
        commonest = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
        common = np.sort(commonest[counts[commonest] >= LEAST_ROWS])
        places = np.flatnonzero(np.isin(codes, common))
        if len(places) < _LEAST_TOLD or len(common) < 2:
            return None
        values = np.searchsorted(common, codes[places]).astype(np.float64)
        return places, Truth(values, tuple(names[number] for number in common))
    values = label.to_numpy().astype(np.float64)
    if len(places) < _LEAST_TOLD or not values.std() > 0:
        return None
    return places, Truth(values, ())


@dataclass(frozen=True)
class Suspect:
    """A feature column of n rows, read as its kind.

    Attributes:
        missing: (n,) where nothing is known.
        numbers: (n,) of numbers and dates (as days), NaN where nothing is known; else None.
        values: the different values as text; none of numbers that have more than a few.
        places: (n,) where in `values` each row's is, -1 where it is none of them.
        running: whether it is a number given out row by row.
        texts: (n,) of free texts.
    """

    name: str
    kind: ColumnKind
    missing: NDArray[np.bool_]
    numbers: NDArray[np.float64] | None
    values: tuple[str, ...]
    places: NDArray[np.int64]
    running: bool = False
    texts: pl.Series | None = None

    @cached_property
    def bins(self) -> NDArray[np.int64]:
        """(n,) cells by which the label is told, the missing in one of their own."""
        import numpy as np

        if self.numbers is None:
            return np.where(self.missing, len(self.values), self.places)
        there = self.numbers[~self.missing]
        wanted = min(_BINS, max(len(there) // _ROWS_A_BIN, 5))
        edges = np.unique(there)
        if len(edges) > wanted:
            edges = np.unique(np.quantile(there, np.linspace(0, 1, wanted + 1)[1:-1]))
        bins = np.searchsorted(edges, self.numbers, side="right")
        return np.where(self.missing, _BINS + 1, bins)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(v,) rows of each value."""
        import numpy as np

        return np.bincount(self.places[self.places >= 0], minlength=len(self.values))


def suspect(whole: pl.Series, rows: NDArray[np.int64], kind: ColumnKind | None) -> Suspect | None:
    """The column's `rows` as they are looked at; None for what holds no single values.

    Args:
        kind: as the project file has it; else it is recognised by the whole column.
    """
    import numpy as np

    from luodi.data.formats import as_words, format_of
    from luodi.data.kinds import recognise

    if whole.dtype.is_nested():
        return None
    found = kind or recognise(whole)
    running = found == "ignore" and whole.n_unique() > 2
    column = whole[rows]
    numbers = _numbers(column, found, format_of(whole, found))
    if numbers is not None:
        missing = np.isnan(numbers)
        values, places = _few(numbers, missing)
        return Suspect(column.name, found, missing, numbers, values, places, running)
    words = as_words(column)
    values = tuple(words.drop_nulls().unique().sort().to_list())
    places = (words.rank("dense").cast(int) - 1).fill_null(-1).to_numpy().astype(np.int64)
    texts = words if found == "text" else None
    return Suspect(column.name, found, places < 0, None, values, places, running, texts)


def _numbers(column: pl.Series, kind: ColumnKind, form: Format) -> NDArray[np.float64] | None:
    """(n,) numbers, and days since 1970; None where it is neither."""
    import numpy as np

    from luodi.data.kinds import as_dates, as_numbers
    from luodi.data.moments import microseconds

    if kind == "date":
        times = microseconds(as_dates(column, form))
        assert times is not None  # noqa: S101  # of texts
        days: NDArray[np.float64] = times.cast(float).fill_null(float("nan")).to_numpy() / _DAY
        return days
    numeric = column.dtype.is_numeric() and kind not in ("category", "text", "boolean")
    if kind != "number" and not numeric:
        return None
    return as_numbers(column, form).fill_null(float("nan")).to_numpy().astype(np.float64)


def _few(
    numbers: NDArray[np.float64], missing: NDArray[np.bool_]
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The values of numbers that have a few; of others the one that many rows have: none spent."""
    import numpy as np

    places = np.full(len(numbers), -1)
    values, codes, counts = np.unique(numbers[~missing], return_inverse=True, return_counts=True)
    if len(values) > FEW:
        first = int(counts.argmax())
        if not _stands_out(counts, len(numbers)):
            return (), places
        values, codes = values[first : first + 1], np.where(codes == first, 0, -1)
    places[~missing] = codes
    return tuple(f"{value:.15g}" for value in values), places


def _stands_out(counts: NDArray[np.int64], rows: int) -> bool:
    """Whether half of the rows have the commonest value, or many of them and no other value."""
    import numpy as np

    second, first = np.sort(counts)[-2:]
    return bool(first >= rows / 2 or (first >= _MANY * rows and first >= _OFTENER * second))
