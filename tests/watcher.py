"""Who watches a run in a test: what it was told, and where it lost patience."""

from __future__ import annotations

from luodi.contracts import Progress, Quiet


class Watcher:
    """An Observer that remembers; it presses Ctrl-C where the stage `stop_at` begins."""

    def __init__(self, stop_at: str = "") -> None:
        self.stop_at = stop_at
        self.ended: list[tuple[str, bool]] = []
        self.failed: list[tuple[str, bool]] = []
        self.told: list[str] = []

    @property
    def worked_on(self) -> set[str]:
        return {stage for stage, reused in self.ended if not reused}

    def begin(self, stage: str) -> Progress:
        if stage == self.stop_at:
            raise KeyboardInterrupt
        return Quiet()

    def end(self, stage: str, seconds: float, reused: bool) -> None:
        self.ended.append((stage, reused))

    def broken(self, stage: str, seconds: float, stopped: bool) -> None:
        self.failed.append((stage, stopped))

    def tell(self, message: str) -> None:
        self.told.append(message)
