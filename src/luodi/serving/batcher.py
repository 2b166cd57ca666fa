"""Requests that wait are answered together, the moment a session is free.

There is no fixed wait: while one batch is computed, the next gathers by itself, so a lone request
is answered at once and a crowd in large batches.

    answer() -> costs (texts become tokens, in a thread) -> queue -> a free session -> answers

Which rows go next is decided by `fair_queue`: callers take turns by what they cost, urgent ones
first. Which of them go together is decided by `packing`: like lengths, so that nothing is padded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from luodi.contracts import Answer, BusyError, Predictor, Preparing, Request, say
from luodi.serving.fair_queue import FairQueue, Job, Row
from luodi.serving.packing import choose_group
from luodi.serving.settings import Limits

_SMOOTHING = 0.1
"""What the newest batch counts for in the running means: ten batches are remembered."""
_WINDOW = 4
"""Batches among whose rows like lengths are looked for."""


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
        self._steps = _steps(predictor)
        self._queue = FairQueue()
        self._executor = ThreadPoolExecutor(sessions, "predict")
        self._reader = ThreadPoolExecutor(1, "prepare")
        self._unread: list[Job] = []
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
            jobs, self._unread = self._unread, []
            jobs = [job for job in jobs if not job.done.done()]
            for some in _blocks(jobs, self._limits.inputs):
                try:
                    found = await self._prepared([row for job in some for row in job.requests])
                except Exception:
                    await self._read_one_by_one(some)
                    continue
                start = 0
                for job in some:
                    end = start + len(job.requests)
                    job.payloads = [payload for _, payload in found[start:end]]
                    self._enqueue(job, [cost for cost, _ in found[start:end]])
                    start = end

    async def _prepared(self, requests: list[Request]) -> list[tuple[int, Any]]:
        prepare = self._steps.prepare
        if prepare is None:
            raise RuntimeError("this predictor has no first step")
        found = await asyncio.get_running_loop().run_in_executor(self._reader, prepare, requests)
        if len(found) != len(requests):
            raise RuntimeError(f"{len(found)} prepared of {len(requests)} requests")
        return list(found)

    async def _read_one_by_one(self, jobs: Sequence[Job]) -> None:
        """A block failed: each caller's rows alone, so that only the guilty caller fails."""
        for job in jobs:
            try:
                found = await self._prepared(list(job.requests))
            except Exception as error:
                job.fail(error)
                continue
            job.payloads = [payload for _, payload in found]
            self._enqueue(job, [cost for cost, _ in found])

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


@dataclass(frozen=True)
class _Steps:
    """How a predictor is called.

    Attributes:
        prepare: the first step, where there is one: requests -> (cost, payload).
        answer: payloads (or requests, where there is no first step) -> answers.
        cost: of a request; used where there is no first step.
        call_cost: what a call costs beyond its rows where rows are padded to the longest;
            None where rows add up.
    """

    prepare: Callable[[Sequence[Request]], Sequence[tuple[int, Any]]] | None
    answer: Callable[[Sequence[Any]], list[Answer]]
    cost: Callable[[Request], int]
    call_cost: int | None

    def group(self, costs: Sequence[int], budget: int, most: int) -> list[int]:
        """Places of the rows to be called together, the first one among them."""
        if self.call_cost is not None:
            return choose_group(costs, budget, most, self.call_cost)
        total, count = 0, 0
        for cost in costs[:most]:
            total += cost
            if count and total > budget:
                break
            count += 1
        return list(range(count))

    def padded(self, costs: Sequence[int]) -> int:
        """What a call of rows of these costs costs."""
        return sum(costs) if self.call_cost is None else len(costs) * max(costs)


def _steps(predictor: Predictor) -> _Steps:
    if isinstance(predictor, Preparing):
        return _Steps(predictor.prepare, predictor.answer, predictor.cost, predictor.call_cost)
    return _Steps(None, predictor.predict, predictor.cost, None)


def _blocks(jobs: Sequence[Job], rows: int) -> list[list[Job]]:
    """Jobs in blocks of about so many rows: a huge one is not read together with small ones."""
    blocks: list[list[Job]] = []
    count = rows
    for job in sorted(jobs, key=lambda job: len(job.requests)):
        if count + len(job.requests) > min(rows, 256):
            blocks.append([])
            count = 0
        blocks[-1].append(job)
        count += len(job.requests)
    return blocks
