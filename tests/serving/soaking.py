"""What the long tests of the service share: memory as the kernel tells it, open files, results.

Each of them takes its size from one constant with a short and a long form: `make test` runs the
one, `make soak` the other, and both run the same lines.
"""

from __future__ import annotations

import json
import os
import resource
import threading
import time
from pathlib import Path
from typing import Self

import pytest

RESULTS = "LUODI_SOAK_RESULTS"
"""The folder in which figures are kept: `make soak` names one, `make test` none."""
_MARKED = [pytest.param("short", id="short"), pytest.param("long", marks=pytest.mark.soak)]
either_size = pytest.mark.parametrize("size", _MARKED)


class Callers:
    """Threads that each run `ask(number)` until the block is left: `over` then tells them."""

    def __init__(self, count: int) -> None:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self.ask, args=(n,)) for n in range(count)]

    def ask(self, number: int) -> None:
        """What each of them does."""

    def over(self) -> bool:
        """Whether they are to stop."""
        return self._over.is_set()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)


def resident(pid: int) -> float:
    """MiB that a process holds now."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> float:
    """The most MiB that it held since `forget_peak`."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Count the peak anew (proc_pid_clear_refs(5))."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"/proc/{pid}/status has no {name}")


def allow_files(wanted: int) -> None:
    """Let this process, and those that it starts from here on, open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"{wanted} open files are needed; this machine allows {hard}")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def keep(name: str, **facts: object) -> None:
    """Print what was found, and keep it where `make soak` says: a JSON file and its page."""
    print(name, facts)  # noqa: T201 - shown when the test fails
    if RESULTS not in os.environ:
        return
    folder = Path(os.environ[RESULTS])
    path = folder / "soak.json"
    whole = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    load = round(os.getloadavg()[0], 1)
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    whole[name] = {"date": when, "load of the machine": load, **facts}
    lines = ["# The service under load, for long", "", "Written by `make soak`; times are UTC.", ""]
    for each in sorted(whole):
        lines += [f"## {each}", "", *_table(whole[each]), ""]
    for file, text in (
        (path, json.dumps(whole, indent=1, ensure_ascii=False) + "\n"),
        (folder / "soak.md", "\n".join(lines).rstrip() + "\n"),
    ):
        temporary = file.with_name(f".{file.name}")
        temporary.write_text(text, "utf-8")
        temporary.replace(file)


def _table(facts: dict[str, object]) -> list[str]:
    rows = [f"| {name} | {_shown(value)} |" for name, value in facts.items()]
    return ["| what | found |", "| --- | --- |", *rows]


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {item}" for name, item in value.items())
    return f"{value:,}" if isinstance(value, int) else str(value)
