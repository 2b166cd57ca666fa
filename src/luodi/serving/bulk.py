"""Many requests at once, with nobody else to wait: every session busy, like lengths together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from luodi.contracts import Answer, Predictor, Preparing, Request

_CALLS_A_SESSION = 8
"""Calls that each session is given: enough that all end at about the same time."""


class Bulk:
    """Answers large blocks of requests, on several sessions. A context: its threads end with it."""

    def __init__(self, predictor: Predictor, sessions: int) -> None:
        self._predictor, self._sessions = predictor, sessions
        self._pool = ThreadPoolExecutor(sessions, "bulk")

    def __enter__(self) -> Bulk:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request, in order."""
        if isinstance(self._predictor, Preparing):
            prepared = self._predictor.prepare(requests)
            costs = [cost for cost, _ in prepared]
            payloads: Sequence[Any] = [payload for _, payload in prepared]
            return self._spread(payloads, costs, self._predictor.answer)
        costs = [self._predictor.cost(request) for request in requests]
        return self._spread(requests, costs, self._predictor.predict)

    def _spread(
        self, rows: Sequence[Any], costs: Sequence[int], call: Callable[[list[Any]], list[Answer]]
    ) -> list[Answer]:
        """Calls of about the same cost each, the dearest rows first."""
        order = sorted(range(len(rows)), key=costs.__getitem__, reverse=True)
        share = sum(costs) / (self._sessions * _CALLS_A_SESSION)
        calls: list[list[int]] = []
        left = 0.0
        for place in order:
            if left <= 0:
                calls.append([])
                left = share
            calls[-1].append(place)
            left -= costs[place]
        found: list[Answer] = [{} for _ in rows]
        asked = [self._pool.submit(call, [rows[place] for place in some]) for some in calls]
        for some, future in zip(calls, asked, strict=True):
            for place, answer in zip(some, future.result(), strict=True):
                found[place] = answer
        return found
