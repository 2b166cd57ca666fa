"""Open-loop load: requests leave when they are due, whether the ones before are answered or not.

Latency counts from the moment that a request was due, not from when a connection was free: a
server that stalls is charged for all that it kept waiting (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

_CONNECTIONS = 512
_GRACE = 10.0
"""Seconds after the last request was due in which answers still count as late, not as lost."""


@dataclass(frozen=True)
class Target:
    """Where to ask, and how.

    Attributes:
        body: a text -> the request's body.
        label: a decoded answer -> the label in it.
        headers: more header lines, such as a deadline's; each with its line end.
    """

    host: str
    port: int
    path: str
    body: Callable[[str], bytes]
    label: Callable[[Any], str]
    headers: str = ""


@dataclass
class Answer:
    """One request: when it was due, how long it took from then, and what came of it."""

    due: float
    seconds: float
    status: int
    text: int
    label: str = ""


@dataclass
class Run:
    """All requests of one window."""

    rate: float
    seconds: float
    answers: list[Answer] = field(default_factory=list)

    def good(self, within: float | None = None) -> list[float]:
        """Latencies of the answers that came, within a limit where one is given; sorted."""
        return sorted(
            answer.seconds
            for answer in self.answers
            if answer.status == 200 and (within is None or answer.seconds <= within)
        )

    def percentile(self, share: float) -> float:
        """A latency in seconds, by nearest rank; a request without an answer took for ever."""
        found = [a.seconds if a.status == 200 else float("inf") for a in self.answers]
        ordered = sorted(found)
        return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]

    @property
    def end(self) -> float:
        """When the window is over and its last answer has come, from its start."""
        return max([self.seconds, *(a.due + a.seconds for a in self.answers if a.status)])

    def throughput(self) -> float:
        """Good answers a second, from the window's start to the last answer of it."""
        return len(self.good()) / self.end if self.answers else 0.0

    def goodput(self, within: float) -> float:
        """Answers within a limit, a second of the window."""
        return len(self.good(within)) / self.seconds


class _Connection(asyncio.Protocol):
    """One kept-alive connection, one request at a time: no more of HTTP than the peers speak."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self.transport: Any = None
        self.open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.open = transport, True

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result((0, b""))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body; status 0 when the connection was lost."""
        self._waiting = asyncio.get_running_loop().create_future()
        self._data.clear()
        self.transport.write(request)
        return await self._waiting

    def data_received(self, data: bytes) -> None:
        self._data += data
        head_end = self._data.find(b"\r\n\r\n")
        if head_end < 0 or self._waiting is None or self._waiting.done():
            return
        head = bytes(self._data[:head_end]).lower()
        status = int(head[9:12])
        body = bytes(self._data[head_end + 4 :])
        if b"transfer-encoding: chunked" in head:
            if not body.endswith(b"0\r\n\r\n"):
                return
            body = _unchunked(body)
        else:
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if len(body) < length:
                return
        if b"connection: close" in head:
            self.transport.close()
        self._waiting.set_result((status, body))


def _unchunked(data: bytes) -> bytes:
    found, place = b"", 0
    while True:
        end = data.index(b"\r\n", place)
        size = int(data[place:end], 16)
        if not size:
            return found
        found += data[end + 2 : end + 2 + size]
        place = end + 4 + size


class Client:
    """A pool of connections to one server."""

    def __init__(self, target: Target, texts: Sequence[str]) -> None:
        self.target, self.texts = target, texts
        self._idle: list[_Connection] = []
        self._slots = asyncio.Semaphore(_CONNECTIONS)
        head = (
            f"POST {target.path} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n"
            f"Content-Type: application/json\r\n{target.headers}Content-Length: "
        ).encode()
        bodies = [target.body(text) for text in texts]
        self._requests = [head + str(len(b)).encode() + b"\r\n\r\n" + b for b in bodies]

    async def ask(self, text: int, due: float, start: float) -> Answer:
        """Ask for one text; times are from `start`."""
        status, body = 0, b""
        async with self._slots:
            try:
                connection = await self._connection()
                status, body = await connection.ask(self._requests[text])
                if connection.open:
                    self._idle.append(connection)
            except OSError:
                status = 0
        seconds = time.perf_counter() - start - due
        label = ""
        if status == 200:
            label = self.target.label(json.loads(body))
        return Answer(due, seconds, status, text, label)

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(_Connection, self.target.host, self.target.port)
        return made

    async def open_loop(self, rate: float, seconds: float, seed: int = 1) -> Run:
        """Requests at random moments (Poisson), `rate` a second on average."""
        random_ = random.Random(seed)
        run, due, tasks = Run(rate, seconds), random_.expovariate(rate), []
        start = time.perf_counter()
        place = random_.randrange(len(self.texts))
        while due < seconds:
            pause = due - (time.perf_counter() - start)
            if pause > 0:
                await asyncio.sleep(pause)
            tasks.append(asyncio.create_task(self.ask(place % len(self.texts), due, start)))
            place += 1
            due += random_.expovariate(rate)
        done, late = await asyncio.wait(tasks, timeout=_GRACE) if tasks else (set(), set())
        run.answers = [task.result() for task in done]
        for task in late:
            task.cancel()
        run.answers += [Answer(0.0, float("inf"), 0, 0) for _ in late]
        await asyncio.gather(*late, return_exceptions=True)
        return run

    async def open_loops(self, rate: float, seconds: float, seeds: Sequence[int]) -> Run:
        """A window of `open_loop` a seed, one after the other, as one: the slowest hundredth of a
        single short window are two or three answers."""
        whole = Run(rate, 0.0)
        for seed in seeds:
            run = await self.open_loop(rate, seconds, seed)
            whole.answers += [replace(each, due=each.due + whole.seconds) for each in run.answers]
            whole.seconds += run.end
        return whole

    async def closed_loop(self, callers: int, seconds: float) -> Run:
        """As many callers as are said, each asking again once it is answered."""
        run, start = Run(0.0, seconds), time.perf_counter()
        places = iter(range(10**9))

        async def caller() -> None:
            while (now := time.perf_counter() - start) < seconds:
                answer = await self.ask(next(places) % len(self.texts), now, start)
                run.answers.append(answer)
                if answer.status == 0:
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(caller() for _ in range(callers)))
        return run

    def close(self) -> None:
        """Let the connections go."""
        for connection in self._idle:
            connection.transport.close()
