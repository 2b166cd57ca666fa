"""What a fit is told, and what it tells."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Finding, JsonValue
from luodi.training.budget import Clock, Plan

if TYPE_CHECKING:
    import torch

    from luodi.training.optimiser import Group


class Trainable(Protocol):
    """A torch module that this loop can train."""

    def groups(self) -> Sequence[Group]:
        """Its weights, by how they are learnt."""

    def loss(self, batch: Any) -> torch.Tensor:
        """One batch's loss, a scalar."""

    def outputs(self, batch: Any) -> torch.Tensor:
        """What is judged: (batch, k) in float32."""

    def train(self, mode: bool = True) -> object:
        """Switch between learning and answering."""


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: passes over the rows.
        rate: the peak learning rate.
        length: tokens that a text may have; 1 for rows.
        tokens: tokens a batch, padding included; rows where each is one.
        warmup: the share of training over which the rate rises.
        clip: the gradient's greatest norm.
        patience: epochs without a better score before training stops.
        pad: the id that fills up a batch.
    """

    epochs: int = 5
    rate: float = 3e-4
    length: int = 256
    tokens: int = 4096
    warmup: float = 0.1
    clip: float = 1.0
    patience: int = 3
    pad: int = 0


@dataclass(frozen=True)
class Loop:
    """Where and how long a fit runs.

    Attributes:
        folder: for checkpoints.
        seed: for the order of batches and for dropout.
        clock: the fit's clock, running.
        reserve: seconds to leave for what comes after.
        key: what the checkpoint must have been made from to be gone on with.
        every: seconds between checkpoints.
    """

    folder: Path
    seed: int
    clock: Clock
    reserve: float = 0.0
    key: str = ""
    every: float = 60.0


Judge = Callable[[NDArray[np.float32]], Mapping[str, float]]
"""(n, k) outputs in the validation part's order -> figures; `score` is the one chosen on, the
greater the better, and `loss` breaks ties."""


@dataclass
class Trained:
    """What a fit did.

    Attributes:
        outputs: (n, k) of the weights kept, on the validation part; None where it had no rows.
        passes: after how many those weights were reached.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    plan: Plan = field(default_factory=lambda: Plan(0, 0, 0))
    best: float = -math.inf
    passes: int = 0
    outputs: NDArray[np.float32] | None = None
    seconds: float = 0.0


def loop_key(*facts: JsonValue) -> str:
    """A short hash of everything that a checkpoint depends on."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]
