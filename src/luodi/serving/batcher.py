"""Requests that wait are answered together, the moment a session is free.

There is no fixed wait: while one batch is computed, the next gathers by itself, so a lone request
is answered at once and a crowd in large batches.

    answer() -> costs (texts become tokens, in a thread) -> queue -> a free session -> answers

Which rows go next is decided by `fair_queue`: callers take turns by what they cost, urgent ones
first. Which of them go together is decided by `packing`: like lengths, so that nothing is padded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from luodi.contracts import Answer, BusyError, Predictor, Request, say
from luodi.serving.fair_queue import FairQueue, Job, Row
from luodi.serving.settings import Limits
from luodi.serving.steps import steps_of

_SMOOTHING = 0.1
"""What the newest batch counts for in the running means: ten batches are remembered."""
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
        self._pace = 0.0
        self._mean_cost = 1.0
        self._turns = 0.0
        self._awake = self._busy = 0
        self.waiting = 0

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
        job = Job(requests, loop.create_future(), priority, deadline)
        self._admit(len(requests) * self._mean_cost, deadline, loop.time())
        if self._steps.prepare is not None:
            self._unread.append(job)
            if self._reading is None:
                self._reading = loop.create_task(self._read())
        else:
            job.payloads = list(requests)
            self._enqueue(job, [self._steps.cost(request) for request in requests])
        share = 0.0
        estimate = job.total or int(len(requests) * self._mean_cost)
        self.waiting += estimate
        try:
            share = min(float(estimate), self._turn())
            self._turns += share
            async with asyncio.timeout_at(deadline):
                return await job.done
        except TimeoutError:
            if not job.done.cancelled():
                raise
            raise self._late() from None
        finally:
            self.waiting -= estimate
            self._turns -= share

    def seconds_waiting(self) -> float:
        """About how long a small request would wait now; 0 before anything was measured."""
        return self._turns / (self._pace * self._sessions) if self._pace else 0.0

    def _admit(self, cost: float, deadline: float | None, now: float) -> None:
        """Refuse what cannot be answered before any work is done for it."""
        if self.waiting and self.waiting + cost > self._limits.waiting_cost:
            raise BusyError(
                say("Too much is waiting; try again.", "等待的请求过多，请重试。"),
                retry_after=max(self.seconds_waiting(), 1.0),
            )
        if deadline is None:
            return
        own = cost / (self._pace * self._sessions) if self._pace else 0.0
        if now + self.seconds_waiting() + own > deadline:
            raise self._late()

    def _late(self) -> BusyError:
        return BusyError(
            say(
                "No answer can be given before the deadline; try again later.",
                "无法在截止时间前答复，请稍后重试。",
            ),
            retry_after=max(self.seconds_waiting(), 1.0),
            late=True,
        )

    def _turn(self) -> float:
        """What one job can put before another's next row: about a batch."""
        return self._pace * self._limits.batch_seconds or float(self._limits.batch_cost)

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
        self._mean_cost += _SMOOTHING * (sum(costs) / len(costs) - self._mean_cost)
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
            pace = cost / max(seconds, 1e-6)
            self._pace = self._pace + _SMOOTHING * (pace - self._pace) if self._pace else pace
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
            return []
        costs = [row.cost for row in candidates]
        chosen = self._steps.group(costs, self._budget(sum(costs)), limits.batch)
        taken = set(chosen)
        batch = [candidates[place] for place in chosen]
        left = [row for place, row in enumerate(candidates) if place not in taken]
        self._queue.settle(batch, left)
        return batch

    def _budget(self, there: int) -> int:
        """What a batch may cost: seconds at the measured pace, and a fair part for each idle
        session."""
        budget = float(self._limits.batch_cost)
        if self._pace:
            budget = min(budget, self._pace * self._limits.batch_seconds)
        return max(1, int(min(budget, there / (self._sessions - self._busy))))

    def _in_time(self, row: Row, now: float) -> bool:
        """Whether it can be answered before its deadline; if not, its caller is told now."""
        deadline = row.job.deadline
        if deadline is None or not self._pace or now + row.cost / self._pace <= deadline:
            return True
        row.job.fail(self._late())
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
