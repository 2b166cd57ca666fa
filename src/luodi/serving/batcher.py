"""Requests that wait are answered together, the moment a session is free.

There is no fixed wait: while one batch is computed, the next gathers by itself, so a lone request
is answered at once and a crowd in large batches.

    answer() -> costs (texts become tokens, in a thread) -> queue -> a free session -> answers

Who may wait is decided by `admission`. Which rows go next is decided by `fair_queue`: callers take
turns by what they cost, urgent ones first. Which of them go together is decided by `packing`: like
lengths, so that nothing is padded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from luodi.contracts import Answer, Predictor, Request
from luodi.serving.admission import Admission
from luodi.serving.fair_queue import FairQueue, Job, Row
from luodi.serving.settings import Limits
from luodi.serving.steps import steps_of

_WINDOW = 4
"""Batches among whose rows like lengths are looked for."""


_READ_ROWS, _TURN_ROWS = 256, 64
"""Rows that are made tokens in one go, and of one job at most."""


@dataclass(frozen=True)
class _Part:
    """Some rows of a job."""

    job: Job
    requests: Sequence[Request]


@dataclass(frozen=True)
class Batched:
    """One call of a predictor: its rows, their cost with padding, and the seconds it took."""

    rows: int
    cost: int
    seconds: float


class Batcher:
    """Feeds one predictor from many callers. Lives on one event loop.

    Args:
        predictor: called by at most `sessions` batches at a time, each in a thread of its own.
        sessions: how many calls of the predictor run at once.
        observe: told of each batch, for the metrics.
    """

    def __init__(
        self,
        predictor: Predictor,
        limits: Limits,
        sessions: int = 1,
        observe: Callable[[Batched], None] = lambda batch: None,
    ) -> None:
        self._limits, self._sessions, self._observe = limits, sessions, observe
        self._steps = steps_of(predictor)
        self._queue = FairQueue()
        self._executor = ThreadPoolExecutor(sessions, "predict")
        self._reader = ThreadPoolExecutor(1, "prepare")
        self._unread: deque[Job] = deque()
        self._reading: asyncio.Task[None] | None = None
        self._working: set[asyncio.Task[None]] = set()
        self.admission = Admission(limits, sessions)
        self._awake = self._busy = 0

    def close(self) -> None:
        """Let the threads go, once what they compute is done."""
        for executor in (self._executor, self._reader):
            executor.shutdown(wait=False, cancel_futures=True)

    async def answer(
        self, requests: Sequence[Request], deadline: float | None = None, priority: int = 0
    ) -> list[Answer]:
        """One answer a request, in order.

        Args:
            requests: as the predictor takes them.
            deadline: by the event loop's clock; an answer after it is of no use.
            priority: higher ones go first, always.

        Raises:
            BusyError: when too much is waiting, or the answer cannot be there in time.
            Exception: whatever the predictor raised for these requests.
        """
        if not requests:
            return []
        loop = asyncio.get_running_loop()
        now = loop.time()
        job = Job(requests, loop.create_future(), priority, deadline, now)
        self.admission.admit(len(requests), deadline, priority, now)
        if self._steps.prepare is not None:
            self._unread.append(job)
            if self._reading is None:
                self._reading = loop.create_task(self._read())
        else:
            job.payloads = list(requests)
            self._enqueue(job, [self._steps.cost(request) for request in requests])
        with self.admission.holding(len(requests), job.total, priority):
            try:
                async with asyncio.timeout_at(deadline) as patience:
                    return await job.done
            except TimeoutError:
                # Also when the answer came in the same moment: else the caller's own deadline
                # would pass for a fault of the model. The predictor's own timeout is one.
                if not patience.expired():
                    raise
                raise self.admission.late(priority) from None

    def turn_away(self, priority: int = 0) -> None:
        """Refuse, before it is read, a request that would be refused whatever it asks.

        Raises:
            BusyError: when too much is waiting.
        """
        now = asyncio.get_running_loop().time()
        if self.admission.full(now, priority):
            self.admission.turned_away(now, before=True)
            raise self.admission.busy(priority)

    @property
    def waiting(self) -> int:
        """Cost of what waits or is being answered."""
        return self.admission.waiting

    async def _read(self) -> None:
        """Learn what the new requests cost, all that came meanwhile at once."""
        try:
            await self._read_all()
        finally:
            self._reading = None

    async def _read_all(self) -> None:
        while self._unread:
            parts = self._next_unread()
            try:
                found = await self._prepared([row for part in parts for row in part.requests])
            except Exception:
                await self._read_one_by_one(parts)
                continue
            for part in parts:
                size = len(part.requests)
                self._has_read(part.job, found[:size])
                found = found[size:]

    def _next_unread(self) -> list[_Part]:
        """Some rows of each new job in turn: a huge one does not hold up the reading of others."""
        parts: list[_Part] = []
        rows = 0
        for _ in range(len(self._unread)):
            job = self._unread.popleft()
            if job.done.done():
                continue  # the caller has gone
            first = len(job.payloads)
            part = _Part(job, job.requests[first : first + _TURN_ROWS])
            parts.append(part)
            rows += len(part.requests)
            if first + len(part.requests) < len(job.requests):
                self._unread.append(job)
            if rows >= _READ_ROWS:
                break
        return parts

    def _has_read(self, job: Job, found: Sequence[tuple[int, Any]]) -> None:
        job.payloads += [payload for _, payload in found]
        job.costs += [cost for cost, _ in found]
        if len(job.payloads) == len(job.requests):
            self._enqueue(job, job.costs)

    async def _prepared(self, requests: list[Request]) -> list[tuple[int, Any]]:
        prepare = self._steps.prepare
        if prepare is None:
            raise RuntimeError("this predictor has no first step")
        found = await asyncio.get_running_loop().run_in_executor(self._reader, prepare, requests)
        if len(found) != len(requests):
            raise RuntimeError(f"{len(found)} prepared of {len(requests)} requests")
        return list(found)

    async def _read_one_by_one(self, parts: Sequence[_Part]) -> None:
        """A block failed: each caller's rows alone, so that only the guilty caller fails."""
        for part in parts:
            try:
                found = await self._prepared(list(part.requests))
            except Exception as error:
                part.job.fail(error)
                continue
            self._has_read(part.job, found)

    def _enqueue(self, job: Job, costs: Sequence[int]) -> None:
        costs = [max(1, cost) for cost in costs]
        self.admission.costs(sum(costs) / len(costs))
        self._queue.add(job, costs)
        for _ in range(min(len(costs), self._sessions - self._awake)):
            self._awake += 1
            task = asyncio.get_running_loop().create_task(self._work())
            self._working.add(task)  # the loop itself keeps no hold on a task
            task.add_done_callback(self._working.discard)

    async def _work(self) -> None:
        """One session: batch after batch, as long as something waits."""
        try:
            await self._answer_all()
        finally:
            # Not in the task's callback: what came between would find nobody awake.
            self._awake -= 1

    async def _answer_all(self) -> None:
        loop = asyncio.get_running_loop()
        while rows := self._take():
            started = loop.time()
            cost = self._steps.padded([row.cost for row in rows])
            try:
                answers = await self._call(rows)
            except Exception as error:
                await self._one_by_one(rows, error)
                continue
            seconds = loop.time() - started
            self._observe(Batched(len(rows), cost, seconds))
            self.admission.saw(cost, seconds)
            for row, answer in zip(rows, answers, strict=True):
                row.job.deliver(row.index, answer)

    def _take(self) -> list[Row]:
        """The next batch: the row whose turn it is, and what goes well with it."""
        limits = self._limits
        now = asyncio.get_running_loop().time()
        candidates: list[Row] = []
        while rows := self._queue.pop(limits.batch * _WINDOW - len(candidates)):
            candidates += [row for row in rows if self._in_time(row, now)]
        if not candidates:
            self.admission.delay = 0.0
            return []
        costs = [row.cost for row in candidates]
        chosen = self._steps.group(costs, self._budget(sum(costs)), limits.batch)
        taken = set(chosen)
        batch = [candidates[place] for place in chosen]
        left = [row for place, row in enumerate(candidates) if place not in taken]
        fresh = [row.job.since for row in batch if not row.job.begun]
        if fresh:
            self.admission.delay = now - min(fresh)
        self._queue.settle(batch, left)
        return batch

    def _budget(self, there: int) -> int:
        """What a batch may cost: seconds at the measured pace, and a fair part for each idle
        session."""
        return max(1, int(min(self.admission.call(), there / (self._sessions - self._busy))))

    def _in_time(self, row: Row, now: float) -> bool:
        """Whether it is still worth answering; if not, its caller is told now."""
        job, door = row.job, self.admission
        if job.done.done():
            return False  # another of its rows was too late
        if not job.begun and door.overdue(job.since, now):
            door.turned_away(now, before=False)
            job.fail(door.busy(job.priority))
            return False
        if job.deadline is None or not door.pace or now + row.cost / door.pace <= job.deadline:
            return True
        job.fail(door.late(job.priority))
        return False

    async def _call(self, rows: Sequence[Row]) -> list[Answer]:
        payloads = [row.job.payloads[row.index] for row in rows]
        loop = asyncio.get_running_loop()
        self._busy += 1
        try:
            answers = await loop.run_in_executor(self._executor, self._steps.answer, payloads)
        finally:
            self._busy -= 1
        if len(answers) != len(rows):
            raise RuntimeError(f"{len(answers)} answers to {len(rows)} requests")
        return answers

    async def _one_by_one(self, rows: Sequence[Row], error: Exception) -> None:
        """A batch failed: each caller is asked for alone, so that only the guilty one fails."""
        parts: dict[int, list[Row]] = {}
        for row in rows:
            parts.setdefault(id(row.job), []).append(row)
        for part in parts.values():
            if len(parts) > 1:
                try:
                    answers = await self._call(part)
                except Exception as own:
                    error = own
                else:
                    for row, answer in zip(part, answers, strict=True):
                        row.job.deliver(row.index, answer)
                    continue
            part[0].job.fail(error)
