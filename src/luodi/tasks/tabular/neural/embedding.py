"""Each field of a row as one vector: what makes networks keep up on tables.

Numbers by piecewise-linear encoding (Gorishniy, Rubachev and Babenko 2022, "On Embeddings for
Numerical Features in Tabular Deep Learning"): how far into each quantile bin the number lies, and
the number itself, times weights of the field's own. Categories by a table with slots for values
never seen and for none. Texts and dates by one product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from luodi.tasks.tabular.codes import Category, Code, Floats
from luodi.training.optimiser import Group

_FAR = 1e6
"""Where the bins begin that a field does not need: nothing ever lies in them."""
_LEAST_WIDTH = 1e-4
"""Of a bin, in standard deviations: below it, float32 can no longer tell how far in a number is."""


@dataclass(frozen=True)
class Layout:
    """Where the fields' columns are in a row.

    Attributes:
        numbers: a column a field; booleans are numbers as well.
        categories: (column, slots).
        vectors: (first column, columns) of texts and dates.
    """

    numbers: tuple[int, ...]
    categories: tuple[tuple[int, int], ...]
    vectors: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, codes: Sequence[Code]) -> Layout:
        """From the codes of the `tokens` flavour, in the matrix's order."""
        numbers, categories, vectors = [], [], []
        place = 0
        for code in codes:
            width = len(code.columns)
            if isinstance(code, Category):
                categories.append((place, code.slots))
            elif width == 1:
                numbers.append(place)
            else:
                vectors.append((place, width))
            place += width
        return cls(tuple(numbers), tuple(categories), tuple(vectors))

    @property
    def fields(self) -> int:
        """How many vectors a row becomes."""
        return len(self.numbers) + len(self.categories) + len(self.vectors)


def quantile_bins(cells: Floats, most: int) -> tuple[Floats, Floats]:
    """The (fields, most) left ends and widths of bins that hold like shares of the rows.

    Args:
        cells: (n, fields), NaN where nothing is known.
    """
    left = np.full((cells.shape[1], most), _FAR)
    width = np.ones((cells.shape[1], most))
    for field, column in enumerate(cells.T):
        there = column[np.isfinite(column)]
        if not len(there):
            continue
        edges = np.unique(np.quantile(there, np.linspace(0, 1, most + 1)))
        edges = edges[np.concatenate([[True], np.diff(edges) > _LEAST_WIDTH])]
        left[field, : len(edges) - 1] = edges[:-1]
        width[field, : len(edges) - 1] = np.diff(edges)
    return left, width


class FieldVectors(torch.nn.Module):
    """(n, f) cells -> (n, fields, width)."""

    left: torch.Tensor
    span: torch.Tensor
    slots: torch.Tensor

    def __init__(self, layout: Layout, bins: tuple[Floats, Floats], width: int) -> None:
        super().__init__()
        self.layout = layout
        fields, most = bins[0].shape
        self.register_buffer("left", torch.from_numpy(bins[0].astype(np.float32)))
        self.register_buffer("span", torch.from_numpy(bins[1].astype(np.float32)))
        # As many terms as a field has bins are at work in a sum: their weights start small.
        self.weight = _uniform((fields, most + 1, width), most + 1)
        self.bias = _uniform((fields, width), 1)
        self.lacking = torch.nn.Parameter(torch.zeros(fields, width))
        sizes = [slots for _, slots in layout.categories]
        starts = np.concatenate([[0], np.cumsum(sizes)])[: len(sizes)].astype(np.int64)
        self.register_buffer("slots", torch.from_numpy(starts))
        self.table = torch.nn.Embedding(max(sum(sizes), 1), width)
        torch.nn.init.uniform_(self.table.weight, -1 / math.sqrt(width), 1 / math.sqrt(width))
        with torch.no_grad():
            # A value never seen says nothing, until rare ones have taught the slot something.
            self.table.weight[self.slots] = 0.0
        self.vectors = torch.nn.ModuleList(
            torch.nn.Linear(columns, width) for _, columns in layout.vectors
        )

    def forward(self, cells: torch.Tensor) -> torch.Tensor:
        """Numbers first, then categories, then texts and dates, each in the fields' order."""
        parts = []
        if self.layout.numbers:
            parts.append(self._numbers(cells[:, list(self.layout.numbers)]))
        if self.layout.categories:
            places = cells[:, [column for column, _ in self.layout.categories]].long()
            parts.append(self.table(places + self.slots))
        for (start, columns), layer in zip(self.layout.vectors, self.vectors, strict=True):
            parts.append(layer(cells[:, start : start + columns])[:, None])
        return torch.cat(parts, dim=1)

    def _numbers(self, cells: torch.Tensor) -> torch.Tensor:
        missing = torch.isnan(cells)
        known = torch.where(missing, torch.zeros_like(cells), cells)
        inside = ((known[..., None] - self.left) / self.span).clamp(0.0, 1.0)  # (n, fields, bins)
        coded = torch.cat([inside, known[..., None]], dim=-1).transpose(0, 1)
        vectors = torch.bmm(coded, self.weight).transpose(0, 1) + self.bias
        # Where nothing is known, a vector of its own stands in.
        share = missing[..., None].to(vectors.dtype)
        return vectors * (1 - share) + self.lacking * share


def _uniform(shape: tuple[int, ...], terms: int) -> torch.nn.Parameter:
    bound = 1 / math.sqrt(terms)
    return torch.nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


def groups_of(module: torch.nn.Module, decay: float) -> list[Group]:
    """Matrices shrink, vectors and embeddings do not."""
    shrinks: dict[str, Any] = {}
    free: dict[str, Any] = {}
    for name, parameter in module.named_parameters():
        matrix = parameter.ndim > 1 and not name.startswith("fields.") and name != "adapter"
        (shrinks if matrix else free)[name] = parameter
    return [Group(shrinks, 1.0, decay), Group(free, 1.0, 0.0)]
