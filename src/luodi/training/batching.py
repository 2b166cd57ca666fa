"""Batches of texts of like length under a budget of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Ints = NDArray[np.int64]


class Material(Protocol):
    """What the loop trains on: n pieces, texts or rows, each of a length that adds up."""

    def __len__(self) -> int:
        """n."""

    @property
    def lengths(self) -> Ints:
        """(n,) what each piece costs."""

    def take(self, rows: Ints) -> Self:
        """The pieces at these positions."""

    def cut(self, length: int) -> Self:
        """Every piece shortened to `length`, where it can be."""

    def collate(self, rows: Ints, pad: int) -> Any:
        """The pieces at `rows` as one batch, which has a `size`."""


@dataclass(frozen=True)
class Examples:
    """What a text model learns from: n texts as tokens, and what is to be said of each.

    Attributes:
        tokens: n arrays of token ids, special tokens included, of any length.
        targets: (n,) or (n, ...) what is to be learnt.
        weights: (n,) what each text counts for.
    """

    tokens: Sequence[NDArray[np.int32]]
    targets: NDArray[Any]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def lengths(self) -> Ints:
        """(n,) tokens a text."""
        return np.fromiter((len(t) for t in self.tokens), np.int64, len(self.tokens))

    def take(self, rows: Ints) -> Examples:
        """The texts at these positions."""
        return Examples([self.tokens[i] for i in rows], self.targets[rows], self.weights[rows])

    def cut(self, length: int) -> Examples:
        """Every text's first `length` tokens; the closing special token stays the last one."""
        return Examples(
            [cut_tokens(tokens, length) for tokens in self.tokens], self.targets, self.weights
        )

    def collate(self, rows: Ints, pad: int) -> Batch:
        """The texts at `rows` as one batch, padded on the right with the id `pad`."""
        return collate(self, rows, pad)


@dataclass(frozen=True)
class Batch:
    """b texts padded to t tokens: ids (b, t), mask (b, t) or None when nothing is padded."""

    ids: torch.Tensor
    mask: torch.Tensor | None
    targets: torch.Tensor
    weights: torch.Tensor

    @property
    def size(self) -> int:
        """Tokens, padding included: what the batch costs."""
        return int(self.ids.numel())


def cut_tokens(tokens: NDArray[np.int32], length: int) -> NDArray[np.int32]:
    """The first `length - 1` tokens and the last one, which closes the text."""
    if len(tokens) <= length:
        return tokens
    return np.concatenate([tokens[: length - 1], tokens[-1:]])


def plan_batches(lengths: Ints, budget: int, rng: np.random.Generator | None) -> list[Ints]:
    """Rows put into batches: like lengths together, padded tokens of a batch within `budget`.

    With `rng`, lengths are blurred by a tenth before sorting, so that each epoch has other
    batches, and batches come in random order; without, the order is that of length.
    A text longer than the budget stands alone.
    """
    if rng is None:
        order = np.argsort(lengths, kind="stable")
    else:
        blurred = lengths * rng.uniform(0.9, 1.1, len(lengths))
        order = np.argsort(blurred, kind="stable")
    batches, start, longest = [], 0, 0
    for end, row in enumerate(order):
        longest_with = max(longest, int(lengths[row]))
        if end > start and longest_with * (end + 1 - start) > budget:
            batches.append(order[start:end])
            start, longest_with = end, int(lengths[row])
        longest = longest_with
    if start < len(order):
        batches.append(order[start:])
    if rng is not None:
        rng.shuffle(batches)
    return batches


def padded_tokens(lengths: Ints, batches: Sequence[Ints]) -> int:
    """Tokens of all batches, padding included."""
    return int(sum(len(rows) * int(lengths[rows].max()) for rows in batches))


def collate(examples: Examples, rows: Ints, pad: int) -> Batch:
    """The texts at `rows` as one batch, padded on the right with the id `pad`."""
    import torch

    tokens = [examples.tokens[i] for i in rows]
    lengths = np.fromiter((len(t) for t in tokens), np.int64, len(tokens))
    longest = int(lengths.max())
    ids = np.full((len(tokens), longest), pad, dtype=np.int64)
    for place, text in enumerate(tokens):
        ids[place, : len(text)] = text
    mask = None
    if int(lengths.min()) < longest:
        mask = torch.from_numpy((np.arange(longest) < lengths[:, None]).astype(np.int64))
    return Batch(
        torch.from_numpy(ids),
        mask,
        torch.from_numpy(examples.targets[rows]),
        torch.from_numpy(examples.weights[rows]),
    )


def epoch_batches(lengths: Ints, budget: int, seed: int, epoch: int) -> list[Ints]:
    """The batches of one epoch: the same for the same seed and epoch, whatever came before."""
    return plan_batches(lengths, budget, np.random.default_rng([seed, epoch]))


def in_order(examples: Material, budget: int, pad: int) -> Iterator[tuple[Ints, Any]]:
    """Every piece once, by length, with the rows that each batch holds."""
    for rows in plan_batches(examples.lengths, budget, None):
        yield rows, examples.collate(rows, pad)
