"""Work that is done once: each stage's output stands in a folder named by what went into it.

A killed run finds its finished stages again; a changed setting redoes only what it touches; two
runs that share rows and settings share the work.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from luodi.contracts import JsonValue, Progress, recording, say

DONE = "stage.json"
_TASKS = "luodi.tasks"


class Observer(Protocol):
    """Who watches a run: a terminal, a log, nobody."""

    def begin(self, stage: str) -> Progress:
        """A stage begins; its progress goes to what is returned."""

    def end(self, stage: str, seconds: float, reused: bool) -> None:
        """A stage has ended; `reused` when an earlier run had done it."""

    def broken(self, stage: str, seconds: float, stopped: bool) -> None:
        """A stage has failed, or was `stopped` by the reader; what it left is gone on from."""

    def tell(self, message: str) -> None:
        """A sentence between stages."""


class Stages:
    """The stages of one run over a store that all runs share.

    Attributes:
        seconds: stage -> seconds that it took, in whichever run did it.
    """

    def __init__(self, store: Path, observer: Observer) -> None:
        self.store, self.observer = store, observer
        self.seconds: dict[str, float] = {}

    def run(
        self, name: str, inputs: Mapping[str, JsonValue], work: Callable[[Path, Progress], None]
    ) -> Path:
        """The folder with the stage's output; `work(folder, progress)` fills it when it is new.

        `work` finds what an interrupted earlier call left in the same folder, and may go on
        from it. The output appears in one rename, once it is on the disk.
        """
        from filelock import FileLock, Timeout

        final = self.store / f"{name}-{key_of(inputs)}"
        self.store.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{final}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            self.observer.tell(
                say(f"Another run is at {name}; waiting.", f"另一次运行正在执行 {name}，等待中。")
            )
            lock.acquire()
        try:
            return self._run(name, inputs, work, final)
        finally:
            lock.release()

    def _run(
        self,
        name: str,
        inputs: Mapping[str, JsonValue],
        work: Callable[[Path, Progress], None],
        final: Path,
    ) -> Path:
        if (final / DONE).exists():
            seconds = float(json.loads((final / DONE).read_text("utf-8"))["seconds"])
            if name not in self.seconds:  # told once a run, however often it is asked for
                self.observer.end(name, seconds, reused=True)
        else:
            partial = final.with_name(f"{final.name}.partial")
            partial.mkdir(exist_ok=True)
            progress = self.observer.begin(name)
            started = time.monotonic()
            try:
                with recording():  # the next reader may have another language
                    work(partial, progress)
            except BaseException as error:
                stopped = not isinstance(error, Exception)
                self.observer.broken(name, time.monotonic() - started, stopped)
                raise
            seconds = time.monotonic() - started
            write_json(partial / DONE, {"stage": name, "inputs": inputs, "seconds": seconds})
            partial.rename(final)
            sync(final.parent)
            self.observer.end(name, seconds, reused=False)
        self.seconds[name] = seconds
        return final


def key_of(value: JsonValue) -> str:
    """16 hex digits that name a value: equal values, equal names."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def code_version(*packages: str) -> str:
    """A name for the source of some packages: a changed line makes earlier stages stale."""
    digest = hashlib.sha256()
    for package in packages:
        spec = find_spec(package)
        places = list(spec.submodule_search_locations or []) if spec else []
        files = [p for place in places for p in Path(place).rglob("*.py")]
        if not files and spec and spec.origin:
            files = [Path(spec.origin)]
        for file in sorted(files):
            digest.update(file.name.encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def package_of(part: object) -> str:
    """The package that holds a task's or a learner's code; the module itself when it has none.

    Luodi's own tasks lean on one another and on what stands beside them: they are watched as one.
    """
    module = type(part).__module__
    package = module.rpartition(".")[0] or module
    return _TASKS if package.startswith(f"{_TASKS}.") else package


def write_json(path: Path, value: JsonValue, indent: int | None = 1) -> None:
    """Write JSON in one rename, on the disk before it shows.

    Args:
        indent: None for what no person reads: long lists are written ten times as fast.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(json.dumps(value, ensure_ascii=False, indent=indent, default=_plain))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync(path.parent)


def read_json(path: Path) -> Any:
    """What `write_json` wrote."""
    return json.loads(path.read_text("utf-8"))


def sync(folder: Path) -> None:
    """Have the folder's own entries on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _plain(value: object) -> object:
    """Array scalars, paths and tuples of other libraries as plain JSON."""
    if hasattr(value, "item"):
        return value.item()
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
