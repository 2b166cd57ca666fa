"""The first thing that a request meets: one that would be refused anyway is told so at once.

Under many times the load that can be answered, nearly all work is work for requests that get no
answer. So when a model's queue is full, its callers are turned away before their bodies are read,
their JSON is parsed or their texts become tokens; only who asks is looked at before.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from luodi.contracts import BusyError, LuodiError, current_language
from luodi.serving.replies import kind_of, listen, told
from luodi.serving.terms import read_terms

if TYPE_CHECKING:
    from luodi.serving.router import Served
    from luodi.serving.service import Service

_ASKS = re.compile(r"/predict/(?P<name>[^/@]+)|/v2/models/(?P<model>[^/@]+)/infer")
"""Requests that a model's own queue may refuse; others, and names with an alias, go on."""
_ROUTES = {"name": "/predict/{name}", "model": "/v2/models/{name}/infer"}
_HEARD = (b"accept-language", b"authorization", b"x-api-key", b"x-deadline-ms", b"x-priority")


class Door:
    """In front of the routes."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service
        self._refusals: dict[tuple[str, int], Response] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Turn a request away, or let it in."""
        started = time.perf_counter()
        served, route = self._asked(scope)
        refusal = None if served is None else self._refusal(served, scope)
        if served is None or refusal is None:
            await self._app(scope, receive, send)
            return
        await self._told(refusal, scope)(scope, receive, send)
        metrics, name = self._service.metrics, served.name
        metrics.requests.labels(name, served.version, route, "503").inc()
        metrics.errors.labels(name, served.version, kind_of(refusal)).inc()
        metrics.seconds.labels(name, route).observe(time.perf_counter() - started)

    def _asked(self, scope: Scope) -> tuple[Served | None, str]:
        """The version that would answer, when its queue is full; and the route."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None, ""
        asked = _ASKS.fullmatch(scope["path"].removeprefix(scope.get("root_path", "")))
        if asked is None or not asked.lastgroup:
            return None, ""
        served = self._service.desk.answering(asked[asked.lastgroup])
        if served is None or not served.batcher.admission.full(asyncio.get_running_loop().time()):
            return None, ""
        return served, _ROUTES[asked.lastgroup]

    def _refusal(self, served: Served, scope: Scope) -> BusyError | None:
        """Why this request gets no answer now; None when it may."""
        now, admission = asyncio.get_running_loop().time(), served.batcher.admission
        headers: Mapping[str, str] = {
            name.decode(): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in _HEARD
        }
        try:
            caller = self._service.desk.access.admit(headers, "ask", served.name)
            priority = read_terms(headers, caller, now).priority
        except LuodiError:
            return None  # it is told so where everybody is
        if priority and not admission.full(now, priority):
            return None
        listen(headers)
        admission.turned_away(now, before=True)
        return admission.busy(priority)

    def _told(self, refusal: BusyError, scope: Scope) -> Response:
        """The answer; made once for all that get the same."""
        key = current_language(), math.ceil(refusal.retry_after)
        if key not in self._refusals:
            self._refusals[key] = told(Request(scope), refusal)
        return self._refusals[key]
