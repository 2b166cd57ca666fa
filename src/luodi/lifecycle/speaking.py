"""Work that records its words in both languages is watched in the reader's."""

from __future__ import annotations

from dataclasses import dataclass

from luodi.contracts import Progress, Spoken, recording, worded
from luodi.lifecycle.stages import Observer


@dataclass(frozen=True)
class Speaking:
    """An Observer that passes everything on in the reader's language."""

    watcher: Observer

    def begin(self, stage: str) -> Progress:
        """A stage begins."""
        with recording(False):
            return Spoken(self.watcher.begin(stage))

    def end(self, stage: str, seconds: float, reused: bool) -> None:
        """A stage has ended."""
        with recording(False):
            self.watcher.end(stage, seconds, reused)

    def broken(self, stage: str, seconds: float, stopped: bool) -> None:
        """A stage has failed, or was stopped."""
        with recording(False):
            self.watcher.broken(stage, seconds, stopped)

    def tell(self, message: str) -> None:
        """A sentence between stages."""
        with recording(False):
            self.watcher.tell(worded(message))
