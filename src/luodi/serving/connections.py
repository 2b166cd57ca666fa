"""HTTP connections that do not wait for ever: uvicorn's own, with the clocks and bounds it lacks.

A caller who sends half a head and stops, or never reads its answer, holds a socket and memory for
as long as it likes unless somebody looks at the clock. Heads without an end are cut off as well.
Where there are more connections than files may be open, those go first that ask nothing, then those
whose head is awaited.
"""

from __future__ import annotations

import asyncio
import re
import resource
import socket
import struct
from typing import Any, ClassVar

import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 8.0
"""From the first byte that is awaited to the end of a head."""
UNREAD_SECONDS = 8.0
"""How long an answer may wait for its caller to read on, and
READ_PACE: bytes a second at which it must be read beyond that: a long answer takes its time."""
READ_PACE = 50_000
IDLE_SECONDS = 75
"""How long a connection may ask nothing. Balancers keep theirs for a minute: who closes before them
closes on a request that is on its way, which ends as their 502."""
LEAVE_SECONDS = 2.0
"""How long the end of a TLS connection waits for its caller to agree."""
HEAD_BYTES = 32_768
HEAD_LINES = 100
_FILES = 65_536
"""Files that a service asks to have open: many systems give 1,024 unless they are asked."""
_KEPT_FILES = 128
"""Of those that may be open: for bundles, logs and the registry."""
_HOST = re.compile(rb"[A-Za-z0-9_.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")


def open_more_files() -> None:
    """Let this process have as many files open as it may, within reason."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _room() -> int:
    """How many connections there may be; asked anew each time, as the limit can be changed."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(soft - _KEPT_FILES, soft // 2) if soft != resource.RLIM_INFINITY else _FILES


class Loop(uvloop.Loop):
    """uvloop's, which does not wait a minute for a caller to greet, or half a one for its leave."""

    async def create_server(self, *of: Any, ssl: Any = None, **more: Any) -> Any:
        """As uvloop's, with the clocks of TLS."""
        if ssl is not None:
            more |= {"ssl_handshake_timeout": HEAD_SECONDS, "ssl_shutdown_timeout": LEAVE_SECONDS}
        return await super().create_server(*of, ssl=ssl, **more)


class Connection(HttpToolsProtocol):
    """One connection of a caller."""

    # In the order in which they came.
    _awaited: ClassVar[dict[Connection, None]] = {}
    _idle: ClassVar[dict[Connection, None]] = {}
    _hurry: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is awaited from here."""
        super().connection_made(transport)
        self._await_head()
        if len(self.connections) <= _room():
            return
        if idle := next(iter(self._idle), None):
            idle._busy()
            idle.transport.close()
        else:
            next(iter(self._awaited))._too_slow()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._busy()
        self._calm()
        self._read_on()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A few bytes now and then do not put off the end of a head."""
        self._busy()
        super().data_received(data)
        busy = self.cycle is not None and not self.cycle.response_complete
        if not busy and not self.transport.is_closing() and self.timeout_keep_alive_task is None:
            self._await_head()

    def on_response_complete(self) -> None:
        """It may ask again, or nothing for a while."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self._idle[self] = None

    def on_url(self, url: bytes) -> None:
        """A path has an end."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """So have a head's lines, and their number."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is here: the request may take its time now."""
        self._calm()
        size, self._head_bytes = self._head_bytes, 0
        if self.transport.is_closing():
            return
        if size > HEAD_BYTES or len(self.headers) > HEAD_LINES:
            self._refuse(431, "Request Header Fields Too Large")
            return
        hosts = [value for name, value in self.headers if name == b"host"]
        one = len(hosts) == 1 or (not hosts and self.parser.get_http_version() == "1.0")
        if not one or not all(_HOST.fullmatch(host) for host in hosts):
            self._refuse(400, "Bad Request")  # RFC 9112, 3.2: one Host, and a valid one
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Of a request that was refused nothing is read."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Likewise."""
        if not self.transport.is_closing():
            super().on_message_complete()

    def pause_writing(self) -> None:
        """The caller does not read as fast as we write."""
        super().pause_writing()
        if self._unread is None:
            self._await_reading()

    def resume_writing(self) -> None:
        """It has read on."""
        self._read_on()
        super().resume_writing()

    def _busy(self) -> None:
        self._idle.pop(self, None)

    def _await_head(self) -> None:
        if self._hurry is None:
            self._hurry = self.loop.call_later(HEAD_SECONDS, self._too_slow)
            self._awaited[self] = None

    def _calm(self) -> None:
        self._awaited.pop(self, None)
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None

    def _await_reading(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self._has_read, left)

    def _has_read(self, left: int) -> None:
        """Of `left` bytes some were read since, or too few."""
        self._unread = None
        if left - self.transport.get_write_buffer_size() < UNREAD_SECONDS * READ_PACE:
            # Else the system would keep what is unsent, some megabytes, and try on.
            reset = struct.pack("ii", 1, 0)
            caller = self.transport.get_extra_info("socket")
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            self.transport.abort()
        else:
            self._await_reading()

    def _read_on(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _too_slow(self) -> None:
        self._calm()
        self._refuse(408, "Request Timeout")

    def _count(self, size: int) -> None:
        self._head_bytes += size
        # A head that never ends is cut off where it is, not at its end.
        if self._head_bytes > 2 * HEAD_BYTES:
            self._refuse(431, "Request Header Fields Too Large")

    def _refuse(self, status: int, reason: str) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        body = f'{{"error":{{"message":"{reason}.","field":null}}}}'.encode()
        head = (
            f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
