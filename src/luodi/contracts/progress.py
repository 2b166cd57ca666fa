"""How long work tells what it is doing."""

from __future__ import annotations

from typing import Protocol


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
