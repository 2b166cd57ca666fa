"""How near made rows lie to the real ones that they were made from.

A generator that has learnt rows by heart gives people away. What counts is not how near made rows
are, but whether they are nearer than rows of people whom it never saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from luodi.contracts import JsonValue
from luodi.data.augment.columns import Numbers, column_of

_MOST = 2000
"""Rows of each table that are compared; a share and a quantile need no more."""
_BLOCK = 64


@dataclass(frozen=True)
class Privacy:
    """Distances to the closest training row (0: a copy; 1: another in everything).

    The distance is Gower's (1971): numbers by their difference over the training rows' range,
    words by whether they differ, the mean over the columns.

    Attributes:
        made_median, made_low: median and 5 % quantile over the made rows.
        held_median, held_low: the same over held-out real rows.
        copies: made rows that are a training row; held_copies: held-out rows that are one.
        nearer: share of made rows that lie nearer to a training row than to any of as many
            held-out rows; half of them do by chance.
        made, held: how many rows were compared.
    """

    made_median: float
    made_low: float
    held_median: float
    held_low: float
    copies: int
    held_copies: int
    nearer: float
    made: int
    held: int

    @property
    def suspicious(self) -> bool:
        """Whether made rows lie nearer to training rows than strangers do, beyond chance."""
        spread = 3 * 0.5 / max(self.made, 1) ** 0.5
        more_copies = self.copies / max(self.made, 1) > self.held_copies / max(self.held, 1) + 0.01
        return self.nearer > 0.5 + spread or self.made_low < 0.5 * self.held_low or more_copies

    def to_json(self) -> dict[str, JsonValue]:
        """The distances as JSON."""
        return asdict(self) | {"suspicious": self.suspicious}


def privacy_distance(
    made: pl.DataFrame, train: pl.DataFrame, held: pl.DataFrame, seed: int
) -> Privacy:
    """Hold made rows and held-out real rows against the training rows.

    Args:
        made, train, held: the same columns in each, held without a training row.
    """
    rng = np.random.default_rng(seed)
    columns = made.columns
    made, held = (_some(table.select(columns), _MOST, rng) for table in (made, held))
    train = train.select(columns)
    sampled = _some(train, max(held.height, 1), rng)
    made_codes, train_codes, held_codes, sample_codes = _coded([made, train, held, sampled], train)
    of_made = _nearest(made_codes, train_codes)
    of_held = _nearest(held_codes, train_codes)
    to_train, to_held = _nearest(made_codes, sample_codes), _nearest(made_codes, held_codes)
    ties = 0.5 * (to_train == to_held)
    nearer = ((to_train < to_held) + ties).mean() if made.height and held.height else 0.5
    return Privacy(
        _quantile(of_made, 0.5),
        _quantile(of_made, 0.05),
        _quantile(of_held, 0.5),
        _quantile(of_held, 0.05),
        int((of_made == 0).sum()),
        int((of_held == 0).sum()),
        float(nearer),
        made.height,
        held.height,
    )


def _quantile(values: NDArray[np.float64], share: float) -> float:
    return float(np.quantile(values, share)) if len(values) else 0.0


def _some(table: pl.DataFrame, most: int, rng: np.random.Generator) -> pl.DataFrame:
    if table.height <= most:
        return table
    return table[np.sort(rng.choice(table.height, most, replace=False))]


Codes = tuple[NDArray[np.float32], NDArray[np.int64]]
"""(rows, numbers) over the range, NaN where missing; (rows, words) as codes."""


def _coded(tables: Sequence[pl.DataFrame], train: pl.DataFrame) -> list[Codes]:
    numbers: list[list[NDArray[np.float32]]] = [[] for _ in tables]
    words: list[list[NDArray[np.int64]]] = [[] for _ in tables]
    for name in train.columns:
        column = column_of(train.get_column(name))
        if isinstance(column, Numbers):
            width = (column.high - column.low) or 1.0
            for place, table in enumerate(tables):
                values = (column.read(table.get_column(name)) - column.low) / width
                numbers[place].append(values.astype(np.float32))
        else:
            places: dict[object, int] = {}
            for place, table in enumerate(tables):
                coded = [
                    places.setdefault(v, len(places)) for v in table.get_column(name).to_list()
                ]
                words[place].append(np.array(coded, np.int64))
    return [
        (
            np.stack(n, 1) if n else np.zeros((table.height, 0), np.float32),
            np.stack(w, 1) if w else np.zeros((table.height, 0), np.int64),
        )
        for n, w, table in zip(numbers, words, tables, strict=True)
    ]


def _nearest(rows: Codes, others: Codes) -> NDArray[np.float64]:
    """(rows): each row's distance to the nearest of the others; 1 where there is none."""
    numbers, words = rows
    count = len(numbers)
    found = np.ones(count)
    parts = numbers.shape[1] + words.shape[1]
    if not len(others[0]) or not parts:
        return found
    for start in range(0, count, _BLOCK):
        block = slice(start, start + _BLOCK)
        total = np.zeros((len(numbers[block]), len(others[0])), np.float32)
        for place in range(numbers.shape[1]):
            mine, theirs = numbers[block, place, None], others[0][None, :, place]
            apart = np.minimum(np.abs(mine - theirs), 1)
            both = np.isnan(mine) & np.isnan(theirs)
            total += np.where(both, 0, np.where(np.isnan(apart), 1, apart))
        for place in range(words.shape[1]):
            total += words[block, place, None] != others[1][None, :, place]
        found[block] = total.min(1) / parts
    return found
