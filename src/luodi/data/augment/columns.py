"""Columns as numbers that a sampler can work on, and the way back to the columns' own types."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Numbers:
    """A column of numbers or times: as floats, what is missing as NaN.

    Attributes:
        whole: there were no fractions, and there are to be none.
        low, high: the ends of what was seen.
    """

    name: str
    dtype: pl.DataType
    whole: bool
    low: float
    high: float

    @classmethod
    def of(cls, column: pl.Series) -> Numbers:
        """The column's facts."""
        values = _floats(column)
        known = values[np.isfinite(values)]
        whole = not column.dtype.is_float() or bool(np.all(known == np.round(known)))
        ends = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        return cls(column.name, column.dtype, whole, *ends)

    def read(self, column: pl.Series) -> Floats:
        """(rows): the values, NaN where there is none."""
        return _floats(column)

    def write(self, values: Floats) -> pl.Series:
        """The column again: within the ends, whole where it was, NaN as missing."""
        inside = np.clip(values, self.low, self.high)
        if self.whole:
            inside = np.round(inside)
        series = pl.Series(self.name, inside, nan_to_null=True)
        if self.dtype.is_temporal():
            return series.cast(pl.Int64).cast(self.dtype)
        return series.cast(self.dtype)


@dataclass(frozen=True)
class Categories:
    """A column of words or truth values: as places in the list of what was seen, commonest first.

    What is missing is a value of its own.
    """

    name: str
    dtype: pl.DataType
    values: tuple[object, ...]

    @classmethod
    def of(cls, column: pl.Series) -> Categories:
        """The column's facts."""
        counts = column.value_counts(sort=True, name="__rows__")
        counts = counts.sort("__rows__", column.name, descending=[True, False])
        return cls(column.name, column.dtype, tuple(counts.get_column(column.name).to_list()))

    def read(self, column: pl.Series) -> NDArray[np.int64]:
        """(rows): each value's place."""
        places = {value: place for place, value in enumerate(self.values)}
        return np.array([places[value] for value in column.to_list()], np.int64)

    def write(self, places: NDArray[np.int64]) -> pl.Series:
        """The column again."""
        values = [self.values[place] for place in places.tolist()]
        return pl.Series(self.name, values, dtype=self.dtype)


Column = Numbers | Categories


def column_of(column: pl.Series) -> Column:
    """What kind of column it is."""
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        return Numbers.of(column)
    return Categories.of(column)


def _floats(column: pl.Series) -> Floats:
    if column.dtype.is_temporal():
        column = column.to_physical()
    values: Floats = column.cast(pl.Float64).fill_null(float("nan")).to_numpy().copy()
    values[~np.isfinite(values)] = np.nan
    return values
