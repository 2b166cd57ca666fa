"""Rows of a table as the training loop takes its examples: each costs one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from luodi.training.batching import Ints


@dataclass(frozen=True)
class RowBatch:
    """b rows: cells (b, f) float32, NaN where nothing is known; targets and weights (b,)."""

    cells: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor

    @property
    def size(self) -> int:
        """Rows: what the batch costs."""
        return len(self.cells)


@dataclass(frozen=True)
class RowExamples:
    """n rows to learn from.

    Attributes:
        cells: (n, f) float32.
        targets: (n,) places among the labels (int64), or standardised numbers (float32).
        weights: (n,) float32.
    """

    cells: NDArray[np.float32]
    targets: NDArray[np.int64] | NDArray[np.float32]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def lengths(self) -> Ints:
        """(n,) ones."""
        return np.ones(len(self), np.int64)

    def take(self, rows: Ints) -> RowExamples:
        """The rows at these positions."""
        return RowExamples(self.cells[rows], self.targets[rows], self.weights[rows])

    def cut(self, length: int) -> RowExamples:
        """A row cannot be cut short."""
        return self

    def collate(self, rows: Ints, pad: int) -> RowBatch:
        """The rows as a batch; nothing is padded."""
        parts = (self.cells[rows], self.targets[rows], self.weights[rows])
        return RowBatch(*(torch.from_numpy(part) for part in parts))

    def digest(self) -> str:
        """A name for exactly these rows."""
        found = hashlib.sha256()
        for part in (self.cells, self.targets, self.weights):
            found.update(np.ascontiguousarray(part).tobytes())
        return found.hexdigest()
