"""Growing trees with LightGBM: stopped early, within a budget, resumed after a kill.

Models that do not depend on one another grow side by side, a thread each: LightGBM lets go of
Python's lock while it works, and on rows that one thread grows as fast as several (`tree_rules`)
a second core is of use in no other way. Each is what it would be by itself, to the bit.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import asdict, dataclass
from functools import partial
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
_WAKE = 0.2
"""Seconds after which who waits for models looks up: a signal that came to one of their threads
wakes nobody, and Ctrl-C would be heard at the end."""
_TELL = 0.1
"""Seconds between two words on how far it is: on few rows a round takes less than its wording."""


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


Plot = Callable[[], tuple[Sample, Sample, Growth]]
"""What a model grows on, made when its turn comes: the rows that it learns from, those that stop it
(none: nothing does), and how it is grown."""


class _StoppedError(Exception):
    """Growing ends unfinished: the model beside it has failed, or the reader has had enough."""


class Nursery:
    """Grows models; those grown before a kill are taken as they are.

    Args:
        folder: where checkpoints go.
        clock: what there is of time.
        progress: told the round, the loss and the share that is done.
        models: how many will be grown.
        beside: how many grow at a time.
    """

    def __init__(
        self, folder: Path, clock: Clock, progress: Progress, models: int, beside: int = 1
    ) -> None:
        self.folder, self.clock, self.progress, self.models = folder, clock, progress, models
        self.beside = max(min(beside, models), 1)
        self.stopped = threading.Event()
        self._models: dict[int, Grown] = {}
        self._told, self._lock = -math.inf, threading.Lock()

    @property
    def grown(self) -> list[Grown]:
        """The models that came to their end, in the order of their plots."""
        return [model for _, model in sorted(self._models.items()) if model.done]

    def grow(self, plots: Sequence[Plot]) -> list[Grown]:
        """A model on each plot, as long as the budget lasts; at least one.

        Raises:
            TrainingError: LightGBM refuses the rows.
        """
        if self.beside == 1:
            for number, plot in enumerate(plots):
                self._grow(number, plot)
            return self.grown
        # A context each: the reader's language is the thread's own.
        works = [partial(copy_context().run, self._grow, *work) for work in enumerate(plots)]
        with ThreadPoolExecutor(self.beside, "grow") as pool:
            growing = [pool.submit(work) for work in works]
            done: set[Future[None]] = set()
            try:
                unfinished = set(growing)
                while unfinished and not any(each.exception() for each in done):
                    done, unfinished = wait(unfinished, _WAKE, FIRST_EXCEPTION)
            finally:  # Ctrl-C comes here as well, and must not wait for whole models
                if not all(each.done() for each in growing):
                    self.stopped.set()
                    pool.shutdown(wait=False, cancel_futures=True)
        errors = [each.exception() for each in growing if not each.cancelled()]
        for error in sorted(filter(None, errors), key=lambda e: isinstance(e, _StoppedError)):
            raise error
        return self.grown

    def _grow(self, number: int, plot: Plot) -> None:
        """The model on one plot, stopped by its loss on the judged rows where there are some."""
        if self.stopped.is_set() or (number and self.clock.left() <= 0):
            return
        learnt, judged, growth = plot()
        grown = self._models[number] = self._kept(number)
        with self._lock:
            self.clock.add(grown.seconds / self.beside)
        if grown.done:
            return
        parameters = {**growth.parameters, "seed": _seed(growth, number, grown.rounds)}
        start = _data(learnt, growth, grown, parameters)
        ahead = _data(judged, growth, grown, parameters, start) if judged.rows else None
        watch = _Watch(self, number, grown, growth)
        booster = Booster(parameters, start, ahead)
        for _ in range(growth.rounds - grown.rounds):
            if growth.push is None:
                booster.grow()
            else:
                booster.grow_by(*growth.push)
            if watch.ends(booster, booster.loss() if ahead else math.nan):
                break
        watch.end(booster)

    def allowance(self, number: int) -> float:
        """Seconds that a model may take, so that each of those after it gets as much."""
        turns = -(-self.models // self.beside) - number // self.beside
        return self.clock.left() / max(turns, 1)

    def tell(self, number: int, grown: Grown, growth: Growth, loss: float, now: float) -> None:
        """How far all of it is, if the last word on that is a moment old."""
        if now - self._told < _TELL:
            return
        many, rounds = self.models, grown.rounds
        which = (
            say(f"model {number + 1} of {many}, ", f"第 {number + 1}/{many} 个模型，")
            if many > 1 else ""
        )  # fmt: skip
        note = say(f"{which}round {rounds}", f"{which}第 {rounds} 轮")
        if not math.isnan(loss):
            note += say(f", loss {loss:.4f}", f"，损失 {loss:.4f}")
        with self._lock:
            self._told = now
            self.progress.step(self._share(growth), 1.0, note)

    def _share(self, growth: Growth) -> float:
        """How much of all models is done, as far as can be told."""
        models = list(self._models.values())
        before = [model.rounds for model in models if model.done]
        share = float(len(before))
        for model in models:
            if not model.done:
                expected: float = min(model.best + growth.patience, growth.rounds)
                if before:
                    expected = sum(before) / len(before)
                share += min(model.rounds / max(expected, model.rounds + 1), 1.0)
        return share / self.models

    def keep(self, number: int, grown: Grown) -> None:
        """Write a checkpoint."""
        path = self._place(number)
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(grown)), "utf-8")
        temporary.replace(path)

    def _kept(self, number: int) -> Grown:
        path = self._place(number)
        return Grown(**json.loads(path.read_text("utf-8"))) if path.exists() else Grown()

    def _place(self, number: int) -> Path:
        return self.folder / f"trees-{number}.json"


class _Watch:
    """Looks after every round: stops at the right one, keeps what there is, tells how far."""

    def __init__(self, nursery: Nursery, number: int, grown: Grown, growth: Growth) -> None:
        self.nursery, self.number, self.grown, self.growth = nursery, number, grown, growth
        self.earlier, self.spent = grown.text, grown.seconds
        self.start = self.saved = time.monotonic()
        self.until = self.start + nursery.allowance(number)

    def ends(self, booster: Booster, loss: float) -> bool:
        """After one more round with this loss, NaN where nothing was judged: was it the last?"""
        if self.nursery.stopped.is_set():
            raise _StoppedError
        grown = self.grown
        grown.rounds += 1
        if not loss >= grown.loss:  # a loss that nothing is known of never stops
            grown.best, grown.loss = grown.rounds, loss
        now = time.monotonic()
        self.nursery.tell(self.number, grown, self.growth, loss, now)
        if grown.rounds - grown.best >= self.growth.patience or now > self.until:
            return True
        if now - self.saved > _EVERY:
            self._take(booster)
            self.nursery.keep(self.number, grown)
            self.saved = time.monotonic()
        return False

    def end(self, booster: Booster) -> None:
        """Cut the model to its best round."""
        grown = self.grown
        # No round at all would be all of them to LightGBM.
        self._take(booster, grown.best if 0 < grown.best < grown.rounds else -1)
        grown.done = True
        if grown.seconds > _KEEP:
            self.nursery.keep(self.number, grown)

    def _take(self, booster: Booster, rounds: int = -1) -> None:
        grown = self.grown
        if self.earlier:
            grown.text = Trees.merged([self.earlier, booster.text()], rounds).text
        else:
            grown.text = booster.text(rounds)
        grown.seconds = self.spent + time.monotonic() - self.start


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
