"""What hostile callers send: bodies, content types, heads that two servers would read differently,
Host lines. Every test of hostility takes them from here.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

BODIES = {
    "empty": b"",
    "nan": b'{"inputs": [NaN]}',
    "infinity": b'{"inputs": [-Infinity]}',
    "huge": b'{"inputs": [1e400]}',
    "surrogate": b'{"inputs": ["\\ud800"]}',
    "integer": b'{"inputs": [9223372036854775808]}',
    "long-integer": b'{"inputs": [' + b"9" * 5000 + b"]}",
    "deep": b'{"inputs": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    "deeper": b"[" * 100_000,
    "deep-objects": b'{"inputs":' * 900 + b"1" + b"}" * 900,
    "utf8": b'{"inputs": ["\xff\xfe"]}',
    "overlong": b'{"inputs": ["\xc0\xaf"]}',
    "mark": b'\xef\xbb\xbf{"inputs": ["a"]}',
    "utf16": '{"inputs": ["a"]}'.encode("utf-16"),
    "twice": b'{"inputs": ["a"], "inputs": ["b"]}',
    "twice-inside": b'{"inputs": [{"text": "a", "te\\u0078t": "b"}]}',
    "trailing": b'{"inputs": ["a"]} x',
    "cut": b'{"inputs": ["a"',
    "single-quotes": b"{'inputs': ['a']}",
    "comment": b'{"inputs": ["a"] /* */}',
    "nul": b"\x00",
    "control": b'{"inputs": ["a\nb"]}',
    "number": b"1",
    "null": b"null",
    "form": b"inputs=a",
    "many-keys": json.dumps({str(n): n for n in range(20_000)}).encode(),
    "long-key": json.dumps({"k" * 100_000: 1}).encode(),
    "long-key-inside": json.dumps({"inputs": [{"k" * 100_000: 1}]}).encode(),
    "many-keys-inside": json.dumps({"inputs": [{str(n): n for n in range(20_000)}]}).encode(),
    "long-text-for-a-number": json.dumps(
        {"inputs": [{"name": "text", "shape": ["9" * 100_000], "datatype": "BYTES", "data": [1]}]}
    ).encode(),
}
"""None of them is a request: each is refused with a 400 in words."""

TYPES = (
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/xml", "application/octet-stream", "application/jsonx", "json", "a/b/c", "*/*",
    "x" * 5000, "",
)  # fmt: skip
"""A good body under each of these is refused with a 415, or with a 400 where it is no type."""

LINES = {
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

HOSTS = (
    (), ("x", "y"), ("",), ("a b",), ('x"><script>',), ("x/../y",), ("x:port",), ("x:999999",),
    ("[::1",), ("x@y",), ("é",),
)  # fmt: skip
"""The Host lines of a request that is refused with a 400."""

ENDLESS = (
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 200_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 101 + b"\r\n",
)
"""Heads that are cut off."""

_HEAD = b"Host: x\r\nContent-Type: application/json\r\n"


def posted(body: bytes, kind: str = "application/json", path: str = "/predict/tiny") -> bytes:
    """A request that is well formed around its body; the connection ends with the answer."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nConnection: close\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def smuggling(lines: bytes) -> bytes:
    """A request with these lines in its head, and another that hides behind it."""
    hidden = b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"
    return b"POST /predict/tiny HTTP/1.1\r\n" + _HEAD + lines + b"\r\n0\r\n\r\n" + hidden


def hosted(hosts: tuple[str, ...]) -> bytes:
    """A request with these Host lines."""
    lines = b"".join(b"Host: " + host.encode() + b"\r\n" for host in hosts)
    return b"GET /docs HTTP/1.1\r\n" + lines + b"Connection: close\r\n\r\n"


def connected(url: str, timeout: float) -> socket.socket:
    """A connection to a service."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=timeout)


def all_of(caller: socket.socket) -> bytes:
    """Everything that comes until the service closes."""
    parts = []
    with contextlib.suppress(ConnectionError):
        while part := caller.recv(65536):
            parts.append(part)
    return b"".join(parts)


def status(answer: bytes) -> int:
    """An answer's status; 0 where the connection was closed without one."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


def asked(url: str, request: bytes, timeout: float = 12.0) -> bytes:
    """The answer to raw bytes, however many of them the service cared to read."""
    with connected(url, timeout) as caller:
        with contextlib.suppress(ConnectionError):
            caller.sendall(request)
        return all_of(caller)


def large(size: int, chunked: bool) -> Iterator[bytes]:
    """A request with a body of `size` bytes, in pieces."""
    piece, count = b"x" * 65_536, -(-size // 65_536)
    head = b"POST /predict/tiny HTTP/1.1\r\n" + _HEAD + b"Connection: close\r\n"
    length = b"Content-Length: %d\r\n\r\n" % (count * len(piece))
    yield head + (b"Transfer-Encoding: chunked\r\n\r\n" if chunked else length)
    for _ in range(count):
        yield b"10000\r\n" + piece + b"\r\n" if chunked else piece
    if chunked:
        yield b"0\r\n\r\n"
