"""Triton's model repository extension: what there is, and loading and unloading while serving.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from luodi.contracts import JsonValue, RequestError, say
from luodi.serving.replies import read_body, reply
from luodi.serving.strict_json import read_json

if TYPE_CHECKING:
    from luodi.serving.service import Service

READY, UNAVAILABLE = "READY", "UNAVAILABLE"


async def index(service: Service, request: Request) -> Response:
    """POST /v2/repository/index: every version that is served or could be, and its state."""
    body = await _body(service, request, "ready")
    ready = body.get("ready", False)
    if not isinstance(ready, bool):
        raise RequestError("ready", say("no truth value.", "不是布尔值。"), "true | false")
    rows = await listed(service, ready)
    caller = request.state.terms.caller
    return reply([row for row in rows if caller.sees(row["name"])])


async def listed(service: Service, only_ready: bool) -> list[JsonValue]:
    """The index, as JSON."""
    rows: list[JsonValue] = []
    served: set[tuple[str, str]] = set()
    for held in service.router.all():
        name, version = held.key
        served.add(held.key)
        state = READY if held.served is not None else UNAVAILABLE
        rows.append({"name": name, "version": version, "state": state, "reason": held.reason})
    for name in service.router.names():
        for version, reason in service.router.offered(name).refused.items():
            if (name, version) not in served:
                served.add((name, version))
                rows.append(
                    {"name": name, "version": version, "state": UNAVAILABLE, "reason": reason}
                )
    for model in await asyncio.to_thread(service.follower.registered):
        if (model.model, model.version) not in served:
            reason = say("not loaded", "未加载")
            rows.append(
                {
                    "name": model.model,
                    "version": model.version,
                    "state": UNAVAILABLE,
                    "reason": reason,
                }
            )
    return [row for row in rows if not only_ready or row["state"] == READY]


async def load(service: Service, request: Request) -> Response:
    """POST /v2/repository/models/{name}/load: prove a model of the registry, and answer for it.

    {"parameters": {"version": VERSION or alias}}; without one, its champion.
    """
    parameters = _parameters(await _body(service, request, "parameters"), ("version",))
    version = wanted_version(parameters)
    model = await service.follower.load(request.path_params["name"], version)
    return reply({"name": model.model, "version": model.version, "load": True})


async def unload(service: Service, request: Request) -> Response:
    """POST /v2/repository/models/{name}/unload: what it has begun, it answers; then it is gone."""
    parameters = _parameters(
        await _body(service, request, "parameters"), ("version", "unload_dependents")
    )
    name = request.path_params["name"]
    await service.follower.unload(name, wanted_version(parameters) or None)
    return reply({"name": name, "unload": True})


def wanted_version(parameters: Mapping[str, JsonValue]) -> str:
    """The version that a request's parameters name; empty for none.

    Raises:
        RequestError: when it is no text.
    """
    version = parameters.get("version", "")
    if not isinstance(version, str):
        raise RequestError("parameters.version", say("no text.", "不是文本。"))
    return version


async def _body(service: Service, request: Request, known: str) -> dict[str, JsonValue]:
    data = await read_body(request, service.bodies)
    body = read_json(data) if data else {}
    if not isinstance(body, dict):
        raise RequestError("", say("no object.", "不是对象。"), say("Expected {}.", "应为 {}。"))
    if unknown := [name for name in body if name != known]:
        raise RequestError(
            unknown[0][:100],
            say("no such field.", "没有此字段。"),
            say(f"Expected: {known}.", f"应为：{known}。"),
        )
    return body


def _parameters(body: dict[str, JsonValue], known: tuple[str, ...]) -> dict[str, JsonValue]:
    given = body.get("parameters", {})
    if not isinstance(given, dict):
        raise RequestError("parameters", say("no object.", "不是对象。"))
    # A configuration or files in the request (Triton's config and file: parameters) would be a
    # model that nobody judged.
    if unknown := [name for name in given if name not in known]:
        raise RequestError(
            f"parameters.{unknown[0][:100]}",
            say("not taken.", "不接受。"),
            say(f"Expected: {', '.join(known)}.", f"应为：{'、'.join(known)}。"),
        )
    return given
