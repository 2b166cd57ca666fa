"""Servers to fetch from: real ones where this machine runs them, else the tests skip."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from luodi.data.fetching import Access

HERE = ("127.0.0.1", "localhost")


@pytest.fixture
def access(tmp_path: Path) -> Access:
    return Access(tmp_path / ".luodi", tmp_path, HERE)


Answer = tuple[int, dict[str, str], bytes]


class Site:
    """An HTTP server on loopback whose answers a function gives; it remembers what was asked."""

    def __init__(self, answer: Callable[[str, dict[str, str]], Answer]) -> None:
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        site = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                site.asked.append(self.path)
                site.headers.append(headers)
                status, said, body = answer(self.path, headers)
                self.send_response(status)
                said = {"Content-Length": str(len(body))} | said
                for name, value in said.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)
                if int(said["Content-Length"]) > len(body):
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(answer: Callable[[str, dict[str, str]], Answer]) -> Site:
        made.append(Site(answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Stopping:
    """A progress that is interrupted at a step, as by Ctrl-C."""

    def __init__(self, at: int) -> None:
        self.left = at

    def step(self, done: float, total: float, note: str = "") -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt

    def say(self, message: str) -> None:
        pass
