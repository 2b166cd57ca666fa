"""Where the questions of every protocol arrive: dealt to a version, answered, watched, logged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from luodi.contracts import Answer, BusyError, JsonValue, LuodiError, Request
from luodi.serving.access import Access
from luodi.serving.dealing import Arm, Deal, deal
from luodi.serving.fleet import Held
from luodi.serving.metrics import ServiceMetrics
from luodi.serving.router import CHAMPION, Router, Served
from luodi.serving.terms import Terms
from luodi.serving.watch import Watch
from luodi.traffic.log import Entry, TrafficLog

_SHADOWS = 64
"""Requests that shadows may be answering at once; more are not shadowed, and counted."""


@dataclass(frozen=True)
class Question:
    """A request before it is known who answers it.

    Attributes:
        version: the version or alias asked for; None for whichever is dealt.
        number: the request's id, in the log and for feedback.
        headers: names in small letters.
    """

    name: str
    version: str | None
    number: str
    headers: Mapping[str, str] = field(default_factory=dict)
    protocol: str = "predict"
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True)
class Rows:
    """What a request asks: as it came, and as the predictor wants it.

    `aside` is what the protocol keeps for its reply, such as the outputs that were asked for;
    `explain` are the places of the rows whose answers are to come with their reasons.
    """

    values: Sequence[JsonValue]
    requests: Sequence[Request]
    aside: Any = None
    explain: Sequence[int] = ()


@dataclass(frozen=True)
class Answered:
    """The answers, and who gave them."""

    name: str
    version: str
    arm: Arm
    answers: Sequence[Answer]
    rows: Rows


class Desk:
    """What every protocol asks. Lives on one event loop."""

    def __init__(
        self,
        router: Router,
        metrics: ServiceMetrics,
        watch: Watch,
        traffic: TrafficLog,
        access: Access,
    ) -> None:
        self.router, self.metrics, self.watch, self.traffic = router, metrics, watch, traffic
        self.access = access
        self._shadows: set[asyncio.Task[None]] = set()

    async def ask(
        self,
        question: Question,
        read: Callable[[Served], Any],
        told: Callable[[Held], None] = lambda held: None,
    ) -> Answered:
        """Answer a question by the version that it is dealt to.

        Args:
            read: the protocol's own reading of the request into `Rows` for this version; awaited.
            told: told of the version before it answers, for what is said of a failure.

        Raises:
            RequestError: when the request does not fit.
            RegistryError: when no such model or version is served.
            BusyError: when it cannot be answered now.
            Exception: what the model itself raised.
        """
        held, arm, dealt = self._choose(question)
        told(held)
        async with self.router.fleet.lease(held, question.terms.deadline) as model:
            if model.cache is None:
                model.batcher.turn_away(question.terms.priority)
            rows: Rows = await read(model)
            started, failure = time.perf_counter(), ""
            answers: Sequence[Answer] = ()
            try:
                terms = question.terms
                if rows.explain:
                    model.explaining.turn_away(len(rows.explain), terms.deadline)
                self.access.count(terms.caller, len(rows.requests))
                given = await model.answer(rows.requests, terms.deadline, terms.priority)
                if rows.explain:
                    given = await model.explained(
                        rows.requests, given, rows.explain, terms.deadline
                    )
                answers = given
            except (LuodiError, asyncio.CancelledError):
                raise  # the caller's, or the hour's: no fault of this version
            except Exception as error:
                failure = type(error).__name__
                raise
            finally:
                seconds = time.perf_counter() - started
                if answers or failure:
                    self.watch.saw(held.key, seconds, bool(failure))
                    outcome = Outcome(rows.requests, answers, seconds, failure)
                    self._note(question, held, arm, outcome)
                    # Also when it failed: whether the other would have is worth knowing.
                    for version in dealt.shadows:
                        self._shadow(question, version, rows)
            self.metrics.rows.labels(model.name, model.version).inc(len(answers))
            self.metrics.dealt.labels(model.name, model.version, arm).inc()
        return Answered(model.name, model.version, arm, answers, rows)

    def answering(self, name: str) -> Served | None:
        """The one version that answers for a bare name whatever is asked; None where there is no
        such one: it is not in memory, has challengers, or may know the answer already."""
        offered = self.router.known(name)
        if offered is None or offered.route.challengers:
            return None
        held = self.router.fleet.get(name, offered.default)
        served = held.served if held is not None else None
        return served if served is not None and served.cache is None else None

    def _choose(self, question: Question) -> tuple[Held, Arm, Deal]:
        if question.version is not None or "@" in question.name:
            return self.router.find(question.name, question.version), "pinned", Deal()
        offered = self.router.offered(question.name)
        if offered.follows != CHAMPION:
            return self.router.find(question.name), "champion", Deal()
        dealt = deal(question.name, offered.route, question.headers)
        if dealt.challenger:
            held = self.router.fleet.get(question.name, dealt.challenger)
            # One that was refused, or waits for memory, is not asked: the champion answers.
            if held is not None and held.proved and dealt.challenger not in offered.refused:
                return held, "canary", dealt
        return self.router.find(question.name), "champion", dealt

    def _shadow(self, question: Question, version: str, rows: Rows) -> None:
        held = self.router.fleet.get(question.name, version)
        if held is None or version in self.router.offered(question.name).refused:
            return
        if len(self._shadows) >= _SHADOWS:
            self.metrics.shadows_left_out.labels(*held.key).inc()
            return
        task = asyncio.get_running_loop().create_task(self._answer_unseen(question, held, rows))
        self._shadows.add(task)
        task.add_done_callback(self._shadows.discard)

    async def _answer_unseen(self, question: Question, held: Held, rows: Rows) -> None:
        """Let a shadow answer what the champion has answered; nobody waits for it."""
        failure, started = "", time.perf_counter()
        requests, answers = rows.requests, list[Answer]()
        try:
            async with self.router.fleet.lease(held) as model:
                started = time.perf_counter()
                # Read again: its schema and its preparation may be others than the champion's.
                requests = await asyncio.to_thread(model.read, rows.values)
                answers = await model.answer(requests)
        except BusyError:
            self.metrics.shadows_left_out.labels(*held.key).inc()
            return
        except Exception as error:  # a shadow's fault is a figure, and harms nobody
            failure = type(error).__name__
        seconds = time.perf_counter() - started
        self.watch.saw(held.key, seconds, bool(failure))
        self._note(question, held, "shadow", Outcome(requests, answers, seconds, failure))

    def _note(self, question: Question, held: Held, arm: Arm, outcome: Outcome) -> None:
        name, version = held.key
        self.traffic.add(
            Entry(
                name,
                version,
                question.number,
                arm,
                question.protocol,
                outcome.requests,
                outcome.answers,
                outcome.seconds,
                outcome.failure,
            )
        )

    async def rest(self) -> None:
        """Wait for what shadows have begun."""
        if self._shadows:
            await asyncio.wait(self._shadows, timeout=5)


@dataclass(frozen=True)
class Outcome:
    """How a version did: what it was asked, its answers, their seconds, the kind of failure."""

    requests: Sequence[Request]
    answers: Sequence[Answer]
    seconds: float
    failure: str = ""
