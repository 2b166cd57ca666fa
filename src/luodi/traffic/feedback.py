"""True answers that arrive later: on the disk before they are acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from luodi.contracts import JsonValue
from luodi.traffic.masking import Numbers, masked
from luodi.traffic.segments import FEEDBACK, Segment, folder_of, root

_SEGMENT_BYTES = 32 * 1024 * 1024
_SEGMENT_SECONDS = 86_400.0
"""A file goes when its last line is too old: one that is written on for years would stay whole."""


@dataclass(frozen=True)
class Feedback:
    """The true answer to one row of a request.

    Attributes:
        truth: by the names of the answer's fields, such as {"label": "pos"}.
    """

    number: str
    row: int
    truth: dict[str, JsonValue]


@dataclass(frozen=True)
class _Waiting:
    model: str
    lines: Sequence[bytes]
    done: asyncio.Future[None]


class FeedbackLog:
    """Appends feedback; those that arrive while one is being written share the next write."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._numbers = Numbers(root(home))
        self._segments: dict[str, Segment] = {}
        self._waiting: list[_Waiting] = []
        self._working: asyncio.Task[None] | None = None

    async def add(self, model: str, feedback: Sequence[Feedback], mask: bool = True) -> None:
        """Keep feedback on a model; it is on the disk when this returns.

        Raises:
            OSError: when it could not be written; none of it counts then.
        """
        loop = asyncio.get_running_loop()
        lines = [self._line(model, each, mask) for each in feedback]
        waiting = _Waiting(model, lines, loop.create_future())
        self._waiting.append(waiting)
        if self._working is None or self._working.done():
            self._working = loop.create_task(self._work())
        await waiting.done

    def close(self) -> None:
        """Let the files go."""
        for segment in self._segments.values():
            segment.close()
        self._segments = {}

    async def _work(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            for model in {each.model for each in batch}:
                mine = [each for each in batch if each.model == model]
                lines = [line for each in mine for line in each.lines]
                try:
                    await asyncio.to_thread(self._append, model, lines)
                except OSError as error:
                    for each in mine:
                        if not each.done.done():
                            each.done.set_exception(error)
                else:
                    for each in mine:
                        if not each.done.done():
                            each.done.set_result(None)

    def _append(self, model: str, lines: Sequence[bytes]) -> None:
        segment = self._segments.get(model)
        if segment is not None and (
            segment.bytes >= _SEGMENT_BYTES or time.monotonic() - segment.begun >= _SEGMENT_SECONDS
        ):
            segment.close()
            segment = None
        if segment is None:
            segment = self._segments[model] = Segment(folder_of(self._home, model), FEEDBACK)
        segment.append(lines)

    def _line(self, model: str, feedback: Feedback, mask: bool) -> bytes:
        return orjson.dumps(
            {
                "time": int(time.time() * 1000),
                "request_id": self._numbers.written(feedback.number) if mask else feedback.number,
                "model": model,
                "row": feedback.row,
                "truth": masked(feedback.truth) if mask else feedback.truth,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )
