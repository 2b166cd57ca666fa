"""The routes, and how every error becomes an answer.

Each route is declared in `ROUTES` with what its caller needs; what is not there is a 404. A fault
of the caller is a 4xx with a sentence that names the field; a fault of ours is a 500 without a
traceback, and the traceback is in the service's log.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from luodi import __version__
from luodi.serving import inference, people, repository
from luodi.serving.door import Door
from luodi.serving.openapi import openapi
from luodi.serving.page import docs_page
from luodi.serving.replies import kind_of, listen, reply, told
from luodi.serving.terms import read_terms

if TYPE_CHECKING:
    from luodi.serving.access import Need
    from luodi.serving.fleet import Card
    from luodi.serving.service import Service

_HOST = re.compile(r"[\w.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?", re.ASCII)
_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

Endpoint = Callable[["Service", Request], Awaitable[Response]]


def app(service: Service) -> Starlette:
    """The service as an ASGI application."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with service.running():
            yield

    routes = [
        Route(path, _guarded(service, path, endpoint, need), methods=[method])
        for method, path, endpoint, need in ROUTES
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Door, service=service)],
        exception_handlers={HTTPException: told},
        lifespan=lifespan,
    )


def _guarded(
    service: Service, path: str, endpoint: Endpoint, need: Need
) -> Callable[[Request], Awaitable[Response]]:
    counted = endpoint in (people.predict, inference.infer)

    async def guarded(request: Request) -> Response:
        started = time.perf_counter()
        listen(request.headers)
        kind = ""
        try:
            model = request.path_params.get("name", "").partition("@")[0]
            caller = service.desk.access.admit(request.headers, need, model)
            now = asyncio.get_running_loop().time()
            request.state.terms = read_terms(request.headers, caller, now)
            response = await endpoint(service, request)
        except Exception as error:  # whatever it is, the caller gets an answer in words
            kind = kind_of(error)
            response = told(request, error)
        finally:
            service.bodies.release(request)
        if counted:
            name, version = getattr(request.state, "answered_by", ("", ""))
            status = str(response.status_code)
            service.metrics.requests.labels(name, version, path, status).inc()
            taken = time.perf_counter() - started
            service.metrics.seconds.labels(name, path).observe(taken)
            if kind:
                service.metrics.errors.labels(name, version, kind).inc()
        return response

    return guarded


async def index(service: Service, request: Request) -> Response:
    """GET /: what is served here, and where to read on."""
    models = [
        {"name": model.name, "version": model.version, "predict": f"/predict/{model.name}"}
        for model in _seen(service, request)
    ]
    return reply(
        {
            "service": "luodi",
            "version": __version__,
            "models": models,
            "docs": "/docs",
            "openapi": "/openapi.json",
            "metrics": "/metrics",
        }
    )


async def models(service: Service, request: Request) -> Response:
    """GET /v2/models: the models' names, as KServe's server lists them."""
    return reply({"models": [card.name for card in _seen(service, request)]})


async def metrics(service: Service, request: Request) -> Response:
    """GET /metrics, for Prometheus; of all models, so for those who may know of all."""
    request.state.terms.caller.must_see_all()
    service.measure()
    media = "text/plain; version=0.0.4; charset=utf-8"
    return Response(await asyncio.to_thread(service.metrics.text), media_type=media)


async def docs(service: Service, request: Request) -> Response:
    """GET /docs: one page that needs no network."""
    page = docs_page(_seen(service, request), f"{request.url.scheme}://{_host(request)}")
    return Response(page, media_type="text/html", headers={"Content-Security-Policy": _CSP})


def _host(request: Request) -> str:
    """The host that the caller used, when it is one: it is put into lines to be copied."""
    given = request.headers.get("host", "")
    if _HOST.fullmatch(given):
        return given
    host, port = request.scope.get("server") or ("127.0.0.1", 0)
    return f"{host}:{port}"


async def openapi_json(service: Service, request: Request) -> Response:
    """GET /openapi.json, made from the bundles' schemas."""
    seen = _seen(service, request)
    return reply(openapi(seen, service.limits, service.desk.access.asks_for_keys))


def _seen(service: Service, request: Request) -> list[Card]:
    """The models that this caller may know of."""
    caller = request.state.terms.caller
    return [card for card in service.router.defaults() if caller.sees(card.name)]


MODEL, VERSION = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
ROUTES: tuple[tuple[str, str, Endpoint, Need], ...] = (
    ("GET", "/", index, "read"),
    ("POST", "/predict/{name}", people.predict, "ask"),
    ("POST", "/feedback/{name}", people.feedback, "ask"),
    ("GET", "/v2", inference.server_metadata, "read"),
    ("GET", "/v2/health/live", inference.live, "open"),
    ("GET", "/v2/health/ready", inference.ready, "open"),
    ("GET", "/v2/models", models, "read"),
    ("GET", MODEL, inference.model_metadata, "read"),
    ("GET", VERSION, inference.model_metadata, "read"),
    ("GET", f"{MODEL}/ready", inference.model_ready, "read"),
    ("GET", f"{VERSION}/ready", inference.model_ready, "read"),
    ("POST", f"{MODEL}/infer", inference.infer, "ask"),
    ("POST", f"{VERSION}/infer", inference.infer, "ask"),
    ("POST", "/v2/repository/index", repository.index, "read"),
    ("POST", "/v2/repository/models/{name}/load", repository.load, "operate"),
    ("POST", "/v2/repository/models/{name}/unload", repository.unload, "operate"),
    ("GET", "/metrics", metrics, "read"),
    ("GET", "/docs", docs, "read"),
    ("GET", "/openapi.json", openapi_json, "read"),
)
