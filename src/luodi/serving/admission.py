"""Who may wait, and how long: what cannot be answered soon is refused before any work is done.

A queue that is as long as its callers' patience answers everybody late and the last ones too late.
So a wait is bounded, by the pace that was measured. While hardly anything is refused the bound is
wide: callers that ask again only when they were answered make no queue longer than themselves. When
much is refused, more comes than can be answered, however long it waits: the bound goes down to
about two calls of the predictor, which keeps every session busy, and what waits beyond it is
refused as well. A standing queue only adds delay (Nichols and Jacobson 2012, "Controlling queue
delay", ACM Queue 10(5)).

A queue that only grows is told sooner, by its growth: callers that wait for their answers make one
that comes at once and stands. What comes by chance makes a queue longer too, by about the root of
the number that came: growth that goes on, and is more than that, counts as refusals do. Requests
are counted, not what they cost: so many callers are so many, whatever they ask next.

A pace that was measured on lone requests is a poor guide to what a crowd's large batches do. So
nobody is refused by it before somebody did wait: a crowd that comes all at once is let in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise

from luodi.contracts import BusyError, say
from luodi.serving.settings import Limits

_SMOOTHING = 0.1
"""What the newest batch counts for in the running means: ten batches are remembered."""
_PATIENCE, _PATIENT_CALLS = 1.0, 8.0
"""Seconds that one may wait for its turn, and calls of the predictor where they take longer."""
_CALLS = 2.0
"""Calls of the predictor that one may wait for when more comes than can be answered: one that is
being computed, and one that gathers meanwhile."""
_LEAST = 0.02
"""Seconds that one may wait at least: what an event loop can be late by itself."""
_REMEMBERED = 0.5
"""Seconds after which a refusal counts for a third of a new one."""
_OVERLOAD = 0.2
"""The share of refusals from which on the bound is at its lowest, and
_FEW: requests that must have come before the share says much."""
_FEW = 8.0
_STANDING = 0.5
"""Of `batch_seconds`: what the last ones answered had waited when a queue is taken to stand."""
_STEP, _THIRDS = 0.05, (5, 6, 7, 8)
"""Seconds between two looks at the queue, and looks in a third of the spans that are asked whether
it grew: three quarters of a second and more, so that a crowd which comes within a third of a second
is in two of the thirds at most; and not much more, where callers that join one by one would tell.
"""
_LOOKS = 3 * max(_THIRDS) + 1
_EVENLY = 0.5
"""Of an even share of the growth, what each third must have brought, and left there."""
_CHANCE, _SURE = 1.3, 2.0
"""How many times the root of what came a queue may grow by chance, and grows only where more comes
than can be answered."""
_GROWN, _FORGOTTEN = 0.8, 0.5
"""What the surest growth counts for as pressure: less than refusals, which are no guess; and
seconds after which it counts for nothing."""
_LATE = 1.5
"""How many times the bound a request may have waited before it is refused in the queue: the wait
that was foreseen for it is an estimate."""


class Admission:
    """What waits for one predictor. Lives on one event loop, whose clock `now` is.

    Attributes:
        pace: cost a second of one session; 0 before anything was measured.
        waiting: cost of what waits or is being answered.
        delay: seconds that those answered last had waited for their turn; 0 when none waits.
    """

    def __init__(self, limits: Limits, sessions: int) -> None:
        self._limits, self._sessions = limits, sessions
        self.pace = 0.0
        self.waiting, self.delay = 0, 0.0
        self._mean_cost, self._mean_call = 1.0, 0.0
        self._turns: dict[int, float] = {}  # by priority
        self._asked = self._refused = self._counted = 0.0
        self._came = self._held = self._most_held = 0
        self._looked = self._growth = 0.0
        self._looks: list[tuple[int, int]] = []  # how many had come, and were held since the last

    def saw(self, cost: int, seconds: float) -> None:
        """Learn from one call of the predictor."""
        pace = cost / max(seconds, 1e-6)
        self.pace = self.pace + _SMOOTHING * (pace - self.pace) if self.pace else pace
        self._mean_call += _SMOOTHING * (seconds - self._mean_call)

    def costs(self, mean: float) -> None:
        """Learn what a row of a request cost on average."""
        self._mean_cost += _SMOOTHING * (mean - self._mean_cost)

    def seconds(self, priority: int = 0) -> float:
        """About how long a small request of this class would wait now."""
        return self._taking(turn for each, turn in self._turns.items() if each >= priority)

    def bound(self, now: float) -> float:
        """How long one may wait now, in seconds."""
        least = max(_CALLS * max(self._full_call(), self._mean_call), _LEAST)
        most = max(patience(self._limits.waiting_seconds, self._mean_call), least)
        pressure = self._pressure(now)
        # By ratios: what chance takes off the pressure for a moment must not bring back half a
        # second's wait.
        return math.pow(most, 1.0 - pressure) * math.pow(least, pressure)

    def _full_call(self) -> float:
        """Seconds that a call takes which has all the rows that it may have. A queue that holds
        less leaves little to put together: calls are short, and fewer are answered."""
        limits = self._limits
        rows = limits.batch * self._mean_cost / self.pace if self.pace else math.inf
        return min(limits.batch_seconds, rows)

    def full(self, now: float, priority: int = 0) -> bool:
        """Whether a request of this class would be refused, whatever it asks."""
        self._look(now)
        if self.seconds(priority) <= self.bound(now):
            return False
        standing = _STANDING * self._limits.batch_seconds
        return self.delay > standing or self._pressure(now) >= 1.0

    def admit(self, rows: int, deadline: float | None, priority: int, now: float) -> None:
        """Let a request in, or tell that it cannot be.

        Raises:
            BusyError: when too much is waiting, or the answer cannot be there in time.
        """
        refused: BusyError | None = None
        cost = rows * self._mean_cost
        if self.full(now, priority) or (
            self.waiting and self.waiting + cost > self._limits.waiting_cost
        ):
            refused = self.busy(priority)
        elif (
            deadline is not None and now + self.seconds(priority) + self._taking([cost]) > deadline
        ):
            refused = self.late(priority)
        self._fade(now)
        self._asked += 1
        self._came += 1
        if refused is not None:
            self._refused += 1
            raise refused

    def _taking(self, costs: Iterable[float]) -> float:
        """Seconds of all sessions together; none before anything was measured."""
        return sum(costs) / (self.pace * self._sessions) if self.pace else 0.0

    def _look(self, now: float) -> None:
        """See how many came and how many there are, unless that was seen a moment ago."""
        steps = int((now - self._looked) / _STEP)
        if not steps:
            return
        # While nobody looked nobody came, and nothing grew. The most that were held: those who were
        # answered together, and ask again, are away for a moment.
        seen = [(self._came, self._most_held)] * min(steps, _LOOKS)
        self._looks = [*self._looks, *seen][-_LOOKS:]
        self._looked, self._most_held = self._looked + steps * _STEP, self._held
        self._growth = max(self._grown(), self._growth - steps * _STEP / _FORGOTTEN)

    def _grown(self) -> float:
        """From 0, when there are no more requests than by chance, to 1."""
        surest = max(self._growth_over(third) for third in _THIRDS)
        return min(1.0, max(0.0, (surest - _CHANCE) / (_SURE - _CHANCE)))

    def _growth_over(self, third: int) -> float:
        """By how many roots of what came the queue grew in three times so many looks; 0 unless it
        did so in each third and kept what it had gained: bursts come, and go."""
        span = self._looks[-3 * third - 1 :]
        if len(span) <= 3 * third:
            return 0.0
        held = [held for _, held in span]
        grown = [late - early for early, late in pairwise(held[::third])]
        part = _EVENLY * sum(grown) / 3
        kept = all(min(held[n * third :]) >= held[0] + n * part for n in (1, 2))
        if min(grown) < part or not kept:
            return 0.0
        return sum(grown) / math.sqrt(max(1, span[-1][0] - span[0][0]))

    def turned_away(self, now: float, before: bool) -> None:
        """A request was refused elsewhere: `before` it came here, or while it waited."""
        self._fade(now)
        self._asked += before
        self._came += before
        self._refused += 1

    @contextmanager
    def holding(self, rows: int, known: int, priority: int) -> Iterator[None]:
        """Count a request among those that wait, until it is answered.

        Args:
            known: its cost; 0 while it is not known.
        """
        cost = known or int(rows * self._mean_cost)
        turn = min(float(cost), self.turn())
        self.waiting += cost
        self._held += 1
        self._most_held = max(self._most_held, self._held)
        self._turns[priority] = self._turns.get(priority, 0.0) + turn
        try:
            yield
        finally:
            self.waiting -= cost
            self._held -= 1
            self._turns[priority] -= turn
            if self._turns[priority] < 1e-6:
                del self._turns[priority]

    def turn(self) -> float:
        """What one job can put before another's next row: about a batch."""
        return self.pace * self._limits.batch_seconds or float(self._limits.batch_cost)

    def call(self) -> float:
        """What one call of the predictor may cost."""
        return min(float(self._limits.batch_cost), self.turn())

    def overdue(self, since: float, now: float) -> bool:
        """Whether what came at `since`, and waits still, is to be refused: only under more load
        than can be answered."""
        return self._pressure(now) >= 1.0 and now - since > _LATE * self.bound(now)

    def busy(self, priority: int = 0) -> BusyError:
        """The refusal of one for whom too much waits."""
        return too_much(self.seconds(priority))

    def late(self, priority: int = 0) -> BusyError:
        """The refusal of one whose answer could not be there in time."""
        return too_late(self.seconds(priority))

    def _pressure(self, now: float) -> float:
        """From 0, when hardly anything is refused and the queue does not grow, to 1."""
        self._fade(now)
        refused = min(1.0, self._refused / (self._asked + _FEW) / _OVERLOAD)
        return 1.0 - (1.0 - refused) * (1.0 - _GROWN * self._growth)

    def _fade(self, now: float) -> None:
        left = math.exp(-max(0.0, now - self._counted) / _REMEMBERED)
        self._asked, self._refused, self._counted = self._asked * left, self._refused * left, now


def patience(said: float | None, call_seconds: float) -> float:
    """Seconds that one may wait for its turn: what the project says, else a second, or what eight
    calls take."""
    return max(_PATIENCE, _PATIENT_CALLS * call_seconds) if said is None else said


def too_much(seconds: float) -> BusyError:
    """The refusal of one for whom too much waits; `seconds`: how long it would have waited."""
    return BusyError(
        say("Too much is waiting; try again.", "等待的请求过多，请重试。"),
        retry_after=max(seconds, 1.0),
    )


def too_late(seconds: float) -> BusyError:
    """The refusal of one whose answer could not be there in time; `seconds`: how long it would
    have waited."""
    return BusyError(
        say(
            "No answer can be given before the deadline; try again later.",
            "无法在截止时间前答复，请稍后重试。",
        ),
        retry_after=max(seconds, 1.0),
        late=True,
    )
