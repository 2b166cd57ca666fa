"""Bodies in, answers out, and every error in words."""

from __future__ import annotations

import asyncio
import logging
import math
import re
import secrets
from collections.abc import Callable, Mapping
from typing import TypeVar

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from luodi.contracts import (
    BundleError,
    BusyError,
    JsonValue,
    RegistryError,
    RequestError,
    Schema,
    say,
    use_language,
)
from luodi.serving.access import DeniedError
from luodi.serving.bodies import SMALL, Bodies
from luodi.serving.settings import Limits

LOG = logging.getLogger("luodi.serving")
Result = TypeVar("Result")
_CELLS = 20_000
"""Fields to be read from which on they are read in a thread: about ten milliseconds."""
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


def listen(headers: Mapping[str, str]) -> None:
    """Answer in the language that the caller asks for, when it is one of ours."""
    asked = headers.get("accept-language", "")[:2].lower()
    use_language("zh" if asked == "zh" else "en" if asked == "en" else None)


def reply(content: JsonValue, status: int = 200) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(content), status, media_type="application/json")


def refuse(status: int, message: str, field: str = "") -> Response:
    """An error as JSON: {"error": {"message", "field"}}."""
    return reply({"error": {"message": message, "field": field or None}}, status)


def told(request: Request, error: Exception) -> Response:
    """What the caller is told of an error: 4xx for its own, 503 when busy, 500 for ours."""
    if isinstance(error, HTTPException):
        return _by_status(request, error)
    if isinstance(error, DeniedError):
        response = refuse(error.status, str(error))
        response.headers.update(error.headers)
        return response
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            response = refuse(status, _words(error), getattr(error, "field", ""))
            if isinstance(error, BusyError):
                response.headers["Retry-After"] = str(math.ceil(error.retry_after))
            return response
    number = request_id(request)
    LOG.error("request %s failed", number, exc_info=error)
    return refuse(
        500,
        say(
            f"The model failed on this request; see the service's log, request {number}.",
            f"模型处理此请求时出错；详见服务日志，请求号 {number}。",
        ),
    )


_STATUS: dict[type[Exception], int] = {
    RequestError: 400,
    RegistryError: 404,
    BundleError: 409,  # a version that was to be loaded is not what it must be
    ClientDisconnect: 400,
    BusyError: 503,
}


def _words(error: Exception) -> str:
    if isinstance(error, ClientDisconnect):
        return say("The caller went away.", "调用方已断开。")
    return str(error)


def kind_of(error: Exception) -> str:
    """An error's kind, for the metrics."""
    if isinstance(error, RequestError | ClientDisconnect):
        return "request"
    if isinstance(error, RegistryError):
        return "not-found"
    if isinstance(error, DeniedError):
        return "quota" if error.status == 429 else "access"
    if isinstance(error, HTTPException):
        return "not-found" if error.status_code == 404 else "request"
    if isinstance(error, BusyError):
        return "overload"
    return "model"


def _by_status(request: Request, error: HTTPException) -> Response:
    words = {
        404: say("There is no such page. Try /docs.", "没有此页面，请看 /docs。"),
        405: say(f"{request.method} is not allowed here.", f"此处不允许 {request.method} 方法。"),
    }
    response = refuse(error.status_code, words.get(error.status_code, error.detail))
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def request_id(request: Request) -> str:
    """The caller's own X-Request-Id, when it is a plain word; else a new one."""
    given = request.headers.get("x-request-id", "")
    if not hasattr(request.state, "number"):
        request.state.number = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    number: str = request.state.number
    return number


async def aside(size: int, work: Callable[[], Result], slow: bool = False) -> Result:
    """`work()`, in a thread when its input, or what is done to it, would hold up the event loop.

    To parse a body that is not small would do so.
    """
    return await asyncio.to_thread(work) if slow or size > SMALL else work()


def crowded(data: bytes, schema: Schema) -> bool:
    """Whether a body may ask for many fields, however small it is: what is left out takes no bytes.

    At most so many rows as it has commas and braces.
    """
    return (data.count(b",") + data.count(b"{")) * len(schema.request) > _CELLS


def marked(request: Request, key: tuple[str, str]) -> None:
    """Keep who answers a request (model, version), for the metrics."""
    request.state.answered_by = key


async def read_body(request: Request, bodies: Bodies, mixed: bool = False) -> bytes:
    """The request's body, whole.

    Args:
        mixed: binary tensors follow the JSON; the content type says nothing then.

    Raises:
        HTTPException: 415 for another content type, 413 when it is too large, 408 when too slow.
        BusyError: when the bodies of others take too much.
    """
    limits = bodies.limits
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not mixed:
        raise HTTPException(
            415,
            say(f"The content type is {kind[:60]!r}.", f"内容类型是 {kind[:60]!r}。")
            + say(
                " Expected application/json: curl -H 'Content-Type: application/json'.",
                "应为 application/json:curl -H 'Content-Type: application/json'。",
            ),
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, say("Send the body uncompressed.", "请发送未压缩的请求体。"))
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limits.body:
        raise _too_large(limits)
    chunks: list[bytes] = []
    size = 0
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async with asyncio.timeout(limits.body_seconds) as patience:
            async for chunk in request.stream():
                size += len(chunk)
                if size > limits.body:
                    raise _too_large(limits)
                bodies.hold(request, len(chunk))
                chunks.append(chunk)
                # What keeps coming at a fair pace is waited for; a dribble is not.
                patience.reschedule(begun + limits.body_seconds + size / limits.body_pace)
    except TimeoutError:
        raise HTTPException(
            408,
            say("The body took too long to arrive.", "请求体到达过慢。"),
            {"Connection": "close"},
        ) from None
    return b"".join(chunks)


def _too_large(limits: Limits) -> HTTPException:
    return HTTPException(
        413,
        say(
            f"The body has more than {limits.body} bytes; send fewer inputs at once.",
            f"请求体超过 {limits.body} 字节，请减少一次发送的条数。",
        ),
    )
