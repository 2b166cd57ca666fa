"""How a command speaks: words for people on a terminal, one JSON document for programs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from luodi.contracts.json import finite

if TYPE_CHECKING:
    from rich.console import Console

    from luodi.contracts import JsonValue


def emit(document: Mapping[str, JsonValue], as_json: bool, human: Callable[[], None]) -> None:
    """Print `document` as the only thing on stdout, or let `human` print words."""
    if as_json:
        text = json.dumps(finite(document), ensure_ascii=False, allow_nan=False, default=str)
        print(text)
    else:
        human()


def console(stderr: bool = False) -> Console:
    """A Rich console that leaves numbers and paths uncoloured and never wraps a path in two."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=not sys.stdout.isatty())


def duration(seconds: float) -> str:
    """Seconds for people: 8.3 s, 4 min 10 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


class TerminalProgress:
    """Shows a stage's progress on stderr, with what is left and when it will end.

    On a terminal one line is redrawn; in a log a line is printed every `log_every` seconds.
    """

    def __init__(self, stage: str, silent: bool = False, log_every: float = 15.0) -> None:
        self.stage, self.silent, self.log_every = stage, silent, log_every
        self._live = sys.stderr.isatty()
        self._started = self._shown = time.monotonic()
        self._first: float | None = None

    def step(self, done: float, total: float, note: str = "") -> None:
        """Redraw, at most ten times a second on a terminal."""
        now = time.monotonic()
        if self._first is None:  # what came before the first step says nothing of the pace
            self._first, self._started = done, now
        if self.silent or now - self._shown < (0.1 if self._live else self.log_every):
            return
        self._shown = now
        share = min(done / total, 1.0) if total else 0.0
        gained = done - self._first
        left = (now - self._started) / gained * (total - done) if gained > 0 else 0.0
        end = time.strftime("%H:%M:%S", time.localtime(time.time() + left))
        text = f"  {self.stage}  {share:4.0%}  "
        if gained > 0:
            from luodi.contracts import say

            text += say(
                f"{duration(left)} left, until {end}", f"剩余 {duration(left)}，预计 {end} 完成"
            )
        text += f"  {note}" if note else ""
        print(
            f"\r\x1b[2K{text}" if self._live else text,
            end="" if self._live else "\n",
            file=sys.stderr,
            flush=True,
        )

    def say(self, message: str) -> None:
        """Keep a sentence above the moving line."""
        if not self.silent:
            print(
                f"\r\x1b[2K  {message}" if self._live else f"  {message}",
                file=sys.stderr,
                flush=True,
            )

    def close(self) -> None:
        """Wipe the moving line."""
        if self._live and not self.silent:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
