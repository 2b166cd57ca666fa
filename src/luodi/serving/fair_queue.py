"""Whose turn it is: callers share a session by what they cost, not by how many rows they send.

Start-time fair queueing (Goyal, Vin and Cheng 1996, "Start-time fair queuing", SIGCOMM): every row
carries a start tag, the greater of the queue's virtual time and the finish of the row before it in
the same job; the smallest tag goes first, and is the new virtual time. A job of ten thousand rows
moves its own tag on with each row, so a row that comes later, alone, is next.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from luodi.contracts import Answer, Request


@dataclass(eq=False)
class Job:
    """The rows of one call; `done` is told when every answer is there.

    Attributes:
        deadline, since: by the event loop's clock: when it must be answered, and when it came.
        begun: some of its rows have been taken to be answered.
        payloads: what the predictor's last step takes, a row each.
        order: the rows, dearest first: neighbours are of like length and go well together.
    """

    requests: Sequence[Request]
    done: asyncio.Future[list[Answer]]
    priority: int = 0
    deadline: float | None = None
    since: float = 0.0
    begun: bool = False
    payloads: list[Any] = field(default_factory=list)
    costs: list[int] = field(default_factory=list)
    order: Sequence[int] = ()
    total: int = 0
    taken: int = 0
    tag: float = 0.0
    _answers: list[Answer | None] = field(default_factory=list)
    _missing: int = 0

    def deliver(self, index: int, answer: Answer) -> None:
        """The answer to one row."""
        if not self._answers:
            self._answers = [None] * len(self.requests)
            self._missing = len(self.requests)
        if self._answers[index] is None:
            self._answers[index] = answer
            self._missing -= 1
        if not self._missing and not self.done.done():
            self.done.set_result([answer for answer in self._answers if answer is not None])

    def fail(self, error: Exception) -> None:
        """No answer can be given."""
        if not self.done.done():
            self.done.set_exception(error)


@dataclass(eq=False)
class Row:
    """One row of a job, and what says when its turn is: the start tag, then who came first."""

    job: Job
    index: int
    tag: float
    sequence: int

    @property
    def cost(self) -> int:
        """What answering it takes."""
        return self.job.costs[self.index]


class FairQueue:
    """Jobs whose rows wait. Rows of a job that was cancelled or failed are passed over."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, float, int, Row]] = []
        self._sequence = 0
        self._virtual = 0.0

    def add(self, job: Job, costs: list[int]) -> None:
        """A new job: its turn comes after those of equal tag that were there before."""
        job.costs, job.total = costs, sum(costs)
        job.order = sorted(range(len(costs)), key=costs.__getitem__, reverse=True)
        job.tag = self._virtual
        self._next_of(job)

    def pop(self, count: int) -> list[Row]:
        """Up to `count` rows in the order of their turns; empty when nothing waits."""
        rows: list[Row] = []
        while self._heap and len(rows) < count:
            row = heapq.heappop(self._heap)[-1]
            if row.job.done.done():
                continue  # the caller has gone, or another of its rows failed
            rows.append(row)
            self._next_of(row.job, after=row)
        return rows

    def settle(self, taken: Sequence[Row], left: Sequence[Row]) -> None:
        """Of the rows that were popped some are taken; the others wait on, with their turn.

        Virtual time goes on by what is served, shared among all that wait: a crowd of small jobs
        that never ends does not hold up a large one for ever.
        """
        for row in left:
            self._push(row)
        for row in taken:
            row.job.begun = True
        served = sum(row.cost for row in taken)
        self._virtual += served / (len(self._heap) + len(taken))
        self._virtual = max(self._virtual, min(row.tag for row in taken))

    def _next_of(self, job: Job, after: Row | None = None) -> None:
        """Show the job's next row, once the one before it was popped."""
        if after is not None and after.index != job.order[job.taken - 1]:
            return  # it was put back before: the one after it is waiting already
        if job.taken < len(job.order):
            index = job.order[job.taken]
            job.taken += 1
            self._sequence += 1
            row = Row(job, index, job.tag, self._sequence)
            job.tag += job.costs[index]
            self._push(row)

    def _push(self, row: Row) -> None:
        heapq.heappush(self._heap, (-row.job.priority, row.tag, row.sequence, row))
