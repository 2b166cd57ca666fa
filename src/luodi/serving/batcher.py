"""Requests that wait are answered together, as soon as the predictor is free.

There is no fixed wait: while one batch is computed, the next gathers by itself, so a lone request
is answered at once and a crowd in large batches. Jobs take turns, so that one of ten thousand rows
does not hold up one of a single row.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from luodi.contracts import Answer, Request
from luodi.serving.settings import Limits


@dataclass(eq=False)
class _Job:
    """The rows of one call; `answers` fills up in order, `done` is told when it is full."""

    requests: Sequence[Request]
    costs: Sequence[int]
    done: asyncio.Future[list[Answer]]
    taken: int = 0
    answers: list[Answer] = field(default_factory=list)


@dataclass(frozen=True)
class _Part:
    """Rows `first` to `last` (excluded) of a job."""

    job: _Job
    first: int
    last: int

    @property
    def requests(self) -> Sequence[Request]:
        return self.job.requests[self.first : self.last]


class Batcher:
    """Feeds one predictor from many callers. Lives on one event loop.

    Args:
        predict: the predictor's `predict`; called in `executor`, by one batch at a time.
        cost: the predictor's `cost`.
        executor: a thread of this batcher's own.
        observe: told the rows of each batch, for the metrics.
    """

    def __init__(
        self,
        predict: Callable[[Sequence[Request]], list[Answer]],
        cost: Callable[[Request], int],
        limits: Limits,
        executor: Executor,
        observe: Callable[[int], None] = lambda rows: None,
    ) -> None:
        self._predict, self._cost, self._limits = predict, cost, limits
        self._executor, self._observe = executor, observe
        self._jobs: deque[_Job] = deque()
        self._working: asyncio.Task[None] | None = None
        self.waiting = 0

    def costs(self, requests: Sequence[Request]) -> list[int]:
        """What each request costs, at least 1. May be called in any thread."""
        return [max(1, self._cost(request)) for request in requests]

    async def answer(self, requests: Sequence[Request], costs: Sequence[int]) -> list[Answer]:
        """One answer a request, in order.

        Raises:
            asyncio.QueueFull: when too much is waiting already.
            Exception: whatever the predictor raised for these requests.
        """
        if not requests:
            return []
        total = sum(costs)
        if self.waiting and self.waiting + total > self._limits.waiting_cost:
            raise asyncio.QueueFull
        loop = asyncio.get_running_loop()
        job = _Job(requests, costs, loop.create_future())
        self._jobs.append(job)
        self.waiting += total
        if self._working is None or self._working.done():
            self._working = loop.create_task(self._work())
        try:
            return await job.done
        finally:
            self.waiting -= total

    async def _work(self) -> None:
        while parts := self._take():
            self._observe(sum(part.last - part.first for part in parts))
            try:
                answers = await self._call([row for part in parts for row in part.requests])
            except Exception as error:
                await self._one_by_one(parts, error)
                continue
            for part in parts:
                size = part.last - part.first
                _deliver(part.job, answers[:size])
                answers = answers[size:]

    async def _call(self, rows: list[Request]) -> list[Answer]:
        loop = asyncio.get_running_loop()
        answers = await loop.run_in_executor(self._executor, self._predict, rows)
        if len(answers) != len(rows):
            raise RuntimeError(f"{len(answers)} answers to {len(rows)} requests")
        return answers

    async def _one_by_one(self, parts: Sequence[_Part], error: Exception) -> None:
        """A batch failed: each caller is asked for alone, so that only the guilty one fails."""
        for part in parts:
            if len(parts) > 1:
                try:
                    _deliver(part.job, await self._call(list(part.requests)))
                    continue
                except Exception as own:
                    error = own
            if not part.job.done.done():
                part.job.done.set_exception(error)

    def _take(self) -> list[_Part]:
        """The next batch: rows of the waiting jobs in turn, as many as the limits allow."""
        parts: list[_Part] = []
        rows, cost = self._limits.batch, self._limits.batch_cost
        while self._jobs and rows > 0:
            job = self._jobs.popleft()
            if job.done.done():
                continue  # the caller has gone, or an earlier part failed
            first = last = job.taken
            while last < len(job.requests) and rows > 0:
                if job.costs[last] > cost and (parts or last > first):
                    break
                rows, cost, last = rows - 1, cost - job.costs[last], last + 1
            if last > first:
                parts.append(_Part(job, first, last))
                job.taken = last
            if last < len(job.requests):
                # It waits behind those that came later: their turn is next.
                if last > first:
                    self._jobs.append(job)
                else:
                    self._jobs.appendleft(job)
                    break
        return parts


def _deliver(job: _Job, answers: Sequence[Answer]) -> None:
    job.answers.extend(answers)
    if len(job.answers) == len(job.requests) and not job.done.done():
        job.done.set_result(job.answers)
