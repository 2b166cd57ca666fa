"""A port, and one process or several that answer on it: an event loop each, a thread a call."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.contracts import LuodiError, UsageError, say
from luodi.registry import Registered
from luodi.serving.settings import ServeSettings

if TYPE_CHECKING:
    from luodi.serving.building import Offers


SWITCH = 0.0005
"""Seconds for which a thread may keep the interpreter when another wants it; Python's own is ten
times as long. A thread that asks the registry's file lets go of it at every row, and gets it back
after each thread that computes has had its turn: with two of those, to read what a rollback changed
took a second instead of a tenth."""


@dataclass(frozen=True)
class Listening:
    """Where a service answers, and for what."""

    url: str
    models: tuple[Registered, ...]
    grpc: str = ""


def serve(
    offers: Offers,
    settings: ServeSettings,
    ready: Callable[[Listening], None],
) -> None:
    """Answer for these models until SIGTERM or Ctrl-C; then finish what was begun, and return.

    `ready` is told once every model is loaded and the port answers.

    Raises:
        UsageError: for an address that may not be listened on.
        LuodiError: when the port is taken.
        BundleError: when a bundle is not what the registry knows.
    """
    # First the ports: to load a model for seconds, and then to find one taken, would be unkind.
    if settings.grpc_port:
        # Workers share theirs, and so would another service's: it must be free now.
        listening_socket(replace(settings, port=settings.grpc_port)).close()
    with listening_socket(settings) as bound:
        host, port = bound.getsockname()[:2]
        scheme = "https" if settings.certificate else "http"
        url = f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
        models = tuple(offer.model for offer in offers.versions)

        def told(grpc_port: int) -> None:
            grpc = f"{url.partition('//')[2].rpartition(':')[0]}:{grpc_port}"
            ready(Listening(url, models, grpc if grpc_port else ""))

        if settings.workers == 1:
            _run(bound, offers, settings, told)
        else:
            _run_workers(bound, offers, settings, told)


def _run_workers(
    bound: socket.socket, offers: Offers, settings: ServeSettings, ready: Callable[[int], None]
) -> None:
    """Several processes on the one socket; what they count and are told is shared in files."""
    from luodi.registry import Registry
    from luodi.serving.workers import Workers

    if settings.grpc_port == 0:
        raise UsageError(
            say(
                "Several workers would each take another free port for gRPC.",
                "多个工作进程会各自占用不同的 gRPC 空闲端口。",
            ),
            say("Expected one that they share.", "应指定共用的端口。"),
            say("Name it: --grpc-port 8001.", "请指定，例如 --grpc-port 8001。"),
        )
    with tempfile.TemporaryDirectory(prefix="luodi-serve-") as folder:
        place = Path(folder)
        shared = replace(settings, shared=place, acts=place / "acts", quotas=place / "quotas")
        if settings.memory is not None:  # each worker holds the models for itself
            shared = replace(shared, memory=settings.memory // settings.workers)

        def work(number: int, life: int, listens: Callable[[int], None]) -> None:
            # A database connection must not cross a fork.
            own = replace(offers, registry=Registry(offers.registry.home))
            _run(bound, own, replace(shared, number=number), listens, life)

        Workers(work, settings.workers, settings.drain_seconds).run(ready)


def _run(
    bound: socket.socket,
    offers: Offers,
    settings: ServeSettings,
    ready: Callable[[int], None],
    life: int | None = None,
) -> None:
    """One process: answer until it is asked to end, or until `life` closes."""
    import uvicorn

    from luodi.serving.building import build
    from luodi.serving.connections import IDLE_SECONDS, Connection, open_more_files
    from luodi.serving.http import app

    sys.setswitchinterval(SWITCH)
    open_more_files()
    service = build(offers, settings)
    if settings.grpc_port is not None:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        service.grpc_address = f"{host}:{settings.grpc_port}"
        if settings.certificate is not None and settings.certificate_key is not None:
            service.grpc_tls = (settings.certificate, settings.certificate_key)

    class Server(uvicorn.Server):
        """Tells when it listens, and ends with success when it is asked to end."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if service.failure is None:
                ready(service.grpc_port)
            else:
                self.should_exit = True

        def _orphaned(self, loop: asyncio.AbstractEventLoop, life: int) -> None:
            loop.remove_reader(life)
            self.handle_exit(signal.SIGTERM, None)

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            # uvicorn would raise the signal again after the drain, and the process would seem
            # to have died of it.
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self.handle_exit, number, None)
            if life is not None:
                loop.add_signal_handler(signal.SIGINT, lambda: None)
                loop.add_reader(life, self._orphaned, loop, life)
            yield
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    config = uvicorn.Config(
        app(service),
        http=Connection,
        loop="luodi.serving.connections:Loop",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=settings.drain_seconds,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.certificate_key,
    )
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    try:
        Server(config).run(sockets=[bound])
    finally:
        service.router.fleet.close()
    if service.failure is not None:
        raise service.failure


def _check_reachable(host: str, settings: ServeSettings) -> None:
    """Other machines may ask only with keys, and over TLS."""
    lacking = []
    if not settings.keys:
        lacking.append(say("keys (luodi keys add NAME)", "密钥（luodi keys add 名称）"))
    if settings.certificate is None and not settings.proxied:
        lacking.append(
            say("TLS (--tls-cert and --tls-key, or --proxied where a proxy ends it)",
                "TLS（--tls-cert 与 --tls-key；若由前置代理终止 TLS，用 --proxied）")
        )  # fmt: skip
    if lacking and not settings.insecure:
        raise UsageError(
            say(f"{host} can be reached from other machines.", f"{host} 可被其他机器访问。"),
            say(f"There it needs {' and '.join(lacking)}.", f"此时需要{'、'.join(lacking)}。"),
            say("Or say --insecure in a network that you trust.", "网络可信时也可加 --insecure。"),
        )


def listening_socket(settings: ServeSettings) -> socket.socket:
    """A socket bound to the host and port; port 0 took a free one.

    Raises:
        UsageError: for a port or host that is none, or one that others could reach.
        LuodiError: when the port is taken, or may not be had.
    """
    host, port = settings.host, settings.port
    if not 0 <= port <= 65535:
        raise UsageError(
            say(f"The port is {port}.", f"端口为 {port}。"),
            say("Expected 0 to 65535; 0 takes a free one.", "应为 0 到 65535;0 表示任选空闲端口。"),
        )
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise UsageError(
            say(f"{host!r} is no address of this machine.", f"{host!r} 不是本机地址。"),
            say("Expected one such as 127.0.0.1.", "应为 127.0.0.1 之类的地址。"),
        ) from error
    if not ipaddress.ip_address(str(address[0])).is_loopback:
        _check_reachable(host, settings)
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise LuodiError(
                say(f"Port {port} is taken by another process.", f"端口 {port} 已被其他进程占用。"),
                "",
                say(
                    "Take another: --port 0 picks a free one.", "请换一个；--port 0 任选空闲端口。"
                ),
            ) from error
        raise LuodiError(
            say(
                f"{host}:{port} cannot be listened on: {error.strerror}.",
                f"无法在 {host}:{port} 上监听：{error.strerror}。",
            )
        ) from error
    return bound
