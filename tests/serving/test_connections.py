"""Callers who write what two servers would read differently, or heads without an end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket

import pytest

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
PATIENCE = 12.0


def connect(service):
    return connected(service["url"], PATIENCE)


def test_a_long_answer_is_waited_for_as_long_as_it_is_read(monkeypatch):
    monkeypatch.setattr("luodi.serving.connections.UNREAD_SECONDS", 0.25)

    class Buffer:
        """A transport that is read at this pace, for two seconds."""

        aborted = False

        def __init__(self, loop, pace):
            self.loop, self.begun, self.pace = loop, loop.time(), pace

        def get_write_buffer_size(self):
            return max(0, int((2 - self.loop.time() + self.begun) * self.pace))

        def get_extra_info(self, name):
            return {"socket": unused}[name]

        def abort(self):
            self.aborted = True

    async def waited_for(pace):
        connection = object.__new__(Connection)
        connection.loop = asyncio.get_running_loop()
        connection.transport = Buffer(connection.loop, pace)
        connection._await_reading()
        await asyncio.sleep(1.1)
        connection._read_on()
        return not connection.transport.aborted

    async def main():
        return await asyncio.gather(waited_for(200_000), waited_for(20_000))

    with socket.socket() as unused:
        assert asyncio.run(main()) == [True, False]


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
