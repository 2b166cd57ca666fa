"""The traffic log's writer: a thread that has lines on the disk within a second.

Answering never waits for it. When lines come faster than the disk takes them, or the disk is
full, lines are left out and counted; no request fails for that.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from luodi.contracts import JsonValue
from luodi.traffic.held import Counts, Place, hashes, is_whole, lacking, written
from luodi.traffic.masking import Numbers, masked
from luodi.traffic.segments import WHOLE, Segment, closed, folder_of, prune, root
from luodi.traffic.settings import TrafficSettings

LOG = logging.getLogger("luodi.traffic")
_EVERY = 0.4
"""Seconds between two writes; with the write itself, well within the second that may be lost."""
_PENDING = 100_000
"""Rows that may wait for the disk."""
_SEGMENT_BYTES = 32 * 1024 * 1024
_SEGMENT_SECONDS = 3600.0
_PRUNE_SECONDS, _FIRST_SECONDS = 60.0, 3.0
"""Between two looks at the files, and until the first: a service that starts has better to do."""


_NONE = TrafficSettings(keep=False)


@dataclass(frozen=True)
class Entry:
    """A request, answered by one version.

    Attributes:
        number: the request's id.
        arm: champion, canary, shadow or pinned.
        requests: the rows as the model was asked, by the names of its schema.
        answers: one a row; none when it failed.
        seconds: from the request's reading to its answers.
        failure: the kind of error; empty when it was answered.
        time: when it was answered, in seconds since 1970.
    """

    model: str
    version: str
    number: str
    arm: str
    protocol: str
    requests: Sequence[JsonValue]
    answers: Sequence[JsonValue]
    seconds: float
    failure: str = ""
    time: float = field(default_factory=time.time)


class TrafficLog:
    """Takes entries from an event loop, writes them in a thread.

    Args:
        home: the home folder; None keeps nothing.
        settings: what is kept of a model; asked for each entry, as another version may say
            otherwise.
        left_out: told how many rows were left out, and why: `pending`, `disk`, `unwritable`.
        compact: start the process that makes Parquet of closed segments.
        models: whose files are looked after, be they asked or not.
    """

    def __init__(
        self,
        home: Path | None,
        settings: Callable[[str], TrafficSettings] = lambda model: TrafficSettings(),
        left_out: Callable[[str, int], None] = lambda reason, rows: None,
        compact: bool = True,
        models: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._home, self._ask, self._left_out, self._models = home, settings, left_out, models
        self._compact = compact
        self._segments: dict[str, Segment] = {}
        self._pending: deque[Entry | str] = deque()  # a model's name: a request of it was left out
        self._taken = self._done = 0  # rows; each is counted by one thread alone
        self._counts: Counts | None = None
        self._leaky: set[str] = set()  # models of which requests were left out
        self._numbers = Numbers(root(home)) if home else None
        self._wake = threading.Event()
        self._stop = False
        self._thread: threading.Thread | None = None
        self._compactor: subprocess.Popen[bytes] | None = None
        self._pruned = time.monotonic() - _PRUNE_SECONDS + _FIRST_SECONDS
        self._told = False
        self._start_lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Have an entry written, if it is one of those that are kept. Never waits."""
        settings = self.settings(entry.model)
        if not settings.keep or not _sampled(entry.number, settings.sample):
            self._leaky.add(entry.model)
            return
        rows = len(entry.requests)
        if self._taken - self._done + rows > _PENDING:
            self._left_out("pending", rows)
            if entry.model not in self._leaky:
                self._leaky.add(entry.model)
                self._take(entry.model, 1)
            return
        self._take(entry, rows)
        self.start()

    def _take(self, what: Entry | str, rows: int) -> None:
        self._taken += rows
        try:
            if self._counts is None and self._home is not None:
                self._counts = Counts(self._home)
        except OSError:
            self._leaky.add(what if isinstance(what, str) else what.model)
        if self._counts is not None:
            self._counts.tell(taken=self._taken)
        self._pending.append(what)

    async def unheld(self, model: str, places: Sequence[Place]) -> set[Place]:
        """Those of the requests' rows that no log of this model has ever held.

        None where that cannot be known: it is not whole, keeps a sample or nothing, or a process
        that writes it is stuck. What another process just answered is waited for.
        """
        left = await asyncio.to_thread(self._lacking, model, places)
        # The first is waited for: feedback alone would make a folder of a log that is not whole.
        if left and self._home is not None and folder_of(self._home, model).exists():
            waiting = self._pending.copy()  # the thread that writes takes from it meanwhile
            own = [each for each in waiting if isinstance(each, Entry) and each.model == model]
            rows = {each.number: len(each.requests) for each in own}
            left = {(number, row) for number, row in left if row >= rows.get(number, 0)}
        if not left or self._home is None or not await written(self._home):
            return set()
        return await asyncio.to_thread(self._lacking, model, list(left))

    def _lacking(self, model: str, places: Sequence[Place]) -> set[Place]:
        settings, home = self.settings(model), self._home
        if home is None or self._numbers is None or not settings.keep or settings.sample < 1:
            return set()
        left = lacking(home, model, places)
        if left:  # those that are personal data stand there under another name
            names = {(self._numbers.written(place[0]), place[1]): place for place in left}
            left = {names[name] for name in lacking(home, model, list(names))}
        # Asked for last: what was pruned or left out meanwhile is not known any more.
        return left if model not in self._leaky and is_whole(home, model) else set()

    def settings(self, model: str) -> TrafficSettings:
        """What is kept of a model."""
        return self._ask(model) if self._home else _NONE

    def close(self) -> None:
        """Write what is pending; the log takes nothing more."""
        self._stop = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(10)
        for segment in self._segments.values():
            segment.close()
        self._segments = {}
        if self._counts is not None:
            self._counts.close()
            self._counts = None
        if self._compactor is not None:
            self._compactor.wait(60)

    def start(self) -> None:
        """Write what comes, and look after what is there: also where nothing comes, files grow old.

        What is begun already goes on.
        """
        if self._thread is not None:
            return
        with self._start_lock:
            if self._thread is None and self._home is not None and not self._stop:
                self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stop:
            self._wake.wait(_EVERY)
            try:
                self._write()
                self._look_after()
            except Exception:  # the log must not end while the service goes on
                LOG.exception("the traffic log met an error that it did not foresee")
        self._write()

    def _write(self) -> None:
        by_model: dict[str, list[bytes]] = {}
        places: dict[str, list[Place]] = {}
        rows = 0
        while self._pending:
            entry = self._pending.popleft()
            if isinstance(entry, str):
                rows += 1  # of a leaky model
                continue
            rows += len(entry.requests)
            try:
                lines = list(self._lines(entry))
            except Exception:  # a stranger's predictor may answer what no JSON can hold
                LOG.exception("an answer of %s cannot be written", entry.model)
                self._lost(entry.model, "unwritable", len(entry.requests))
                continue
            by_model.setdefault(entry.model, []).extend(lines)
            number = self._number(entry)
            some = ((number, row) for row in range(len(entry.requests)))
            places.setdefault(entry.model, []).extend(some)
        for model, lines in by_model.items():
            try:
                self._segment(model).append(lines, hashes(places[model]))
            except OSError as error:
                self._lost(model, "disk", len(lines))
                if not self._told:  # once: a full disk would fill the service's log as well
                    LOG.error("traffic cannot be written: %s", error)
                    self._told = True
        self._leak()
        self._done += rows
        if self._counts is not None:
            self._counts.tell(done=self._done)

    def _lost(self, model: str, reason: str, rows: int) -> None:
        self._leaky.add(model)
        self._left_out(reason, rows)

    def _leak(self) -> None:
        """Of a model that had a request left out, no log is whole any more."""
        if self._home is not None:
            for model in list(self._leaky):
                (folder_of(self._home, model) / WHOLE).unlink(missing_ok=True)

    def _number(self, entry: Entry) -> str:
        """The request's id, as it stands in the log."""
        if self.settings(entry.model).mask and self._numbers is not None:
            return self._numbers.written(entry.number)
        return entry.number

    def _lines(self, entry: Entry) -> Iterable[bytes]:
        settings = self.settings(entry.model)
        clean = masked if settings.mask else _as_it_is
        head = {
            "time": int(entry.time * 1000),
            "request_id": self._number(entry),
            "model": entry.model,
            "version": entry.version,
            "arm": entry.arm,
            "protocol": entry.protocol,
            "seconds": round(entry.seconds, 6),
            "failure": entry.failure,
        }
        for row, request in enumerate(entry.requests):
            answer = entry.answers[row] if row < len(entry.answers) else None
            line = {**head, "row": row, "input": clean(request), "output": clean(answer)}
            yield orjson.dumps(line, default=str, option=_OPTIONS)

    def _segment(self, model: str) -> Segment:
        segment = self._segments.get(model)
        settings = self.settings(model)
        if segment is not None and (
            segment.bytes >= min(_SEGMENT_BYTES, settings.bytes // 4)
            or time.monotonic() - segment.begun >= _SEGMENT_SECONDS
        ):
            segment.close()
            segment = None
            self._pruned = -_PRUNE_SECONDS
        if segment is None:
            if self._home is None:
                raise OSError("there is no home folder")
            segment = self._segments[model] = Segment(folder_of(self._home, model))
        return segment

    def _look_after(self) -> None:
        """Once a minute, and after each rotation: remove what is too much, compact the rest."""
        if self._compactor is not None and (code := self._compactor.poll()) is not None:
            self._compactor = None
            if code:
                LOG.error("compacting the traffic log ended with %s; its lines stay lines", code)
        if self._home is None or time.monotonic() - self._pruned < _PRUNE_SECONDS:
            return
        self._pruned = time.monotonic()
        wanting = False
        for model, segment in list(self._segments.items()):
            if time.monotonic() - segment.begun >= _SEGMENT_SECONDS:
                segment.close()  # a quiet model's lines grow old too
                del self._segments[model]
        for model in {*self._segments, *self._models()}:
            folder, settings = folder_of(self._home, model), self.settings(model)
            try:
                prune(folder, settings.bytes, settings.age)
                wanting = wanting or bool(closed(folder))
            except OSError as error:
                LOG.error("traffic cannot be pruned: %s", error)
        if wanting and self._compact and self._compactor is None:
            self._compactor = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", "luodi.traffic.compaction", str(self._home)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )


_OPTIONS = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def _as_it_is(value: JsonValue) -> JsonValue:
    return value


def _sampled(number: str, share: float) -> bool:
    """Whether a request is kept: decided by its id, the same way in every process."""
    if share >= 1:
        return True
    import zlib

    return zlib.crc32(number.encode("utf-8", "surrogatepass")) < share * 2**32
