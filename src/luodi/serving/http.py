"""The routes, and how every error becomes an answer.

Each route is declared in `ROUTES`; what is not there is a 404. A fault of the caller is a 4xx with
a sentence that names the field; a fault of ours is a 500 without a traceback, and the traceback is
in the service's log.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from luodi import __version__
from luodi.contracts import JsonValue, RequestError, say, use_language
from luodi.contracts import Request as Asked
from luodi.serving import protocol
from luodi.serving.metrics import ServiceMetrics
from luodi.serving.openapi import openapi
from luodi.serving.page import docs_page
from luodi.serving.replies import read_body, reply, request_id, told
from luodi.serving.router import Router, Served
from luodi.serving.settings import Limits
from luodi.serving.strict_json import read_json

_ASIDE = 32_768
"""Bytes of a body from which on it is read in a thread: parsing it would hold up the others."""
_HOST = re.compile(r"[\w.-]{1,253}(:\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](:\d{1,5})?", re.ASCII)
_CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

Result = TypeVar("Result")
Endpoint = Callable[["Service", Request], Awaitable[Response]]


class Service:
    """What the routes share: the models, the limits, the metrics."""

    def __init__(self, router: Router, limits: Limits, metrics: ServiceMetrics) -> None:
        self.router, self.limits, self.metrics = router, limits, metrics

    def app(self) -> Starlette:
        """The service as an ASGI application."""
        routes = [
            Route(path, self._guarded(path, endpoint), methods=[method])
            for method, path, endpoint in ROUTES
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: told})

    def _guarded(self, path: str, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            started = time.perf_counter()
            _listen(request)
            try:
                response = await endpoint(self, request)
            except Exception as error:  # whatever it is, the caller gets an answer in words
                response = told(request, error)
            if endpoint in (predict, infer):
                model: Served | None = getattr(request.state, "model", None)
                name, version = (model.name, model.version) if model else ("", "")
                status = str(response.status_code)
                self.metrics.requests.labels(name, version, path, status).inc()
                taken = time.perf_counter() - started
                self.metrics.seconds.labels(name, path).observe(taken)
            return response

        return guarded


def _listen(request: Request) -> None:
    """Answer in the language that the caller asks for, when it is one of ours."""
    asked = request.headers.get("accept-language", "")[:2].lower()
    use_language("zh" if asked == "zh" else "en" if asked == "en" else None)


async def _aside(size: int, work: Callable[[], Result]) -> Result:
    """`work()`, in a thread when its input is large enough to hold up the event loop."""
    return await asyncio.to_thread(work) if size > _ASIDE else work()


async def predict(service: Service, request: Request) -> Response:
    """POST /predict/{name}: {"inputs": [...]} -> {"model", "version", "outputs", "request_id"}."""
    model = service.router.find(request.path_params["name"])
    request.state.model = model
    data = await read_body(request, service.limits)

    def read() -> tuple[list[Asked], list[int]]:
        return model.read(_inputs(read_json(data), service.limits))

    requests, costs = await _aside(len(data), read)
    answers = await model.answer(requests, costs)
    service.metrics.rows.labels(model.name, model.version).inc(len(answers))
    number = request_id(request)
    content = {
        "model": model.name,
        "version": model.version,
        "outputs": answers,
        "request_id": number,
    }
    response = await _aside(len(data), lambda: reply(content))
    response.headers["X-Request-Id"] = number
    return response


def _inputs(body: JsonValue, limits: Limits) -> list[JsonValue]:
    if not isinstance(body, dict) or not isinstance(body.get("inputs"), list):
        raise RequestError(
            "inputs",
            say("missing, or not a list.", "缺失，或不是列表。"),
            say('Expected {"inputs": [...]}.', '应为 {"inputs": [...]}。'),
        )
    if unknown := [name for name in body if name != "inputs"]:
        raise RequestError(
            unknown[0][:100],
            say("no such field.", "没有此字段。"),
            say("Expected: inputs.", "应为：inputs。"),
        )
    inputs: list[JsonValue] = body["inputs"]
    if not 0 < len(inputs) <= limits.inputs:
        raise RequestError(
            "inputs",
            say(f"has {len(inputs)} elements.", f"有 {len(inputs)} 个元素。"),
            say(f"Expected 1 to {limits.inputs}.", f"应为 1 到 {limits.inputs} 个。"),
        )
    return inputs


async def infer(service: Service, request: Request) -> Response:
    """POST /v2/models/{name}[/versions/{version}]/infer, as the Open Inference Protocol has it."""
    model = _named(service, request)
    request.state.model = model
    data = await read_body(request, service.limits)
    schema = model.bundle.schema

    def read() -> Any:
        body = read_json(data)
        rows = protocol.read_tensors(body, schema, service.limits.inputs)
        return body, protocol.wanted_outputs(body, schema), model.read(rows, "rows[{}]".format)

    body, fields, (requests, costs) = await _aside(len(data), read)
    answers = await model.answer(requests, costs)
    service.metrics.rows.labels(model.name, model.version).inc(len(answers))
    number = body.get("id") or request_id(request)
    content = {
        "model_name": model.name,
        "model_version": model.version,
        "id": number,
        "outputs": protocol.write_tensors(answers, fields),
    }
    return await _aside(len(data), lambda: reply(content))


def _named(service: Service, request: Request) -> Served:
    parts = request.path_params
    return service.router.find(parts["name"], parts.get("version"))


async def index(service: Service, request: Request) -> Response:
    """GET /: what is served here, and where to read on."""
    models = [
        {"name": model.name, "version": model.version, "predict": f"/predict/{model.name}"}
        for model in service.router.defaults()
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


async def server_metadata(service: Service, request: Request) -> Response:
    """GET /v2: the server."""
    return reply({"name": "luodi", "version": __version__, "extensions": []})


async def live(service: Service, request: Request) -> Response:
    """GET /v2/health/live: the process answers."""
    return reply({"live": True})


async def ready(service: Service, request: Request) -> Response:
    """GET /v2/health/ready: every model is loaded; the service listens only then."""
    return reply({"ready": True})


async def model_metadata(service: Service, request: Request) -> Response:
    """GET /v2/models/{name}[/versions/{version}]: what a model asks and answers."""
    model = _named(service, request)
    manifest = model.bundle.manifest
    return reply(
        {
            "name": model.name,
            "versions": service.router.versions(model.name),
            "platform": f"luodi_{manifest.task}_{manifest.learner}",
            **protocol.describe(model.bundle.schema),
            "parameters": {"version": model.version, "digest": model.bundle.digest},
        }
    )


async def model_ready(service: Service, request: Request) -> Response:
    """GET /v2/models/{name}[/versions/{version}]/ready."""
    return reply({"name": _named(service, request).name, "ready": True})


async def metrics(service: Service, request: Request) -> Response:
    """GET /metrics, for Prometheus."""
    for model in service.router.all():
        gauge = service.metrics.waiting.labels(model.name, model.version)
        gauge.set(model.batcher.waiting)
    media = "text/plain; version=0.0.4; charset=utf-8"
    return Response(service.metrics.text(), media_type=media)


async def docs(service: Service, request: Request) -> Response:
    """GET /docs: one page that needs no network."""
    page = docs_page(service.router.defaults(), f"http://{_host(request)}")
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
    return reply(openapi(service.router.defaults(), service.limits))


MODEL, VERSION = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "/", index),
    ("POST", "/predict/{name}", predict),
    ("GET", "/v2", server_metadata),
    ("GET", "/v2/health/live", live),
    ("GET", "/v2/health/ready", ready),
    ("GET", MODEL, model_metadata),
    ("GET", VERSION, model_metadata),
    ("GET", f"{MODEL}/ready", model_ready),
    ("GET", f"{VERSION}/ready", model_ready),
    ("POST", f"{MODEL}/infer", infer),
    ("POST", f"{VERSION}/infer", infer),
    ("GET", "/metrics", metrics),
    ("GET", "/docs", docs),
    ("GET", "/openapi.json", openapi_json),
)
