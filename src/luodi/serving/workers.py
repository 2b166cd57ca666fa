"""Several processes behind one port: forked before anything is loaded, watched, started again.

All of them accept from the one listening socket. A worker that is killed takes with it what it was
answering, and nothing that still waits to be accepted. The parent loads no model: it forks, waits,
and passes on the wish to end.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from luodi.contracts import LuodiError, errors, say

LOG = logging.getLogger("luodi.serving")
_SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
_ENDING = {signal.SIGTERM, signal.SIGINT}
_STEADY_SECONDS = 5.0
"""A worker that lived so long did start; one that did not is started again ever more slowly."""
_LONGEST_PAUSE = 10.0

Work = Callable[[int, int, Callable[[int], None]], None]
"""What a worker does: its place among the workers, a file that closes when the parent is gone, and
what it calls with its gRPC port when it listens."""


@dataclass
class _Place:
    """One of the workers, whoever holds its place now."""

    number: int
    pid: int = 0
    started: float = 0.0
    falls: int = 0
    due: float = 0.0


@dataclass
class Workers:
    """The workers of one service.

    Args:
        work: what each does; it returns when it was asked to end.
        count: how many.
        drain_seconds: how long they may take to finish what they have begun.
    """

    work: Work
    count: int
    drain_seconds: float
    _places: list[_Place] = field(default_factory=list)
    _life: tuple[int, int] = (-1, -1)

    def run(self, ready: Callable[[int], None]) -> None:
        """Start them, tell that they listen, watch over them, and end with them.

        Raises:
            LuodiError: what the first of them raised that could not start.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        # Nobody writes into it: the workers see it close when this process is gone, however.
        self._life = os.pipe()
        self._places = [_Place(number) for number in range(self.count)]
        try:
            pipes = [self._start(place, before) for place in self._places]
            ports = [self._listens(pipe) for pipe in pipes]
            if None not in ports:
                ready(ports[0] or 0)
                self._watch(before)
        finally:
            self._end()
            for end in self._life:
                os.close(end)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _start(self, place: _Place, mask: set[int | signal.Signals]) -> int:
        """Fork; returns the pipe on which the worker tells how its start went."""
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            os.close(self._life[1])
            self._be(place.number, writing, mask)
        os.close(writing)
        place.pid, place.started = pid, time.monotonic()
        return reading

    def _be(self, number: int, writing: int, mask: set[int | signal.Signals]) -> NoReturn:
        """The worker's whole life; the parent's frames are never returned to."""
        code = 1
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all: the parent decides
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            self.work(number, self._life[0], lambda port: _tell(writing, {"port": port}))
            code = 0
        except LuodiError as error:
            kind = type(error).__name__
            parts = [error.found, error.expected, error.remedy]
            _tell(writing, {"error": kind, "parts": parts})
        except BaseException:  # a process of its own: nobody above would print it
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _listens(self, pipe: int) -> int | None:
        """The worker's gRPC port once it listens; None when we are asked to end before."""
        try:
            while not select.select([pipe], [], [], 0.2)[0]:
                if signal.sigpending() & _ENDING:
                    return None
            data = os.read(pipe, 65_536)
        finally:
            os.close(pipe)
        told = json.loads(data) if data else {}
        if "port" in told:
            return int(told["port"])
        kind = getattr(errors, told.get("error", ""), LuodiError)
        parts = told.get("parts") or [
            say("A worker could not start.", "工作进程无法启动。"),
            "",
            say("See what it printed above.", "详见其上方输出。"),
        ]
        try:
            raise kind(*parts)
        except TypeError:  # an error that is made in another way
            raise LuodiError(*parts) from None

    def _watch(self, mask: set[int | signal.Signals]) -> None:
        """Start again whoever falls, until we are asked to end."""
        while True:
            waiting = [place.due for place in self._places if not place.pid]
            pause = max(min(waiting) - time.monotonic(), 0.0) if waiting else 60.0
            seen = signal.sigtimedwait(_SIGNALS, pause)
            if seen is not None and seen.si_signo in _ENDING:
                return
            self._reap()
            for place in self._places:
                if not place.pid and place.due <= time.monotonic():
                    # How it starts is of no interest now: if it falls, it is started again.
                    os.close(self._start(place, mask))

    def _reap(self) -> None:
        by_pid = {place.pid: place for place in self._places}
        while any(place.pid for place in self._places):
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            place = by_pid.get(pid)
            if place is None:
                continue
            now = time.monotonic()
            place.falls = 0 if now - place.started > _STEADY_SECONDS else place.falls + 1
            place.pid = 0
            place.due = now + min(0.1 * 2**place.falls - 0.1, _LONGEST_PAUSE)
            how = os.waitstatus_to_exitcode(status)
            LOG.warning(
                say(
                    f"Worker {place.number} ended ({how}); starting it again.",
                    f"工作进程 {place.number} 已退出({how})，正在重新启动。",
                )
            )

    def _end(self) -> None:
        """Ask all to finish what they have begun; end those that take too long."""
        self._send(signal.SIGTERM)
        until = time.monotonic() + self.drain_seconds + 5
        while any(place.pid for place in self._places):
            left = until - time.monotonic()
            if left <= 0:
                self._send(signal.SIGKILL)
            for place in self._places:
                if place.pid and os.waitpid(place.pid, os.WNOHANG)[0]:
                    place.pid = 0
            if any(place.pid for place in self._places):
                signal.sigtimedwait({signal.SIGCHLD}, 0.2)

    def _send(self, number: signal.Signals) -> None:
        for place in self._places:
            if place.pid:
                os.kill(place.pid, number)


def _tell(pipe: int, what: dict[str, object]) -> None:
    try:
        os.write(pipe, json.dumps(what).encode())
    except BrokenPipeError:
        return  # a later worker: nobody waits for it
    finally:
        os.close(pipe)
