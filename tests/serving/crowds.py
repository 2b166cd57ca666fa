"""Slow callers, each of a kind by itself, and a crowd of them at once: what becomes of them."""

from __future__ import annotations

import collections
import math
import select
import selectors
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.serving.hostile import all_of, connected, status

SLOW = 10.0
"""Seconds within which every slow caller is let go."""
DRIBBLE = 0.5
"""Seconds from one letter of a dribble to the next."""
FAIR_SECONDS, FAIR_PIECES = 9.0, 12
"""How long a body takes that is waited for: longer than one may of which little comes."""

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


def dribbling_head(url):
    """A head that comes a letter every half a second: the answer, and the seconds until then."""
    with connected(url, 0.5) as caller:
        began, answer = time.monotonic(), b""
        with suppress(OSError):
            for letter in b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 1000:
                caller.sendall(bytes([letter]))
                with suppress(TimeoutError):
                    answer = caller.recv(4096)
                    break
        return answer, time.monotonic() - began


def dribbling_body(url):
    """A body in chunks of a byte, ten a second, for as long as it may come: likewise."""
    head = b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with connected(url, SLOW) as caller:
        caller.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        began = time.monotonic()
        with suppress(ConnectionError):
            while not select.select([caller], [], [], 0.1)[0]:
                caller.sendall(b"1\r\n[\r\n")
        return all_of(caller), time.monotonic() - began


def unread(service, patience):
    """The seconds until one is let go who asks a lot and reads nothing; no end of them where it
    is not, or where the system keeps what is unsent."""
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 400
    with connected(service["url"], 5) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ends = int(service["url"].rpartition(":")[2]), caller.getsockname()[1]
        began = time.monotonic()
        caller.sendall(asked)  # and nothing more: the system would learn from it that all is over
        while (state := state_of(*ends)) == _ESTABLISHED and time.monotonic() - began < patience:
            time.sleep(0.1)
    return math.inf if state else time.monotonic() - began


_ESTABLISHED = "01"


def state_of(ours, theirs):
    """In which state the system has the service's end of a connection; "" where it has none."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = f":{ours:04X}", f":{theirs:04X}"
    return next((each[3] for each in lines
                 if each[1].endswith(ends[0]) and each[2].endswith(ends[1])), "")  # fmt: skip


def never_greeting(port):
    """The seconds until one is let go who says nothing at all."""
    with socket.create_connection(("127.0.0.1", port), timeout=SLOW) as caller:
        began = time.monotonic()
        with suppress(ConnectionResetError):
            while caller.recv(4096):  # gRPC greets first
                pass
        return time.monotonic() - began


def large_body(url):
    """The status of a body that comes slower than the first patience lets it, at a fair pace."""

    def body():
        yield b'{"inputs": ['
        for _ in range(FAIR_PIECES):
            time.sleep(FAIR_SECONDS / FAIR_PIECES)
            yield b'"' + b"great " * 20_000 + b'", '
        yield b'"great"]}'

    head = {"Content-Type": "application/json"}
    return httpx.post(f"{url}/predict/tiny", content=body(), headers=head, timeout=30).status_code
