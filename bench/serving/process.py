"""A server's process and its children: what they use, and that they are gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.serving.contestants import Contestant, Setting
from bench.serving.load import Client
from luodi.contracts import LuodiError, say

_LONGEST_START = 120.0
BUSY = 0.3
"""Cores in use before a measurement from which on other work is running."""


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    contestant: Contestant, setting: Setting, text: str
) -> Iterator[tuple[int, float, int]]:
    """A running server: its port, the seconds from start to the first answer, its process id.

    Raises:
        LuodiError: when it does not answer in time, with the end of what it said.
    """
    port = free_port()
    started = time.monotonic()
    process = contestant.start(port, setting)
    try:
        while not _answers(contestant, port, text):
            if process.poll() is not None or time.monotonic() - started > _LONGEST_START:
                said = (setting.work / f"{contestant.name}.log").read_text("utf-8", "replace")
                raise LuodiError(
                    say(f"{contestant.title} does not answer.", f"{contestant.title} 无应答。"),
                    "",
                    said[-1500:],
                )
            time.sleep(0.05)
        yield port, time.monotonic() - started, process.pid
    finally:
        _end(process)


def _answers(contestant: Contestant, port: int, text: str) -> bool:
    async def ask() -> bool:
        client = Client(contestant.target(port), [text])
        answer = await asyncio.wait_for(client.ask(0, 0.0, time.perf_counter()), 30)
        client.close()
        return answer.status == 200

    try:
        return asyncio.run(ask())
    except (OSError, TimeoutError, ValueError):
        return False


def tree(pid: int) -> list[int]:
    """The process, its children, and theirs; with all of its session, for those that stray."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(stat[3]) == pid or int(entry.name) == pid:
                    found.append(int(entry.name))
    with contextlib.suppress(OSError):
        stack = [pid]
        while stack:
            one = stack.pop()
            if one not in found:
                found.append(one)
            children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
            stack += [int(child) for child in children]
    return found


def memory(pid: int) -> int:
    """Bytes of a process and its children; what they share counts once (PSS)."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


def cpu_seconds(pid: int) -> float:
    """Processor seconds that a process and its living children have used."""
    total = 0
    for one in tree(pid):
        with contextlib.suppress(OSError):
            stat = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(stat[11]) + int(stat[12])
    return total / os.sysconf("SC_CLK_TCK")


def _end(process: subprocess.Popen[bytes]) -> None:
    there = tree(process.pid)
    process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(15)
    for pid in there:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def cores_in_use(seconds: float = 2.0, patience: float = 20.0) -> float:
    """Cores that are busy while nobody is measured; what the last server leaves to do is waited
    for, as long as the patience lasts."""
    until = time.monotonic() + patience
    while True:
        before, started = _busy_ticks(), time.monotonic()
        time.sleep(seconds)
        ticks = _busy_ticks() - before
        used = ticks / os.sysconf("SC_CLK_TCK") / (time.monotonic() - started)
        if used <= BUSY or time.monotonic() > until:
            return round(used, 2)


def _busy_ticks() -> int:
    """Of all cores, since the system began: all that is not idle or waiting for a disk."""
    line = Path("/proc/stat").read_text("ascii").split("\n", 1)[0]
    user, nice, system, _, _, interrupts, soft, stolen, *_ = map(int, line.split()[1:])
    return user + nice + system + interrupts + soft + stolen
