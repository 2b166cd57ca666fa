"""CTGAN: rows of a conditional generative adversarial network.

Source: Xu, Skoularidou, Cuesta-Infante and Veeramachaneni, Modeling Tabular Data using
Conditional GAN (2019), arXiv:1907.00503; packed discriminator by Lin et al. (2018), gradient
penalty by Gulrajani et al. (2017). Written anew from the papers: the package `ctgan` is under the
Business Source License.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from luodi.contracts import DataError, Progress, Quiet, say
from luodi.data.augment.encoding import Block, TableCode

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

_HIDDEN, _NOISE, _PACK = 256, 128, 10
_TEMPERATURE = 0.2
_RATE, _DECAY = 2e-4, 1e-6
_PENALTY = 10.0
_LEAST = 20


@dataclass(frozen=True)
class _Conditions:
    """Which value a made row is asked to have: one word of one column.

    Attributes:
        blocks: of the columns of words; `offsets` where each stands in the condition.
        width: places of a condition.
        logs: for each column the chance of each word in training: by the logarithm of how often it
            came, so that rare ones are seen.
        shares: the chances as they are, for sampling.
        rows: the rows of each word of each column, one behind another; `starts` where each begins.
    """

    blocks: list[Block]
    offsets: list[int]
    width: int
    logs: list[NDArray[np.float64]]
    shares: list[NDArray[np.float64]]
    rows: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, coded: NDArray[np.float64], blocks: list[Block]) -> _Conditions:
        widths = [block.end - block.start for block in blocks]
        offsets = [sum(widths[:place]) for place in range(len(widths))]
        logs, shares, rows = [], [], [np.zeros(0, np.int64)]
        for block in blocks:
            counts = coded[:, block.start : block.end].sum(0)
            seen = np.log(counts + 1)
            logs.append(seen / seen.sum())
            shares.append(counts / counts.sum())
            rows += [np.flatnonzero(coded[:, k]) for k in range(block.start, block.end)]
        starts = np.cumsum([len(part) for part in rows])
        return cls(blocks, offsets, sum(widths), logs, shares, np.concatenate(rows), starts)

    def draw(
        self, count: int, training: bool, rng: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """(count, width) conditions, and of each its column and word."""
        condition = np.zeros((count, self.width), np.float32)
        if not self.blocks:
            return condition, np.zeros(count, np.int64), np.zeros(count, np.int64)
        column = rng.integers(len(self.blocks), size=count)
        word = np.zeros(count, np.int64)
        for place in range(len(self.blocks)):
            mine = column == place
            chances = (self.logs if training else self.shares)[place]
            word[mine] = rng.choice(len(chances), int(mine.sum()), p=chances)
        offsets = np.array(self.offsets)
        condition[np.arange(count), offsets[column] + word] = 1
        return condition, column, word

    def real(
        self,
        column: NDArray[np.int64],
        word: NDArray[np.int64],
        total: int,
        rng: np.random.Generator,
    ) -> NDArray[np.int64]:
        """A row of the table for each condition."""
        if not self.blocks:
            return rng.integers(total, size=len(column))
        place = np.array(self.offsets)[column] + word
        first, count = self.starts[place], self.starts[place + 1] - self.starts[place]
        return self.rows[first + (rng.random(len(place)) * count).astype(np.int64)]


class Ctgan:
    """A generator of rows like those of a table. Made by `Ctgan.learn`."""

    def __init__(
        self, code: TableCode, conditions: _Conditions, generator: nn.Module, rows: int
    ) -> None:
        self._code, self._conditions, self._generator = code, conditions, generator
        self._rows = rows

    @classmethod
    def learn(
        cls,
        table: pl.DataFrame,
        epochs: int = 100,
        seed: int = 7,
        progress: Progress = Quiet(),  # noqa: B008
        batch: int = 500,
    ) -> Ctgan:
        """Train on a table of numbers, times, words and truth values; gaps are learnt as gaps.

        Args:
            epochs: passes over the rows.
            batch: rows a step at the most, made a multiple of the pack of ten.

        Raises:
            DataError: when there are too few rows or no columns.
        """
        import torch

        if table.height < _LEAST or not table.width:
            raise DataError(
                say(
                    f"The table has {table.height} rows and {table.width} columns.",
                    f"表有 {table.height} 行、{table.width} 列。",
                ),
                say(
                    f"A generative network needs at least {_LEAST} rows and a column.",
                    f"生成网络至少需要 {_LEAST} 行和一列。",
                ),
            )
        rng = np.random.default_rng(seed)
        code = TableCode.learn(table, seed)
        coded = code.encode(table, rng)
        conditions = _Conditions.of(coded, code.words)
        # A small table gives few steps a pass: smaller ones, so that a pass is ten at the least.
        batch = max(_PACK, min(batch, table.height // 10) // _PACK * _PACK)
        with torch.random.fork_rng(), _one_thread():
            torch.manual_seed(seed)
            generator = _generator(_NOISE + conditions.width, code.width)
            _train(generator, coded, code, conditions, (epochs, batch), rng, progress)
        return cls(code, conditions, generator.eval(), table.height)

    def sample(self, rows: int, seed: int = 7) -> pl.DataFrame:
        """Made rows: the table's columns, in its order and of its types."""
        import torch

        rng = np.random.default_rng(seed)
        made = []
        with torch.random.fork_rng(), torch.no_grad():
            torch.manual_seed(seed)
            for start in range(0, rows, 1000):
                count = min(1000, rows - start)
                condition, _, _ = self._conditions.draw(count, False, rng)
                noise = torch.cat([torch.randn(count, _NOISE), torch.from_numpy(condition)], 1)
                made.append(_activated(self._generator(noise), self._code.blocks).numpy())
        coded = np.concatenate(made) if made else np.zeros((0, self._code.width))
        return self._code.decode(coded.astype(np.float64), rng)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Matrices this small are faster on one thread than what threads cost to wait for each other:
    ten times, where others use the machine as well."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _generator(width: int, out: int) -> nn.Module:
    """(batch, noise and condition) -> (batch, places), each layer's input carried on."""
    import torch
    from torch import nn

    class Carried(nn.Module):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(width, _HIDDEN), nn.BatchNorm1d(_HIDDEN), nn.ReLU()
            )

        def forward(self, value: Tensor) -> Tensor:
            return torch.cat([self.layers(value), value], 1)

    return nn.Sequential(
        Carried(width), Carried(width + _HIDDEN), nn.Linear(width + 2 * _HIDDEN, out)
    )


