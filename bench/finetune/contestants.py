"""Who is measured, and what each is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

OURS = "luodi"
"""`luodi run` on a project file of ten lines, as a user would call it."""
SHORT = "luodi-2"
"""The same with two passes: how soon it is where the default script ends."""
SHORT_PASSES = 2


@dataclass(frozen=True)
class Script:
    """A Trainer script.

    Attributes:
        arguments: what it hands to TrainingArguments; all else is the Trainer's own default.
        instead_of: the script that it stretches; measured where that one misses the target, and
            ended once it has reached the highest: how it would go on is of no interest.
        looks: how often an epoch the test rows are answered.
    """

    name: str
    title: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    instead_of: str = ""
    looks: int = 3


DEFAULT = Script("default", "Trainer, default settings")
# The linear schedule stretches with the epochs; the shortest one that reaches the target counts.
STRETCHED = tuple(
    Script(
        f"default-{epochs}",
        f"Trainer, default settings but {epochs} epochs",
        {"num_train_epochs": epochs},
        instead_of=shorter,
        looks=2,
    )
    for epochs, shorter in ((6, "default"), (12, "default-6"))
)

# The Trainer's own switches, chosen on a tenth of banking77's training rows with seed 1. Accuracy
# there: batches of 32 at 3e-4, 4 epochs 0.920; of 64 at 4e-4, 4 epochs 0.910; after 3 epochs of 5,
# of 64 at 3e-4 0.908 and at 6e-4 0.879.
_SWITCHES = {
    "bf16": True,
    "train_sampling_strategy": "group_by_length",
    "per_device_train_batch_size": 32,
    "learning_rate": 3e-4,
    "warmup_steps": 0.1,  # below 1 it is a share
}
TUNED = Script("tuned", "Trainer, tuned by hand", {**_SWITCHES, "num_train_epochs": 4})
TUNED_STRETCHED = Script(
    "tuned-6",
    "Trainer, tuned by hand, 6 epochs",
    {**_SWITCHES, "num_train_epochs": 6},
    instead_of="tuned",
)
SCRIPTS: Mapping[str, Script] = {
    script.name: script for script in (TUNED, DEFAULT, TUNED_STRETCHED, *STRETCHED)
}
NAMES = (OURS, SHORT, *SCRIPTS)


@dataclass(frozen=True, order=True)
class Turn:
    """One measurement to be made."""

    seed: int
    contestant: str


def turns(seeds: int, only: tuple[str, ...] = NAMES) -> list[Turn]:
    """All measurements in order: every seed's round holds each contestant once.

    The order within a round rotates, so that a machine that slows down in time favours none.
    What is shortened or stretched comes after all rounds.
    """
    plain = [
        name
        for name in NAMES
        if name != SHORT and (name not in SCRIPTS or not SCRIPTS[name].instead_of)
    ]
    rounds = []
    for seed in range(1, seeds + 1):
        turned = plain[(seed - 1) % len(plain) :] + plain[: (seed - 1) % len(plain)]
        rounds += [Turn(seed, name) for name in turned]
    stretched = [
        Turn(seed, s.name) for seed in range(1, seeds + 1) for s in SCRIPTS.values() if s.instead_of
    ]
    shortened = [Turn(seed, SHORT) for seed in range(1, seeds + 1)]
    return [turn for turn in rounds + shortened + stretched if turn.contestant in only]
