"""An encoder of fewer layers, taught by what another model says of the rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from luodi.contracts import Answer
from luodi.tasks.ensemble import log_chance

if TYPE_CHECKING:
    from numpy.typing import NDArray

STUDENT_RATE = 5 / 3
"""Of the rate of a fit: fewer layers take larger steps, and have further to go."""


@dataclass(frozen=True)
class Lesson:
    """What a student is taught.

    Attributes:
        said: (n, k) the teacher's log-probabilities of the rows learnt from.
        layers: how many the student keeps; None for half of its base's.
    """

    said: NDArray[np.float32]
    layers: int | None


def lesson_of(answers: Sequence[Answer], labels: Sequence[str], layers: int | None) -> Lesson:
    """A teacher's answers as a lesson."""
    return Lesson(log_chance(answers, labels).astype(np.float32), layers)


def student_passes(wanted: int) -> int:
    """Passes of a student where a fit would make so many; each takes half as long, or less. Of
    banking77's questions (4,000, two layers of six) ten passes lose 0.0085 of the accuracy."""
    return 2 * wanted + 2


def half_of(base: Path) -> int:
    """Half of a base's layers, one at least."""
    config = json.loads((base / "config.json").read_text("utf-8"))
    there = next((config[name] for name in _LAYERS if name in config), 2)
    return max(1, int(there) // 2)


_LAYERS = ("num_hidden_layers", "n_layers", "num_layers")
"""What model types call them."""
