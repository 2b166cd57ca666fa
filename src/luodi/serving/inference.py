"""The Open Inference Protocol over HTTP, with Triton's extension for binary tensors.

https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from luodi import __version__
from luodi.contracts import BusyError, RequestError, say
from luodi.serving import binary, protocol
from luodi.serving.desk import Question, Rows
from luodi.serving.replies import aside, crowded, marked, read_body, reply, request_id
from luodi.serving.strict_json import read_json

if TYPE_CHECKING:
    from luodi.contracts import JsonValue
    from luodi.serving.fleet import Held
    from luodi.serving.router import Served
    from luodi.serving.service import Service

EXTENSIONS = ["binary_tensor_data", "model_repository", "model_repository(unload_dependents)"]


async def server_metadata(service: Service, request: Request) -> Response:
    """GET /v2: the server."""
    return reply({"name": "luodi", "version": __version__, "extensions": EXTENSIONS})


async def live(service: Service, request: Request) -> Response:
    """GET /v2/health/live: the process answers."""
    return reply({"live": True})


async def ready(service: Service, request: Request) -> Response:
    """GET /v2/health/ready: every model can be asked; the service listens only then."""
    return reply({"ready": True})


def named(service: Service, request: Request) -> Held:
    """The version that a path names."""
    parts = request.path_params
    return service.router.find(parts["name"], parts.get("version"))


async def model_metadata(service: Service, request: Request) -> Response:
    """GET /v2/models/{name}[/versions/{version}]: what a model asks and answers."""
    held = named(service, request)
    return reply(describe(service, held))


def describe(service: Service, held: Held) -> dict[str, JsonValue]:
    """A version's metadata."""
    card = held.card
    if card is None:
        name, version = held.key
        raise BusyError(
            say(f"{name}:{version} is being loaded.", f"{name}:{version} 正在加载。"),
            "",
            say("Ask again.", "请重新请求。"),
        )
    return {
        "name": card.name,
        "versions": service.router.versions(card.name),
        "platform": f"luodi_{card.manifest.task}_{card.manifest.learner}",
        **protocol.describe(card.schema),
        "parameters": {"version": card.version, "digest": card.digest},
    }


async def model_ready(service: Service, request: Request) -> Response:
    """GET /v2/models/{name}[/versions/{version}]/ready."""
    return reply({"name": named(service, request).model.model, "ready": True})


async def infer(service: Service, request: Request) -> Response:
    """POST /v2/models/{name}[/versions/{version}]/infer."""
    parts = request.path_params
    marked(request, named(service, request).key)
    data = await read_body(request, service.bodies, binary.LENGTH in request.headers)
    body, tail = await aside(len(data), lambda: _split(request, data))
    _check_name(body, parts["name"])
    asked_for = body.get("id") if isinstance(body, dict) else None
    number = asked_for if isinstance(asked_for, str) and asked_for else request_id(request)

    async def read(model: Served) -> Rows:
        def rows() -> Rows:
            schema = model.bundle.schema
            most = service.limits.rows(schema)
            whole = binary.filled(body, tail, most)
            values = protocol.read_tensors(whole, schema, most)
            fields = protocol.wanted_outputs(whole, schema)
            explain = protocol.rows_to_explain(whole, len(values))
            return Rows(values, model.read(values, "rows[{}]".format), fields, explain)

        bundle = model.bundle
        slow = bundle.preparation.slow or crowded(data, bundle.schema)
        return await aside(len(data), rows, slow)

    question = Question(
        parts["name"], parts.get("version"), number, request.headers, "v2", request.state.terms
    )
    answered = await service.desk.ask(question, read, lambda held: marked(request, held.key))

    def written() -> Response:
        content = {
            "model_name": answered.name,
            "model_version": answered.version,
            "id": number,
            "outputs": protocol.write_tensors(answered.answers, answered.rows.aside),
        }
        wanted = binary.wanted(body)
        return reply(content) if wanted == frozenset() else binary.reply_binary(content, wanted)

    response = await aside(len(data), written)
    response.headers["X-Request-Id"] = request_id(request)
    return response


def _check_name(body: JsonValue, name: str) -> None:
    """A body that names a model must name the one of the path."""
    named_too = body.get("model_name", name) if isinstance(body, dict) else name
    if named_too != name:
        raise RequestError(
            "model_name",
            say("differs from the path's.", "与路径中的不同。"),
            say(f"Expected {name}.", f"应为 {name}。"),
        )


def _split(request: Request, data: bytes) -> tuple[JsonValue, bytes]:
    """The JSON of a request, and the binary tensors that follow it."""
    given = request.headers.get(binary.LENGTH)
    if given is None:
        return read_json(data), b""
    length = int(given) if given.isdecimal() and len(given) < 12 else len(data) + 1
    if length > len(data):
        raise HTTPException(
            400,
            say(
                f"{binary.LENGTH} is {given[:20]!r}; the body has {len(data)} bytes.",
                f"{binary.LENGTH} 为 {given[:20]!r}，而请求体有 {len(data)} 字节。",
            ),
        )
    return read_json(data[:length]), data[length:]
