"""Callers who stop half-way, never read, or write what two servers would read differently."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

BODY = json.dumps({"inputs": ["great"]}).encode()
HEAD = b"Host: x\r\nContent-Type: application/json\r\n"
SLOW = 10.0
"""Seconds within which every slow caller is let go."""


def connect(service, timeout=SLOW + 2):
    url = urlsplit(service["url"])
    return socket.create_connection((url.hostname, url.port), timeout=timeout)


def all_of(caller):
    """Everything that comes until the service closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := caller.recv(65536):
            parts.append(part)
    return b"".join(parts)


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer else 0


HALVES = {
    "nothing": b"",
    "a letter": b"P",
    "half a head": b"POST /predict/tiny HTTP/1.1\r\nHost: x\r\n",
    "blank lines": b"\r\n\r\n",
    "half a body": b"POST /predict/tiny HTTP/1.1\r\n" + HEAD + b"Content-Length: 100\r\n\r\n{",
    "half a chunk": b"POST /predict/tiny HTTP/1.1\r\n" + HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n50\r\n{",
}  # fmt: skip


def test_slow_callers_are_let_go_and_others_are_served(service, client):
    callers = [(name, connect(service)) for name in HALVES for _ in range(20)]
    for name, caller in callers:
        caller.sendall(HALVES[name])
    began = time.monotonic()
    assert client.post("/predict/tiny", json={"inputs": ["great"]}).is_success
    assert time.monotonic() - began < 2
    for name, caller in callers:
        with caller:
            answer = all_of(caller)
        assert time.monotonic() - began < SLOW, name
        assert status(answer) in (0, 400, 408), (name, answer)


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
            while time.monotonic() - began < SLOW + 4:  # asks on and on, reads nothing
                caller.sendall(request * 50)
        assert time.monotonic() - began < SLOW + 4


BAD = {
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n",
    "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "a signed length": b"Content-Length: +5\r\n",
    "a length in hex": b"Content-Length: 0x5\r\n",
    "a list of lengths": b"Content-Length: 5, 5\r\n",
    "chunks twice": b"Transfer-Encoding: chunked, chunked\r\n",
    "chunks not last": b"Transfer-Encoding: chunked, gzip\r\n",
    "strange chunks": b"Transfer-Encoding: xchunked\r\n",
    "blank before the colon": b"Content-Length : 5\r\n",
    "a folded line": b"X-A: b\r\n c\r\nContent-Length: 5\r\n",
    "a bare carriage return": b"X-A: b\rContent-Length: 5\r\n",
    "a zero byte": b"X-A: b\x00c\r\n",
    "no colon": b"nonsense\r\n",
}


@pytest.mark.parametrize("name", BAD)
def test_what_two_servers_would_read_differently_is_refused(service, name):
    """A request hidden behind another must never be answered."""
    smuggled = b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"
    request = b"POST /predict/tiny HTTP/1.1\r\n" + HEAD + BAD[name] + b"\r\n0\r\n\r\n" + smuggled
    with connect(service) as caller:
        caller.sendall(request)
        answer = all_of(caller)
    assert status(answer) in (400, 411, 415, 422, 501), answer
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    assert b"extensions" not in answer  # what GET /v2 would have told


@pytest.mark.parametrize(
    "hosts",
    [[], ["x", "y"], [""], ["a b"], ["x\"><script>"], ["x/../y"], ["x:port"], ["x:999999"],
     ["[::1"], ["x@y"], ["é"]],
)  # fmt: skip
def test_bad_hosts_are_refused(service, hosts):
    lines = b"".join(b"Host: " + host.encode() + b"\r\n" for host in hosts)
    with connect(service) as caller:
        caller.sendall(b"GET /docs HTTP/1.1\r\n" + lines + b"\r\n")
        assert status(all_of(caller)) == 400


def test_good_hosts_are_taken(service):
    for host in (b"x", b"x.example:8000", b"127.0.0.1:1", b"[::1]:80", b"a_b-c"):
        with connect(service) as caller:
            head = b"GET /v2/health/live HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n"
            caller.sendall(head + b"\r\n")
            assert status(all_of(caller)) == 200


@pytest.mark.parametrize(
    "head",
    [b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 200_000 + b"\r\n\r\n",
     b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 101 + b"\r\n"],
)  # fmt: skip
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
            seen += caller.recv(65536)
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
