"""A crowd of slow callers at once: all are let go in time, and others are served meanwhile."""

from __future__ import annotations

import collections
import selectors
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
from tiny_service import running

from tests.serving.hostile import status
from tests.serving.soaking import allow_files, either_size, keep, resident
from tests.serving.stock.stock_service import stock

CROWD = {"short": 120, "long": 1_000}
SLOW = 10.0
"""Seconds within which every slow caller is let go."""
STOCK_SECONDS = {"short": 2.0, "long": 60.0}
"""How long stock uvicorn is given before those are counted whom it still keeps."""
DRIBBLE = 0.5
"""Seconds from one letter of a dribble to the next."""

_POST = b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
HALVES = {
    "nothing": (b"", b""),
    "a letter": (b"P", b""),
    "half a head": (b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\n", b""),
    "blank lines": (b"\r\n\r\n", b""),
    "half a body": (_POST + b"Content-Length: 100\r\n\r\n{", b""),
    "half a chunk": (_POST + b"Transfer-Encoding: chunked\r\n\r\n50\r\n{", b""),
    "a head that dribbles": (_POST + b"X-Long: ", b"a"),
    "a body that dribbles": (_POST + b"Content-Length: 5000\r\n\r\n", b"["),
}
"""What a caller sends at once, and what it goes on sending."""


@dataclass
class Caller:
    """One of the crowd."""

    name: str
    more: bytes
    began: float
    answer: bytes = b""


@dataclass
class Crowd:
    """What became of a crowd.

    Attributes:
        closed: seconds from a caller's first byte until it was let go.
        open: callers who were not, by what they had sent.
        others: seconds that other requests took meanwhile; `failed`: those without an answer.
    """

    closed: list[float] = field(default_factory=list)
    statuses: collections.Counter = field(default_factory=collections.Counter)
    open: collections.Counter = field(default_factory=collections.Counter)
    others: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    most: int = 0


def gather(address, count, selector):
    """Open all connections, and send what each sends at first."""
    names = list(HALVES)
    for number in range(count):
        name = names[number % len(names)]
        first, more = HALVES[name]
        caller = socket.create_connection(address, timeout=10)
        caller.sendall(first)
        caller.setblocking(False)
        selector.register(caller, selectors.EVENT_READ, Caller(name, more, time.monotonic()))


def wait_for_all(selector, crowd, seconds):
    """Read until everybody is let go, or the time is up; dribblers dribble on."""
    end, due = time.monotonic() + seconds, time.monotonic()
    while selector.get_map() and time.monotonic() < end:
        for key, _ in selector.select(0.05):
            caller, part = key.data, b""
            with suppress(ConnectionError):
                part = key.fileobj.recv(65536)
            if part:
                caller.answer += part
                continue
            crowd.closed.append(time.monotonic() - caller.began)
            crowd.statuses[status(caller.answer)] += 1
            selector.unregister(key.fileobj)
            key.fileobj.close()
        if time.monotonic() >= due:
            due += DRIBBLE
            for key in selector.get_map().values():
                with suppress(OSError):
                    key.fileobj.send(key.data.more)


def crowded(url, count, seconds):
    """A crowd at the door for at most so long, and what others saw of it."""
    parts, crowd, stop = urlsplit(url), Crowd(), threading.Event()

    def others():
        with httpx.Client(timeout=30, limits=httpx.Limits(max_keepalive_connections=0)) as client:
            while not stop.wait(0.1):
                began = time.monotonic()
                try:
                    answer = client.post(f"{url}/predict/tiny", json={"inputs": ["great"]})
                except httpx.HTTPError as error:
                    crowd.failed.append(repr(error))
                    continue
                crowd.others.append(time.monotonic() - began)
                if not answer.is_success:
                    crowd.failed.append(answer.text)

    beside = threading.Thread(target=others)
    with selectors.DefaultSelector() as selector:
        gather((parts.hostname, parts.port), count, selector)
        crowd.most = len(selector.get_map())
        beside.start()
        wait_for_all(selector, crowd, seconds)
        stop.set()
        beside.join(60)
        for key in list(selector.get_map().values()):
            crowd.open[key.data.name] += 1
            key.fileobj.close()
    return crowd


@either_size
def test_a_crowd_is_let_go_and_others_are_served(place, size):
    count = CROWD[size]
    allow_files(2 * count + 200)
    with running("./tiny", cwd=place) as service:
        url, pid = service["url"], service["process"].pid
        held, crowds = [resident(pid)], []
        for _ in range(1 if size == "short" else 4):
            crowds.append(crowded(url, count, SLOW + 5))
            held.append(resident(pid))
        assert service["process"].poll() is None
    last = crowds[-1]
    keep(
        f"{count} slow callers at once, {len(crowds)} times",
        **{
            "left open": sum(crowd.open.total() for crowd in crowds),
            "seconds until the last was let go": max(round(max(c.closed), 2) for c in crowds),
            "statuses of the last crowd": {str(n): c for n, c in sorted(last.statuses.items())},
            "others asked meanwhile": sum(len(crowd.others) for crowd in crowds),
            "and failed": sum(len(crowd.failed) for crowd in crowds),
            "their seconds, at most": max(round(max(c.others), 3) for c in crowds),
            "MiB before, and after each crowd": ", ".join(f"{each:.1f}" for each in held),
        },
    )
    for crowd in crowds:
        assert crowd.open == {}
        assert crowd.failed == []
        assert max(crowd.closed) < SLOW
        assert set(crowd.statuses) <= {0, 400, 408}
        assert len(crowd.others) > 20
        assert max(crowd.others) < 2
    # The first crowd makes the allocator take what the next ones use again.
    assert held[-1] - held[1] < 4
    assert held[1] - held[0] < 40


@either_size
def test_the_harness_sees_whom_stock_uvicorn_keeps(size):
    count = CROWD[size]
    allow_files(2 * count + 200)
    with stock() as service:
        before = resident(service["process"].pid)
        crowd = crowded(service["url"], count, STOCK_SECONDS[size])
        grown = resident(service["process"].pid) - before
    keep(
        f"{count} slow callers at once, stock FastAPI and uvicorn",
        **{
            f"still open after {STOCK_SECONDS[size]:g} s": crowd.open.total(),
            "of them": dict(crowd.open),
            "others asked meanwhile, and failed": f"{len(crowd.others)}, {len(crowd.failed)}",
            "MiB more": round(grown, 1),
        },
    )
    assert crowd.open.total() >= count / 2
