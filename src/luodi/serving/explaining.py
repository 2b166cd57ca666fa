"""The reasons of answers: one caller's at a time, and who waits for them is bounded as well.

A reason costs dozens of answers, and is said in its caller's language, so that callers cannot share
a call. By the pace that was measured one is told at once when its turn would come too late.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from luodi.bundle import LoadedBundle
from luodi.contracts import Reason, Request
from luodi.serving.admission import patience, too_late, too_much

_SMOOTHING = 0.3


class Explaining:
    """Asks one bundle for its reasons. Lives on one event loop.

    Args:
        waiting_seconds: how long one may have to wait; None for a second, or what eight calls take.
    """

    def __init__(self, bundle: LoadedBundle, waiting_seconds: float | None) -> None:
        self._bundle, self._most = bundle, waiting_seconds
        self._thread = ThreadPoolExecutor(1, "explain")
        self._waiting = 0  # rows, those that are being explained among them
        self._row_seconds = self._call_seconds = 0.0

    def close(self) -> None:
        """Let the thread go, once what it explains is done."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def turn_away(self, rows: int, deadline: float | None) -> None:
        """Refuse rows whose reasons cannot be there in time, before anything is done for them.

        Args:
            deadline: by the event loop's clock.

        Raises:
            BusyError: when they would wait too long, or past the deadline.
        """
        wait = self._waiting * self._row_seconds
        if wait > patience(self._most, self._call_seconds):
            raise too_much(wait)
        now = asyncio.get_running_loop().time()
        if deadline is not None and now + wait + rows * self._row_seconds > deadline:
            raise too_late(wait)

    async def reasons(
        self, requests: Sequence[Request], deadline: float | None = None
    ) -> list[list[Reason]]:
        """The reasons of the answer to each request, in the caller's language.

        Raises:
            BusyError: when they cannot be there in time.
            RequestError: when the model gives no reasons.
        """
        self.turn_away(len(requests), deadline)
        self._waiting += len(requests)
        try:
            async with asyncio.timeout_at(deadline) as left:
                told, seconds = await asyncio.get_running_loop().run_in_executor(
                    self._thread, copy_context().run, self._timed, requests
                )
        except TimeoutError:
            if not left.expired():
                raise
            raise too_late(self._waiting * self._row_seconds) from None
        finally:
            self._waiting -= len(requests)
        self._saw(len(requests), seconds)
        return told

    def _timed(self, requests: Sequence[Request]) -> tuple[list[list[Reason]], float]:
        started = time.perf_counter()
        return self._bundle.reasons(requests), time.perf_counter() - started

    def _saw(self, rows: int, seconds: float) -> None:
        share = _SMOOTHING if self._call_seconds else 1.0
        self._row_seconds += share * (seconds / rows - self._row_seconds)
        self._call_seconds += share * (seconds - self._call_seconds)
