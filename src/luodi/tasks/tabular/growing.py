"""Growing trees with LightGBM: stopped early, within a budget, resumed after a kill."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from luodi.contracts import Progress, say
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.fitting import Sample
from luodi.tasks.tabular.lightgbm_library import Trees
from luodi.tasks.tabular.lightgbm_training import Binned, Booster
from luodi.training.budget import Clock

_EVERY = 30.0
"""Seconds between checkpoints: what a kill may cost."""
_KEEP = 5.0
"""Seconds of work from which on a finished model is kept on the disk at all."""


@dataclass(frozen=True)
class Growth:
    """How one model is grown.

    Attributes:
        parameters: LightGBM's own, the objective and the metric among them.
        categorical: columns that hold codes of categories.
        base: (k,) what every sum starts from.
        rounds: the most.
        patience: rounds without a better loss after which growing stops.
        push: (n, k) gradients and Hessians, the same in every round; None for the objective's own.
    """

    parameters: Mapping[str, Any]
    categorical: Sequence[int]
    base: Floats
    rounds: int
    patience: int
    push: tuple[Floats, Floats] | None = None


@dataclass
class Grown:
    """A model as far as it has come; `text` holds its first `rounds` rounds.

    Attributes:
        text: in LightGBM's format; empty before the first round.
        best: rounds up to the least loss on what it is stopped by.
        loss: that loss; NaN where nothing stops it.
        seconds: spent on it.
        done: whether it came to its end.
    """

    text: str = ""
    rounds: int = 0
    best: int = 0
    loss: float = math.inf
    seconds: float = 0.0
    done: bool = False


class Nursery:
    """Grows one model after the other; those grown before a kill are taken as they are.

    Args:
        folder: where checkpoints go.
        clock: what there is of time.
        progress: told the round, the loss and the share that is done.
        models: how many will be grown.
    """

    def __init__(self, folder: Path, clock: Clock, progress: Progress, models: int) -> None:
        self.folder, self.clock, self.progress, self.models = folder, clock, progress, models
        self.grown: list[Grown] = []

    def grow(self, learnt: Sample, judged: Sample, growth: Growth) -> Grown:
        """One more model on `learnt`, stopped by its loss on `judged` where that has rows."""
        number = len(self.grown)
        grown = self._kept(number)
        self.clock.add(grown.seconds)
        if not grown.done:
            parameters = {**growth.parameters, "seed": _seed(growth, number, grown.rounds)}
            start = _data(learnt, growth, grown, parameters)
            ahead = _data(judged, growth, grown, parameters, start) if judged.rows else None
            watch = _Watch(self, grown, growth)
            booster = Booster(parameters, start, ahead)
            for _ in range(growth.rounds - grown.rounds):
                if growth.push is None:
                    booster.grow()
                else:
                    booster.grow_by(*growth.push)
                if watch.ends(booster, booster.loss() if ahead else math.nan):
                    break
            watch.end(booster)
        self.grown.append(grown)
        return grown

    def share(self, grown: Grown, growth: Growth) -> float:
        """How much of all models is done, as far as can be told."""
        before = [model.rounds for model in self.grown]
        expected: float = min(grown.best + growth.patience, growth.rounds)
        if before:
            expected = sum(before) / len(before)
        mine = min(grown.rounds / max(expected, grown.rounds + 1), 1.0)
        return (len(before) + mine) / self.models

    def allowance(self) -> float:
        """Seconds that the model being grown may take, so that each of the others gets as much."""
        return self.clock.left() / max(self.models - len(self.grown), 1)

    def keep(self, grown: Grown) -> None:
        """Write a checkpoint."""
        path = self.folder / f"trees-{len(self.grown)}.json"
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(grown)), "utf-8")
        temporary.replace(path)

    def _kept(self, number: int) -> Grown:
        path = self.folder / f"trees-{number}.json"
        if not path.exists():
            return Grown()
        return Grown(**json.loads(path.read_text("utf-8")))


class _Watch:
    """Looks after every round: stops at the right one, keeps what there is, tells how far."""

    def __init__(self, nursery: Nursery, grown: Grown, growth: Growth) -> None:
        self.nursery, self.grown, self.growth = nursery, grown, growth
        self.earlier, self.spent = grown.text, grown.seconds
        self.start = self.saved = time.monotonic()
        self.until = self.start + nursery.allowance()

    def ends(self, booster: Booster, loss: float) -> bool:
        """After one more round with this loss, NaN where nothing was judged: was it the last?"""
        grown = self.grown
        grown.rounds += 1
        if not loss >= grown.loss:  # a loss that nothing is known of never stops
            grown.best, grown.loss = grown.rounds, loss
        self._tell(loss)
        now = time.monotonic()
        if grown.rounds - grown.best >= self.growth.patience or now > self.until:
            return True
        if now - self.saved > _EVERY:
            self._take(booster)
            self.nursery.keep(grown)
            self.saved = time.monotonic()
        return False

    def end(self, booster: Booster) -> None:
        """Cut the model to its best round."""
        self._take(booster)
        grown = self.grown
        grown.done = True
        if grown.best < grown.rounds:
            grown.text = Trees.merged([grown.text], grown.best).text
        if grown.seconds > _KEEP:
            self.nursery.keep(grown)

    def _take(self, booster: Booster) -> None:
        text = booster.text()
        self.grown.text = Trees.merged([self.earlier, text]).text if self.earlier else text
        self.grown.seconds = self.spent + time.monotonic() - self.start

    def _tell(self, loss: float) -> None:
        number, rounds = len(self.nursery.grown) + 1, self.grown.rounds
        many = self.nursery.models
        which = (
            say(f"model {number} of {many}, ", f"第 {number}/{many} 个模型，") if many > 1 else ""
        )
        note = say(f"{which}round {rounds}", f"{which}第 {rounds} 轮")
        if not math.isnan(loss):
            note += say(f", loss {loss:.4f}", f"，损失 {loss:.4f}")
        self.nursery.progress.step(self.nursery.share(self.grown, self.growth), 1.0, note)


def relative(part: Sample) -> Floats:
    """(n,) what each row counts for, 1 in the mean."""
    total = part.weight.sum()
    return part.weight * (part.rows / total) if total > 0 else np.ones(part.rows)


def _seed(growth: Growth, number: int, offset: int) -> int:
    return int(growth.parameters["seed"]) + 1000 * number + offset


def _data(
    part: Sample, growth: Growth, grown: Grown, parameters: Mapping[str, Any],
    reference: Binned | None = None,
) -> Binned:  # fmt: skip
    """Rows as LightGBM holds them; sums start from the base and from what has been grown."""
    start = np.tile(growth.base, (part.rows, 1))
    if grown.text:
        start = start + Trees(grown.text).raw(part.matrix)
    return Binned(
        part.matrix, part.truth, relative(part), start, parameters, growth.categorical, reference
    )
