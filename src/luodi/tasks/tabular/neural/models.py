"""The two networks: a multilayer perceptron of many members, and attention between fields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from luodi.tasks.tabular.neural.embedding import FieldVectors, groups_of
from luodi.tasks.tabular.neural.rows import RowBatch
from luodi.training.optimiser import Group


@dataclass(frozen=True)
class Shape:
    """How large a network is.

    Attributes:
        width: of the layers (mlp), or of a field's vector (transformer).
        depth: layers, or blocks.
        members: answers that an mlp averages.
        heads: of the attention.
        outputs: classes, or 1 for a number.
    """

    width: int
    depth: int
    outputs: int
    members: int = 1
    heads: int = 4
    dropout: float = 0.0


class Network(torch.nn.Module):
    """What the training loop trains. Subclasses say how vectors become (n, members, k) scores."""

    def __init__(self, fields: FieldVectors, shape: Shape, decay: float) -> None:
        super().__init__()
        self.fields, self.shape, self.decay = fields, shape, decay
        self.dtype = torch.float32

    def scores(self, vectors: torch.Tensor) -> torch.Tensor:
        """(n, fields, width) -> (n, members, k) in float32."""
        raise NotImplementedError

    def trunk(self) -> Sequence[torch.nn.Module]:
        """The parts whose products are worth bfloat16."""
        raise NotImplementedError

    def in_precision(self, dtype: torch.dtype) -> None:
        """Put the trunk's weights into `dtype`. What reads cells and what answers stays exact."""
        self.dtype = dtype
        for part in self.trunk():
            part.to(dtype)

    def forward(self, cells: torch.Tensor) -> torch.Tensor:
        """(n, f) -> (n, k) probabilities, or (n, 1): the mean over the members."""
        scores = self.scores(self.fields(cells))
        if self.shape.outputs > 1:
            scores = torch.softmax(scores, dim=-1)
        return scores.mean(dim=1)

    def groups(self) -> Sequence[Group]:
        """Its weights, by how they are learnt."""
        return groups_of(self, self.decay)

    def outputs(self, batch: RowBatch) -> torch.Tensor:
        """What is judged: (b, k)."""
        found: torch.Tensor = self(batch.cells)
        return found

    def loss(self, batch: RowBatch) -> torch.Tensor:
        """Each member learns by itself: the mean of their losses, never the loss of their mean."""
        scores = self.scores(self.fields(batch.cells))
        members = scores.shape[1]
        if self.shape.outputs > 1:
            targets = batch.targets[:, None].expand(-1, members)
            each = torch.nn.functional.cross_entropy(
                scores.flatten(0, 1), targets.flatten(), reduction="none"
            ).view(-1, members)
        else:
            each = (scores[..., 0] - batch.targets[:, None]) ** 2
        weights = batch.weights / batch.weights.sum().clamp(min=1e-12)
        return (each.mean(dim=1) * weights).sum()


class Mlp(Network):
    """A multilayer perceptron that answers as many do (TabM, Gorishniy et al. 2025, "mini").

    Members share every layer; each sees the row through scales of its own and has its own head.
    """

    def __init__(self, fields: FieldVectors, shape: Shape, decay: float, size: int) -> None:
        super().__init__(fields, shape, decay)
        self.adapter = torch.nn.Parameter(torch.randn(shape.members, size))
        sizes = [size, *([shape.width] * shape.depth)]
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(sizes[i], sizes[i + 1]) for i in range(shape.depth)
        )
        self.drop = torch.nn.Dropout(shape.dropout)
        bound = 1 / math.sqrt(shape.width)
        head = torch.empty(shape.members, shape.width, shape.outputs).uniform_(-bound, bound)
        self.head = torch.nn.Parameter(head)
        self.head_bias = torch.nn.Parameter(torch.zeros(shape.members, shape.outputs))

    def trunk(self) -> Sequence[torch.nn.Module]:
        """The layers."""
        return [self.layers]

    def scores(self, vectors: torch.Tensor) -> torch.Tensor:
        """(n, fields, width) -> (n, members, k)."""
        row = torch.relu(vectors).flatten(1)
        seen = row[:, None] * self.adapter  # (n, members, size)
        seen = seen.to(self.dtype)
        for layer in self.layers:
            seen = self.drop(torch.relu(layer(seen)))
        answers = torch.bmm(seen.float().transpose(0, 1), self.head)  # (members, n, k)
        found: torch.Tensor = answers.transpose(0, 1) + self.head_bias
        return found


class Block(torch.nn.Module):
    """Attention between fields, then a layer for each; norms first (pre-norm)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before = torch.nn.LayerNorm(width)
        self.query = torch.nn.Linear(width, width)
        self.key_value = torch.nn.Linear(width, 2 * width)
        self.joined = torch.nn.Linear(width, width)
        self.between = torch.nn.LayerNorm(width)
        self.widen = torch.nn.Linear(width, 2 * width)
        self.narrow = torch.nn.Linear(2 * width, width)
        self.drop = torch.nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor, first_only: bool) -> torch.Tensor:
        """(n, t, width) -> the same, or (n, 1, width): in the last block only the first asks."""
        normed = self.before(tokens)
        asking = normed[:, :1] if first_only else normed
        kept = tokens[:, :1] if first_only else tokens
        key, value = self.key_value(normed).chunk(2, dim=-1)
        mixed = self._attend(self.query(asking), key, value)
        kept = kept + self.drop(self.joined(mixed))
        wide = torch.relu(self.widen(self.between(kept)))
        found: torch.Tensor = kept + self.drop(self.narrow(self.drop(wide)))
        return found

    def _attend(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Plain products: for a few dozen tokens faster than the fused kernel, and exported."""
        width = query.shape[-1] // self.heads

        def split(part: torch.Tensor) -> torch.Tensor:
            parts = part.view(*part.shape[:2], self.heads, width)
            return parts.transpose(1, 2)  # (n, heads, t, width / heads)

        strength = split(query) @ split(key).transpose(-1, -2) / math.sqrt(width)
        mixed = torch.softmax(strength, dim=-1) @ split(value)
        return mixed.transpose(1, 2).flatten(2)


class FieldTransformer(Network):
    """Attention between the fields of a row (FT-Transformer, Gorishniy et al. 2021)."""

    def __init__(self, fields: FieldVectors, shape: Shape, decay: float) -> None:
        super().__init__(fields, shape, decay)
        bound = 1 / math.sqrt(shape.width)
        self.asker = torch.nn.Parameter(torch.empty(shape.width).uniform_(-bound, bound))
        self.blocks = torch.nn.ModuleList(
            Block(shape.width, shape.heads, shape.dropout) for _ in range(shape.depth)
        )
        self.norm = torch.nn.LayerNorm(shape.width)
        self.head = torch.nn.Linear(shape.width, shape.outputs)

    def trunk(self) -> Sequence[torch.nn.Module]:
        """The blocks."""
        return [self.blocks]

    def scores(self, vectors: torch.Tensor) -> torch.Tensor:
        """(n, fields, width) -> (n, 1, k)."""
        asker = self.asker.expand(vectors.shape[0], 1, -1)
        tokens = torch.cat([asker, vectors], dim=1).to(self.dtype)
        for number, block in enumerate(self.blocks, start=1):
            tokens = block(tokens, number == len(self.blocks))
        found: torch.Tensor = self.head(torch.relu(self.norm(tokens[:, :1].float())))
        return found
