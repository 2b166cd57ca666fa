"""A table of token vectors of which only the rows in use are learnt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional


class UsedRows(nn.Module):
    """Stands in for an encoder's token embedding while it is fine-tuned.

    A token that no training text contains has no gradient, so (with no weight decay on the
    table) the optimiser would never move its row. Only the rows that occur are therefore made a
    parameter: the result is the same, and each step's gradient and update shrink from the whole
    vocabulary (tens of thousands of rows) to the few thousand in use.

    Shapes: `table` (vocabulary, hidden), frozen; `rows` (used, hidden), learnt, in float32 so
    that many small gradients of a frequent token add up; `place` (vocabulary,) -> row or -1.
    The answer has the type `output`.
    """

    table: torch.Tensor
    place: torch.Tensor

    def __init__(self, weight: torch.Tensor, used: NDArray[np.int64], output: torch.dtype) -> None:
        super().__init__()
        self._output = output
        index = torch.from_numpy(used)
        place = torch.full((weight.shape[0],), -1, dtype=torch.int64)
        place[index] = torch.arange(len(used))
        self.register_buffer("table", weight.detach().float().clone(), persistent=False)
        self.register_buffer("place", place, persistent=False)
        self._index = index
        self.rows = nn.Parameter(self.table[index].clone())

    @property
    def weight(self) -> torch.Tensor:
        """The whole table, with what was learnt: (vocabulary, hidden)."""
        with torch.no_grad():
            self.table[self._index] = self.rows
        return self.table

    def train(self, mode: bool = True) -> UsedRows:
        """Entering evaluation brings the table up to date: there, every token may occur."""
        if not mode:
            _ = self.weight
        return super().train(mode)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(batch, tokens) -> (batch, tokens, hidden)."""
        if self.training:
            return functional.embedding(self.place[ids], self.rows).to(self._output)
        return functional.embedding(ids, self.table).to(self._output)


def used_ids(tokens: Sequence[NDArray[np.int32]], vocabulary: int, pad: int) -> NDArray[np.int64]:
    """The token ids that occur, and the one that fills up batches, in order."""
    seen = np.zeros(vocabulary, dtype=bool)
    seen[pad] = True
    for text in tokens:
        seen[text] = True
    return np.flatnonzero(seen).astype(np.int64)