def _critic(width: int) -> nn.Module:
    """(batch / 10, ten rows with their conditions) -> (batch / 10, 1): how real they look."""
    from torch import nn

    return nn.Sequential(
        nn.Linear(width * _PACK, _HIDDEN), nn.LeakyReLU(0.2), nn.Dropout(0.5),
        nn.Linear(_HIDDEN, _HIDDEN), nn.LeakyReLU(0.2), nn.Dropout(0.5),
        nn.Linear(_HIDDEN, 1),
    )  # fmt: skip


def _activated(raw: Tensor, blocks: list[Block]) -> Tensor:
    """Numbers by tanh, the choice of a mode or word by a Gumbel softmax: (batch, places)."""
    import torch

    parts = []
    for block in blocks:
        if block.scalar is not None:
            parts.append(torch.tanh(raw[:, block.scalar, None]))
        parts.append(_gumbel(raw[:, block.start : block.end]))
    return torch.cat(parts, 1)


def _gumbel(logits: Tensor) -> Tensor:
    import torch

    even = torch.rand_like(logits).clamp(1e-20, 1 - 1e-7)
    return torch.softmax((logits - torch.log(-torch.log(even))) / _TEMPERATURE, 1)


def _train(
    generator: nn.Module,
    coded: NDArray[np.float64],
    code: TableCode,
    conditions: _Conditions,
    length: tuple[int, int],
    rng: np.random.Generator,
    progress: Progress,
) -> None:
    import torch

    epochs, batch = length
    critic = _critic(code.width + conditions.width)
    makes, judges = (
        torch.optim.Adam(part.parameters(), lr=_RATE, betas=(0.5, 0.9), weight_decay=decay)
        for part, decay in ((generator, _DECAY), (critic, 0.0))
    )
    rows = torch.from_numpy(coded.astype(np.float32))
    steps = max(1, len(rows) // batch)
    for epoch in range(epochs):
        for _ in range(steps):
            condition, column, word = conditions.draw(batch, True, rng)
            asked = torch.from_numpy(condition)
            real = rows[torch.from_numpy(conditions.real(column, word, len(rows), rng))]
            made, _ = _make(generator, asked, code)
            _judge(
                critic, judges, torch.cat([real, asked], 1), torch.cat([made.detach(), asked], 1)
            )
            condition, column, word = conditions.draw(batch, True, rng)
            asked = torch.from_numpy(condition)
            made, raw = _make(generator, asked, code)
            loss = -critic(_packed(torch.cat([made, asked], 1))).mean()
            if conditions.blocks:
                loss = loss + _disobedience(raw, conditions, column, word)
            makes.zero_grad(set_to_none=True)
            loss.backward()
            makes.step()
        progress.step(epoch + 1, epochs, say("generative network", "生成网络"))


def _make(generator: nn.Module, asked: Tensor, code: TableCode) -> tuple[Tensor, Tensor]:
    import torch

    raw = generator(torch.cat([torch.randn(len(asked), _NOISE), asked], 1))
    return _activated(raw, code.blocks), raw


def _packed(rows: Tensor) -> Tensor:
    return rows.reshape(len(rows) // _PACK, -1)


def _judge(critic: nn.Module, optimiser: torch.optim.Optimizer, real: Tensor, made: Tensor) -> None:
    """One step of the critic: Wasserstein loss with a penalty on its gradient."""
    import torch

    real, made = _packed(real), _packed(made)
    share = torch.rand(len(real), 1)
    between = (share * real + (1 - share) * made).requires_grad_()
    [gradient] = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty = _PENALTY * ((gradient.norm(2, dim=1) - 1) ** 2).mean()
    loss = critic(made).mean() - critic(real).mean() + penalty
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def _disobedience(
    raw: Tensor, conditions: _Conditions, column: NDArray[np.int64], word: NDArray[np.int64]
) -> Tensor:
    """Cross-entropy between the word asked for and the word made, over the batch."""
    import torch
    from torch.nn import functional

    losses = []
    for place, block in enumerate(conditions.blocks):
        mine = np.flatnonzero(column == place)
        if len(mine):
            logits = raw[torch.from_numpy(mine), block.start : block.end]
            wanted = torch.from_numpy(word[mine])
            losses.append(functional.cross_entropy(logits, wanted, reduction="sum"))
    return torch.stack(losses).sum() / len(raw)
