from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from luodi.contracts import Quiet, TrainingError
from luodi.training.batching import Batch, Examples
from luodi.training.budget import Clock
from luodi.training.loop import train_model
from luodi.training.optimiser import Group
from luodi.training.recipe import Loop, Recipe, Trained


class Counting(nn.Module):
    """A bag of token vectors and a linear head: the least that can be trained on texts."""

    def __init__(self, slow: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.table = nn.Embedding(20, 8)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(8, 2)
        self.slow = slow

    def outputs(self, batch: Batch) -> torch.Tensor:
        time.sleep(self.slow)
        return self.head(self.dropout(self.table(batch.ids).mean(1)))

    def loss(self, batch: Batch) -> torch.Tensor:
        return nn.functional.cross_entropy(self.outputs(batch), batch.targets)

    def groups(self) -> Sequence[Group]:
        return [Group(dict(self.named_parameters()))]


def _examples(count: int, seed: int) -> Examples:
    rng = np.random.default_rng(seed)
    tokens = [rng.integers(1, 20, rng.integers(4, 12)).astype(np.int32) for _ in range(count)]
    targets = np.array([int((text < 10).mean() > 0.5) for text in tokens])
    return Examples(tokens, targets, np.ones(count, np.float32))


PARTS = (_examples(200, 0), _examples(60, 1))
RECIPE = Recipe(epochs=4, rate=0.03, length=64, tokens=128)


def _judge(outputs: NDArray[np.float32]) -> dict[str, float]:
    accuracy = float((outputs.argmax(1) == PARTS[1].targets).mean())
    return {"score": accuracy, "accuracy": accuracy, "loss": 1 - accuracy}


def _fit(
    folder: Path, recipe: Recipe = RECIPE, progress: Quiet | None = None, **loop: Any
) -> tuple[Counting, Trained]:
    model = Counting()
    settings = {"seed": 1, "clock": Clock(None), "key": "k", **loop}
    trained = train_model(
        model, PARTS, recipe, Loop(folder, **settings), _judge, progress or Quiet()
    )
    return model, trained


def _same(left: nn.Module, right: nn.Module) -> bool:
    pairs = zip(left.parameters(), right.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_it_learns_and_ends_with_the_best_weights(tmp_path: Path) -> None:
    model, trained = _fit(tmp_path)
    scores = [record["valid_accuracy"] for record in trained.history]
    assert trained.best == max(scores) >= 0.75
    assert len(scores) == 4
    assert not model.training


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(tmp_path: Path) -> None:
    first, _ = _fit(tmp_path / "1")
    second, _ = _fit(tmp_path / "2")
    third, _ = _fit(tmp_path / "3", seed=2)
    assert _same(first, second)
    assert not _same(first, third)


def _plain(trained: Trained) -> list[dict[str, float]]:
    return [{k: v for k, v in r.items() if k != "seconds"} for r in trained.history]


class _Kill(Quiet):
    def __init__(self, after: int) -> None:
        self.left = after

    def step(self, done: float, total: float, note: str = "") -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("after", [2, 20, 40])
def test_a_killed_fit_goes_on_to_the_same_end(tmp_path: Path, after: int) -> None:
    whole, expected = _fit(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        _fit(tmp_path / "cut", progress=_Kill(after), every=0.0)
    resumed, trained = _fit(tmp_path / "cut", every=0.0)
    assert _same(whole, resumed)
    assert _plain(trained) == _plain(expected)


class _Strike(Quiet):
    """Sends a signal to this very process: at a step, or once a pass was judged."""

    def __init__(self, number: int, step: int = 0, passes: int = 0) -> None:
        self.number, self.steps = number, 0
        self.step_left, self.passes_left = step or -1, passes or -1

    def step(self, done: float, total: float, note: str = "") -> None:
        self.steps += 1
        self.step_left -= 1
        if self.step_left == 0:
            signal.raise_signal(self.number)

    def say(self, message: str) -> None:
        self.passes_left -= message.startswith("Pass")
        if self.passes_left == 0:
            signal.raise_signal(self.number)


def test_kill_9_loses_no_pass_that_was_finished(tmp_path: Path) -> None:
    killed = (
        "import signal, sys, torch; from pathlib import Path; torch.set_num_threads(1)\n"
        "from tests.training.test_loop import _fit, _Strike\n"
        "_fit(Path(sys.argv[1]), progress=_Strike(signal.SIGKILL, passes=3))\n"
    )
    struck = subprocess.run([sys.executable, "-c", killed, str(tmp_path / "cut")], check=False)
    assert struck.returncode == -signal.SIGKILL
    whole, expected = _fit(tmp_path / "whole", progress=(every := _Strike(0)))
    resumed, trained = _fit(tmp_path / "cut", progress=(rest := _Strike(0)))
    assert rest.steps * RECIPE.epochs <= every.steps + RECIPE.epochs, "one pass of four is left"
    assert _same(whole, resumed)
    assert _plain(trained) == _plain(expected)


@pytest.mark.parametrize("step", [1, 17])
def test_ctrl_c_keeps_every_step(tmp_path: Path, step: int) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            _fit(tmp_path / "cut", progress=_Strike(signal.SIGINT, step))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    whole, expected = _fit(tmp_path / "whole", progress=(every := _Strike(0)))
    resumed, trained = _fit(tmp_path / "cut", progress=(rest := _Strike(0)))
    assert rest.steps == every.steps - step
    assert _same(whole, resumed)
    assert _plain(trained) == _plain(expected)


def test_a_fit_that_stopped_early_is_over_when_it_is_gone_on_with(tmp_path: Path) -> None:
    recipe = Recipe(epochs=30, rate=0.05, tokens=128, patience=2)
    first, trained = _fit(tmp_path, recipe)
    again, repeated = _fit(tmp_path, recipe, progress=_Kill(1))
    assert _same(first, again)
    assert _plain(trained) == _plain(repeated)


def test_a_finished_fit_is_not_trained_again(tmp_path: Path) -> None:
    first, _ = _fit(tmp_path, every=0.0)
    again, _ = _fit(tmp_path, progress=_Kill(1), every=0.0)
    assert _same(first, again)


def test_a_checkpoint_of_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _fit(tmp_path, progress=_Kill(20), every=0.0)
    other, _ = _fit(tmp_path, seed=5, key="other")
    fresh, _ = _fit(tmp_path / "fresh", seed=5)
    assert _same(other, fresh)


def test_training_stops_when_it_no_longer_gains(tmp_path: Path) -> None:
    recipe = Recipe(epochs=30, rate=0.05, tokens=128, patience=2)
    _, trained = _fit(tmp_path, recipe)
    assert len(trained.history) < 30


def test_a_gradient_that_stays_infinite_is_told(tmp_path: Path) -> None:
    class Broken(Counting):
        def loss(self, batch: Batch) -> torch.Tensor:
            return super().loss(batch) * math.inf

    with pytest.raises(TrainingError, match="not finite 5 times"):
        train_model(Broken(), PARTS, RECIPE, Loop(tmp_path, 1, Clock(None)), _judge, Quiet())


def test_the_budget_is_kept_and_what_it_cost_is_said(tmp_path: Path) -> None:
    clock = Clock(1.5)
    model = Counting(slow=0.05)
    recipe = Recipe(epochs=50, rate=0.02, tokens=128, patience=99)
    trained = train_model(model, PARTS, recipe, Loop(tmp_path, 1, clock), _judge, Quiet())
    assert clock.elapsed < 3.5  # a step and a judging may run over; 50 passes would take 50 s
    assert any(finding.code.startswith("budget-") for finding in trained.findings)
    assert trained.history


def test_seconds_before_a_kill_count_against_the_budget(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        _fit(tmp_path, progress=_Kill(20), every=0.0)
    clock = Clock(None)
    clock.add(-1000.0)  # as if this process had begun long after
    before = clock.elapsed
    _fit(tmp_path, clock=clock, every=0.0)
    assert clock.elapsed > before


def test_with_nothing_to_choose_on_the_last_weights_are_kept(tmp_path: Path) -> None:
    model = Counting()
    parts = (PARTS[0], PARTS[1].take(np.array([], dtype=np.int64)))
    trained = train_model(model, parts, RECIPE, Loop(tmp_path, 1, Clock(None)), _judge, Quiet())
    assert len(trained.history) == RECIPE.epochs
    assert not _same(model, Counting())
