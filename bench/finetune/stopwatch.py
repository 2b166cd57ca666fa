"""A clock that can be held: what is judged must not count as what is learnt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stopwatch:
    """Seconds since `began`, without those spent inside `held`.

    Args:
        began: the moment it starts to count from, on `now`'s scale; None for this moment.
        now: the clock. `time.monotonic` is one for all processes of a machine, so a stopwatch
            can count from before its own process was there.
    """

    def __init__(
        self, began: float | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._began = now() if began is None else began
        self.off = 0.0

    @property
    def seconds(self) -> float:
        """What has been counted."""
        return self._now() - self._began - self.off

    @contextmanager
    def held(self) -> Iterator[None]:
        """Not counted; `off` sums it up."""
        start = self._now()
        try:
            yield
        finally:
            self.off += self._now() - start
