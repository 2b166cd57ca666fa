"""What making rows will take, told before any is made.

The seconds are of one core, measured on tables of 1,000 to 20,000 rows and 6 to 50 columns, where
they are right within a factor of two or so; back-translation depends on the model that is given.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import polars as pl

from luodi.contracts import AugmentSettings, Dataset, Role, TableAugment, TextAugment

_TEXT, _TRANSLATED = 1e-4, 0.5
"""Seconds a changed text, and one that goes through two translators."""
_MODES = 12
"""Places that a number takes in the network's code: its value, and which of its modes."""
_TORCH = 3e8


class Cost(NamedTuple):
    """Rows that are made at the most, the seconds and the bytes that it takes."""

    rows: int = 0
    seconds: float = 0.0
    bytes: int = 0

    def __add__(self, other: object) -> Cost:
        """Both, one after the other."""
        assert isinstance(other, Cost)  # noqa: S101
        return Cost(
            self.rows + other.rows, self.seconds + other.seconds, max(self.bytes, other.bytes)
        )


def cost(train: Dataset, settings: AugmentSettings) -> Cost:
    """What the project asks to be made of this training part."""
    found = Cost()
    if settings.text is not None:
        found += _of_texts(train, settings.text)
    if settings.table is not None:
        network = settings.table.way == "ctgan"
        found += (_of_network if network else _of_neighbours)(train, settings.table)
    return found


def _of_texts(train: Dataset, settings: TextAugment) -> Cost:
    made = settings.copies * train.rows
    abroad = settings.ways.count("back_translation") / max(len(settings.ways), 1)
    columns = len(train.columns(Role.TEXT))
    return Cost(made, made * columns * (_TEXT + abroad * _TRANSLATED), made * 500)


def _of_neighbours(train: Dataset, settings: TableAugment) -> Cost:
    """Each row of a rare class is held against the others of its class, column by column."""
    if not train.columns(Role.LABEL):
        return Cost()
    counts = Counter(train.table.get_column(train.column(Role.LABEL)).drop_nulls().to_list())
    most = max(counts.values(), default=0)
    made = sum(max(0, round(settings.ratio * most) - count) for count in counts.values())
    width = len(train.columns(Role.FEATURE)) + 1
    return Cost(made, 0.3 + 4e-10 * train.rows**2 * width, train.rows * width * 24)


def _of_network(train: Dataset, settings: TableAugment) -> Cost:
    """Its modes are found, then it is trained, asked, and held against rows it never saw."""
    rows, made = train.rows, round(settings.ratio * train.rows)
    names = [*train.columns(Role.FEATURE), *train.columns(Role.LABEL)]
    columns = [train.table.get_column(name) for name in names]
    numbers = sum(
        1 for column in columns if column.dtype.is_numeric() or column.dtype.is_temporal()
    )
    words = sum(column.n_unique() for column in columns if column.dtype in (pl.String, pl.Boolean))
    width = _MODES * numbers + words
    batch = max(10, min(500, rows // 10))
    steps = settings.epochs * max(1, rows // batch)
    seconds = (
        1.0
        + 5e-5 * rows * numbers
        + steps * (0.012 + batch * (2e-5 + 7e-7 * width))
        + 1e-6 * made * width
        + 1e-8 * 2000 * rows * len(columns)
    )
    return Cost(made, seconds, int(_TORCH + 12 * (rows + made) * width))
