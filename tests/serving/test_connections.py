"""Callers who stop half-way, never read, or write what two servers would read differently."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import select
import socket
import time

import httpx
import pytest
from tiny_service import running

from luodi.serving.connections import Connection
from tests.serving.hostile import (
    ENDLESS,
    HOSTS,
    LINES,
    all_of,
    connected,
    hosted,
    smuggling,
    status,
)

BODY = json.dumps({"inputs": ["great"]}).encode()
HEAD = b"Host: x\r\nContent-Type: application/json\r\n"
SLOW = 10.0
"""Seconds within which every slow caller is let go."""


def connect(service):
    return connected(service["url"], SLOW + 2)


def test_a_dribble_does_not_put_off_the_end(service):
    with connect(service) as caller:
        caller.settimeout(0.5)
        began, answer = time.monotonic(), b""
        with contextlib.suppress(OSError):
            for letter in b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 1000:
                caller.sendall(bytes([letter]))
                with contextlib.suppress(TimeoutError):
                    answer = caller.recv(4096)
                    break
        assert time.monotonic() - began < SLOW
        assert status(answer) == 408


def test_one_who_does_not_read_is_let_go(service):
    request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    with connect(service) as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.settimeout(1)
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < SLOW + 20:  # asks on and on, reads nothing
                caller.sendall(request * 50)
        # Slow from when no answer leaves any more: a busy machine takes its time to fill a socket.
        assert time.monotonic() - began < SLOW + 20


@pytest.mark.parametrize(("pace", "whole"), [(200_000, True), (20_000, False)])
def test_a_long_answer_is_waited_for_as_long_as_it_is_read(monkeypatch, pace, whole):
    monkeypatch.setattr("luodi.serving.connections.UNREAD_SECONDS", 0.5)
    size = 2 * pace

    class Buffer:
        """A transport that is read at this pace."""

        aborted = False

        def __init__(self, loop):
            self.loop, self.begun = loop, loop.time()

        def get_write_buffer_size(self):
            return max(0, size - int((self.loop.time() - self.begun) * pace))

        def abort(self):
            self.aborted = True

    async def main():
        connection = object.__new__(Connection)
        connection.loop = asyncio.get_running_loop()
        connection.transport = Buffer(connection.loop)
        connection._await_reading()
        await asyncio.sleep(1.8)
        connection._read_on()
        return not connection.transport.aborted

    assert asyncio.run(main()) is whole


@pytest.mark.parametrize("name", LINES)
def test_what_two_servers_would_read_differently_is_refused(service, name):
    """A request hidden behind another must never be answered."""
    request = smuggling(LINES[name])
    with connect(service) as caller:
        caller.sendall(request)
        answer = all_of(caller)
    assert status(answer) in (400, 411, 415, 422, 501), answer
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert b"extensions" not in answer  # what GET /v2 would have told


@pytest.mark.parametrize("hosts", HOSTS)
def test_bad_hosts_are_refused(service, hosts):
    with connect(service) as caller:
        caller.sendall(hosted(hosts))
        assert status(all_of(caller)) == 400


def test_good_hosts_are_taken(service):
    for host in (b"x", b"x.example:8000", b"127.0.0.1:1", b"[::1]:80", b"a_b-c"):
        with connect(service) as caller:
            head = b"GET /v2/health/live HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n"
            caller.sendall(head + b"\r\n")
            assert status(all_of(caller)) == 200


@pytest.mark.parametrize("head", ENDLESS)
def test_heads_have_an_end(service, head):
    with connect(service) as caller:
        with contextlib.suppress(OSError):
            caller.sendall(head)
        assert status(all_of(caller)) in (0, 400, 414, 431)


def test_many_requests_on_one_connection(service):
    with connect(service) as caller:
        one = b"POST /predict/tiny HTTP/1.1\r\n" + HEAD
        one += b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
        caller.sendall(one * 5)
        seen = b""
        while seen.count(b"HTTP/1.1 200") < 5:
            part = caller.recv(65536)
            assert part, seen
            seen += part
    assert seen.count(b"HTTP/1.1 ") == 5


def test_a_large_body_that_keeps_coming_is_waited_for(service):
    with httpx.Client(base_url=service["url"], timeout=30) as client:

        def body():
            yield b'{"inputs": ['
            for _ in range(12):  # slower than the first patience, at a fair pace
                time.sleep(0.2)
                yield b'"' + b"great " * 20_000 + b'", '
            yield b'"great"]}'

        response = client.post(
            "/predict/tiny", content=body(), headers={"Content-Type": "application/json"}
        )
    assert response.status_code == 200


@pytest.fixture(scope="module")
def guarded(place, tmp_path_factory):
    """A service over TLS and gRPC, started where few files may be open, as is usual."""
    from tests.serving.test_access import certificate

    folder = tmp_path_factory.mktemp("tls")
    certificate(folder)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, soft), hard))
    tls = ("--tls-cert", folder / "cert.pem", "--tls-key", folder / "key.pem")
    try:
        with running("./tiny", *tls, "--grpc-port", 0, cwd=place) as service:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            yield service
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_never_greets_is_let_go_by_tls_and_by_grpc_too(guarded):
    pytest.importorskip("grpc")
    ports = [int(guarded[name].rpartition(":")[2]) for name in ("url", "grpc")]
    with contextlib.ExitStack() as stack:
        callers = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port))) for port in ports
        ]
        began = time.monotonic()
        for caller in callers:
            caller.settimeout(SLOW)
            with contextlib.suppress(ConnectionResetError):
                while caller.recv(4096):  # gRPC greets first
                    pass
        assert time.monotonic() - began < SLOW


def test_as_many_files_may_be_open_as_the_system_allows(guarded):
    process, hard = guarded["process"].pid, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert resource.prlimit(process, resource.RLIMIT_NOFILE)[0] >= min(hard, 65_536)


def test_more_slow_callers_than_files_shut_nobody_out(place):
    with running("./tiny", cwd=place) as service, contextlib.ExitStack() as stack:
        resource.prlimit(service["process"].pid, resource.RLIMIT_NOFILE, (256, 256))
        slow = [stack.enter_context(connected(service["url"], 5)) for _ in range(400)]
        for caller in slow:
            with contextlib.suppress(OSError):
                caller.sendall(b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\n")
        for _ in range(3):
            answer = httpx.post(f"{service['url']}/predict/tiny", json={"inputs": ["great"]})
            assert answer.status_code == 200
        gone = select.select(slow, [], [], 1)[0]
        assert slow[0] in gone  # who waited longest made room
        assert slow[-1] not in gone


def whole(connection: socket.socket, asked: bytes) -> bytes:
    """The answer to its last byte, in however many pieces it comes."""
    connection.sendall(asked)
    answer = b""
    while not answer.endswith(b"}"):
        more = connection.recv(4096)
        assert more, answer
        answer += more
    return answer


def test_who_asks_nothing_makes_room_too(place):
    live = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    with running("./tiny", cwd=place) as service, contextlib.ExitStack() as stack:
        resource.prlimit(service["process"].pid, resource.RLIMIT_NOFILE, (256, 256))
        idle = []
        for _ in range(300):
            idle.append(stack.enter_context(connected(service["url"], 5)))
            assert status(whole(idle[-1], live)) == 200
        gone = select.select(idle, [], [], 1)[0]
        assert idle[0] in gone
        assert idle[0].recv(4096) == b""  # and not a word that could pass for an answer
        assert status(whole(idle[-1], live)) == 200
