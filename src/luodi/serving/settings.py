"""What an operator can set, with defaults that hold on one machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from luodi.contracts import Schema

_GROUPS, _OWN_GROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def cores() -> int:
    """How many cores this process may use: a container may run on all, for part of the time."""
    there = len(os.sched_getaffinity(0))
    return max(1, min(there, int(min(_quotas(_GROUPS, _OWN_GROUP), default=there))))


def _quotas(root: Path, own: Path) -> Iterator[float]:
    """Cores that a control group's time is worth; of the process' own group and those above it.

    https://docs.kernel.org/admin-guide/cgroup-v2.html, cpu.max; and cpu.cfs_quota_us of the first
    version, which shows a container its own as the root.
    """
    names = _words(own).rpartition("::")[2].strip("/\n").split("/")
    for depth in range(len(names) + 1):
        most, _, period = _words(root.joinpath(*names[:depth], "cpu.max")).partition(" ")
        if most.isdecimal():
            yield int(most) / int(period)
    first = _words(root / "cpu" / "cpu.cfs_quota_us").strip()
    if first.isdecimal():
        yield int(first) / int(_words(root / "cpu" / "cpu.cfs_period_us"))


def _words(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""  # another system, or the root, which has no quota


def divide_cores(
    there: int, threads: int | None = None, sessions: int | None = None
) -> tuple[int, int]:
    """Threads of one call, and calls at once, for this many cores; what is given stays.

    Several calls on few threads each do more in the same time than one call on all: nothing waits
    for the slowest thread. One call then takes longer; on many cores it gets more of them.
    """
    if threads is None:
        threads = max(1, there // sessions) if sessions else 1 if there <= 4 else 2
    return threads, sessions or max(1, there // threads)


@dataclass(frozen=True)
class Limits:
    """What one request, and all waiting ones together, may be.

    Attributes:
        body: bytes of a request's body.
        bodies: bytes of all bodies that are being read or answered.
        body_seconds: how long a body may take to arrive, and
        body_pace: bytes a second that it must come at beyond that.
        inputs: rows in one request.
        answer: bytes of the answer to one request, by what the model's schema says of one.
        batch: rows that are answered in one call of a predictor.
        batch_cost: the same by the predictor's own measure (tokens, rows).
        batch_seconds: how long one call may take, by the pace measured: longer ones gain nothing,
            and hold up what comes meanwhile.
        waiting_cost: what may wait for one model before more is refused, by the same measure.
        waiting_seconds: how long a request may have to wait for its turn, by the pace measured;
            None for a second, or what eight calls take; less under more load than can be
            answered: see `admission`.
    """

    body: int = 16 * 1024 * 1024
    bodies: int = 256 * 1024 * 1024
    body_seconds: float = 8.0
    body_pace: float = 50_000.0
    inputs: int = 10_000
    answer: int = 64 * 1024 * 1024
    batch: int = 64
    batch_cost: int = 32_768
    batch_seconds: float = 0.05
    waiting_cost: int = 4_194_304
    waiting_seconds: float | None = None

    def rows(self, schema: Schema) -> int:
        """Rows that one request to a model may ask about: of one that answers with thousands of
        scores a row, a small request would make an answer of a gigabyte.
        """
        return max(1, min(self.inputs, self.answer // _answer_bytes(schema)))


_NUMBER_BYTES, _TEXT_BYTES = 24, 1024


def _answer_bytes(schema: Schema) -> int:
    """About what one answer takes as JSON."""
    size = 0
    for part in schema.answer:
        labels = [len(label.encode()) for label in part.categories]
        size += len(part.name.encode()) + 8
        if part.kind == "scores":
            size += sum(labels) + _NUMBER_BYTES * len(labels)
        elif part.kind in ("text", "category"):
            size += max(labels, default=_TEXT_BYTES)
        else:
            size += _NUMBER_BYTES
    return size


@dataclass(frozen=True)
class ServeSettings:
    """Where to listen, and with what. Port 0 takes a free one.

    Attributes:
        threads: threads of one call of a predictor.
        sessions: calls of one predictor at once.
        memory: bytes that the models may take together; None for no limit.
        grpc_port: where to answer over gRPC too; 0 takes a free one, None is nowhere.
        workers: processes behind the one port.
        number: which of them this is, from 0.
        shared: a folder in which they count together; None for one process alone.
        acts: where the workers of one service tell one another what they were told to load.
        keys: whether callers need a key; otherwise everybody who reaches the port may ask.
        quotas: where the workers of one service count what keys have asked, when the home folder
            is for reading alone.
        certificate, certificate_key: PEM files for TLS; None without.
        insecure: whether other machines may ask without keys and without TLS.
        proxied: whether TLS ends at a proxy before this service.
        replicated: whether others answer the same callers and keep logs of their own: a request
            that this service's log does not hold may be theirs.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 1
    sessions: int = field(default_factory=cores)
    insecure: bool = False
    drain_seconds: int = 30
    limits: Limits = field(default_factory=Limits)
    memory: int | None = None
    grpc_port: int | None = None
    workers: int = 1
    number: int = 0
    shared: Path | None = None
    acts: Path | None = None
    keys: bool = False
    quotas: Path | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    proxied: bool = False
    replicated: bool = False
