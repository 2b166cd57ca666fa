"""Columns as a generative network takes them: numbers by the mode that they belong to.

Source: Xu et al., Modeling Tabular Data using Conditional GAN (2019), arXiv:1907.00503, 4.2.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from luodi.data.augment.columns import Categories, Floats, Numbers, column_of

_MODES = 10
_LEAST_WEIGHT = 0.005
_FITTED_ON = 10_000
"""Rows that a mixture is fitted to; its modes do not move with more."""
_MOST_VALUES = 200
"""Different words of a column that are learnt by themselves; the rest are drawn as they came."""


@dataclass(frozen=True)
class Block:
    """Places in the encoded row that belong together.

    Attributes:
        start, end: of the one-hot part, `end` not included.
        scalar: the place of the number within its mode; None for words.
    """

    start: int
    end: int
    scalar: int | None = None


@dataclass(frozen=True)
class NumberCode:
    """A number as (its place within a mode, which mode); the last mode is "missing"."""

    column: Numbers
    means: Floats
    widths: Floats

    @property
    def width(self) -> int:
        """Places that it takes."""
        return 2 + len(self.means)

    @classmethod
    def learn(cls, column: Numbers, values: Floats, seed: int) -> NumberCode:
        """Fit the modes by a variational mixture of normal distributions."""
        from sklearn.mixture import BayesianGaussianMixture

        known = values[~np.isnan(values)]
        if len(np.unique(known)) < 3:
            centre = float(known.mean()) if len(known) else 0.0
            width = float(known.std()) if len(known) else 0.0
            return cls(column, np.array([centre]), np.array([width or 1.0]))
        rng = np.random.default_rng(seed)
        if len(known) > _FITTED_ON:
            known = rng.choice(known, _FITTED_ON, replace=False)
        scale = float(known.std())
        mixture = BayesianGaussianMixture(
            n_components=min(_MODES, len(np.unique(known))),
            weight_concentration_prior_type="dirichlet_process",
            weight_concentration_prior=0.001,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a mixture that has not settled is a mixture still
            mixture.fit((known / scale)[:, None])
        kept = mixture.weights_ > _LEAST_WEIGHT
        means = mixture.means_[kept, 0] * scale
        widths = np.sqrt(mixture.covariances_[kept, 0, 0]) * scale
        return cls(column, means, np.maximum(widths, 1e-9 * max(scale, 1)))

    def encode(self, values: Floats, rng: np.random.Generator) -> Floats:
        """(rows, width): each number in a mode drawn by how likely it is of it."""
        missing = np.isnan(values)
        filled = np.where(missing, self.means[0], values)
        place = (filled[:, None] - self.means) / self.widths
        chance = np.exp(-0.5 * np.minimum(place**2, 1400)) / self.widths + 1e-300
        ends = (chance / chance.sum(1, keepdims=True)).cumsum(1)
        mode = (rng.random((len(values), 1)) > ends[:, :-1]).sum(1)
        rows = np.arange(len(values))
        coded = np.zeros((len(values), self.width))
        coded[:, 0] = np.where(missing, 0, np.clip(place[rows, mode] / 4, -0.99, 0.99))
        coded[rows, 1 + np.where(missing, len(self.means), mode)] = 1
        return coded

    def decode(self, coded: Floats) -> pl.Series:
        """The column again."""
        mode = coded[:, 1:].argmax(1)
        known = np.minimum(mode, len(self.means) - 1)
        values = coded[:, 0] * 4 * self.widths[known] + self.means[known]
        return self.column.write(np.where(mode == len(self.means), np.nan, values))


@dataclass(frozen=True)
class WordCode:
    """A word as its place among the commonest; the last place stands for all others.

    `others` are the places of what is not learnt by itself, as often as they came.
    """

    column: Categories
    learnt: int
    others: NDArray[np.int64]

    @property
    def width(self) -> int:
        """Places that it takes."""
        return self.learnt + (len(self.others) > 0)

    @classmethod
    def learn(cls, column: Categories, places: NDArray[np.int64]) -> WordCode:
        """The words that are learnt by themselves."""
        learnt = min(len(column.values), _MOST_VALUES)
        return cls(column, learnt, places[places >= learnt])

    def encode(self, places: NDArray[np.int64]) -> Floats:
        """(rows, width)."""
        coded = np.zeros((len(places), self.width))
        coded[np.arange(len(places)), np.minimum(places, self.width - 1)] = 1
        return coded

    def decode(self, coded: Floats, rng: np.random.Generator) -> pl.Series:
        """The column again."""
        places = coded.argmax(1)
        other = places == self.learnt
        if other.any():
            places = places.copy()
            places[other] = rng.choice(self.others, int(other.sum()))
        return self.column.write(places)


class TableCode:
    """A table as rows of numbers between -1 and 1, and the way back.

    Attributes:
        blocks: where each column's places are, in the table's order.
        width: places of a row.
    """

    def __init__(self, codes: Sequence[NumberCode | WordCode]) -> None:
        self.codes = tuple(codes)
        self.blocks: list[Block] = []
        at = 0
        for code in self.codes:
            scalar = at if isinstance(code, NumberCode) else None
            start = at if scalar is None else at + 1
            self.blocks.append(Block(start, at + code.width, scalar))
            at += code.width
        self.width = at

    @classmethod
    def learn(cls, table: pl.DataFrame, seed: int) -> TableCode:
        """What the columns hold."""
        codes: list[NumberCode | WordCode] = []
        for name in table.columns:
            column = column_of(table.get_column(name))
            if isinstance(column, Numbers):
                codes.append(NumberCode.learn(column, column.read(table.get_column(name)), seed))
            else:
                codes.append(WordCode.learn(column, column.read(table.get_column(name))))
        return cls(codes)

    @property
    def words(self) -> list[Block]:
        """The blocks of columns of words: what a row can be asked for by."""
        return [block for block in self.blocks if block.scalar is None]

    def encode(self, table: pl.DataFrame, rng: np.random.Generator) -> Floats:
        """(rows, width)."""
        parts = []
        for code in self.codes:
            series = table.get_column(code.column.name)
            if isinstance(code, NumberCode):
                parts.append(code.encode(code.column.read(series), rng))
            else:
                parts.append(code.encode(code.column.read(series)))
        return np.concatenate(parts, 1)

    def decode(self, coded: Floats, rng: np.random.Generator) -> pl.DataFrame:
        """The table again."""
        columns = []
        at = 0
        for code in self.codes:
            part = coded[:, at : at + code.width]
            at += code.width
            columns.append(
                code.decode(part) if isinstance(code, NumberCode) else code.decode(part, rng)
            )
        return pl.DataFrame(columns)
