"""How long work tells what it is doing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from luodi.contracts.language import recording, worded


class Progress(Protocol):
    """Where a stage reports to: a terminal, a log, a web page, or nowhere."""

    def step(self, done: float, total: float, note: str = "") -> None:
        """`done` of `total` units are through; `note` is what to show beside, such as a loss."""

    def say(self, message: str) -> None:
        """One sentence that the reader should keep."""


class Quiet:
    """A Progress that tells nobody."""

    def step(self, done: float, total: float, note: str = "") -> None:
        """Nothing is shown."""

    def say(self, message: str) -> None:
        """Nothing is said."""


@dataclass(frozen=True)
class Spoken:
    """A Progress of work that is `recording`: passes everything on in the reader's language."""

    progress: Progress

    def step(self, done: float, total: float, note: str = "") -> None:
        """As it came, the note worded."""
        with recording(False):
            self.progress.step(done, total, worded(note))

    def say(self, message: str) -> None:
        """The sentence, worded."""
        with recording(False):
            self.progress.say(worded(message))
