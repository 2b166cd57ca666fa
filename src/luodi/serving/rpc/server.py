"""The gRPC server: the same desk, the same reader, the same errors as over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from luodi import __version__
from luodi.contracts import (
    BundleError,
    BusyError,
    LuodiError,
    MissingPartError,
    RegistryError,
    RequestError,
    say,
    use_language,
)
from luodi.serving import inference, protocol
from luodi.serving.access import Caller, DeniedError, Need
from luodi.serving.connections import HEAD_SECONDS
from luodi.serving.desk import Question, Rows
from luodi.serving.repository import listed, wanted_version
from luodi.serving.rpc.messages import SERVICE, classes
from luodi.serving.rpc.tensors import as_json, write
from luodi.serving.terms import Terms, read_terms

if TYPE_CHECKING:
    from luodi.serving.fleet import Held
    from luodi.serving.router import Served
    from luodi.serving.service import Service

LOG = logging.getLogger("luodi.serving")
ROUTE = "grpc"
_AHEAD = 65_536
"""Bytes that a call may send before its message is read."""
Method = Callable[["Calls", Any, Any], Awaitable[Any]]


class Calls:
    """What each call of the protocol does."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.messages = classes()

    async def server_live(self, request: Any, context: Any) -> Any:
        """ServerLive: the process answers."""
        return self.messages["ServerLiveResponse"](live=True)

    async def server_ready(self, request: Any, context: Any) -> Any:
        """ServerReady: every model can be asked."""
        return self.messages["ServerReadyResponse"](ready=True)

    async def model_ready(self, request: Any, context: Any) -> Any:
        """ModelReady: whether a model is served."""
        self._service.router.find(request.name, request.version or None)
        return self.messages["ModelReadyResponse"](ready=True)

    async def server_metadata(self, request: Any, context: Any) -> Any:
        """ServerMetadata: the server."""
        return self.messages["ServerMetadataResponse"](
            name="luodi", version=__version__, extensions=inference.EXTENSIONS[1:]
        )

    async def model_metadata(self, request: Any, context: Any) -> Any:
        """ModelMetadata: what a model asks and answers."""
        held = self._service.router.find(request.name, request.version or None)
        told = inference.describe(self._service, held)
        tensors = {
            side: [
                {"name": head["name"], "datatype": head["datatype"], "shape": head["shape"]}
                for head in told[side]
            ]
            for side in ("inputs", "outputs")
        }
        return self.messages["ModelMetadataResponse"](
            name=told["name"], versions=told["versions"], platform=told["platform"], **tensors
        )

    async def model_infer(self, request: Any, context: Any) -> Any:
        """ModelInfer: the answers."""
        service, metadata = self._service, _metadata(context)
        number = request.id or metadata.get("x-request-id", "") or secrets.token_hex(8)
        version = request.model_version or None

        async def read(model: Served) -> Rows:
            def rows() -> Rows:
                schema = model.bundle.schema
                limit = service.limits.rows(schema)
                body = as_json(request, limit)
                values = protocol.read_tensors(body, schema, limit)
                fields = protocol.wanted_outputs(body, schema)
                explain = protocol.rows_to_explain(body, len(values))
                return Rows(values, model.read(values, "rows[{}]".format), fields, explain)

            return await asyncio.to_thread(rows) if request.ByteSize() > 32_768 else rows()

        def told(held: Held) -> None:
            context.answered_by = held.key

        question = Question(request.model_name, version, number, metadata, ROUTE, context.terms)
        answered = await service.desk.ask(question, read, told)
        response = self.messages["ModelInferResponse"](
            model_name=answered.name, model_version=answered.version, id=number
        )
        tensors = protocol.write_tensors(answered.answers, answered.rows.aside)
        write(response, tensors, bool(request.raw_input_contents))
        return response

    async def repository_index(self, request: Any, context: Any) -> Any:
        """RepositoryIndex: every version that is served or could be."""
        seen = context.terms.caller.sees
        rows = [row for row in await listed(self._service, request.ready) if seen(row["name"])]
        return self.messages["RepositoryIndexResponse"](models=rows)

    async def repository_model_load(self, request: Any, context: Any) -> Any:
        """RepositoryModelLoad: prove a model of the registry, and answer for it."""
        version = wanted_version(_parameters(request, ("version",)))
        name = request.model_name or request.repository_name
        model = await self._service.follower.load(name, version)
        return self.messages["RepositoryModelLoadResponse"](model_name=model.model, isLoaded=True)

    async def repository_model_unload(self, request: Any, context: Any) -> Any:
        """RepositoryModelUnload: answer for a model no more."""
        given = _parameters(request, ("version", "unload_dependents"))
        name = request.model_name or request.repository_name
        await self._service.follower.unload(name, wanted_version(given) or None)
        return self.messages["RepositoryModelUnloadResponse"](model_name=name, isUnloaded=True)


CALLS: dict[str, Method] = {
    "ServerLive": Calls.server_live,
    "ServerReady": Calls.server_ready,
    "ModelReady": Calls.model_ready,
    "ServerMetadata": Calls.server_metadata,
    "ModelMetadata": Calls.model_metadata,
    "ModelInfer": Calls.model_infer,
    "RepositoryIndex": Calls.repository_index,
    "RepositoryModelLoad": Calls.repository_model_load,
    "RepositoryModelUnload": Calls.repository_model_unload,
}


NEEDS: dict[str, Need] = {
    "ServerLive": "open",
    "ServerReady": "open",
    "ModelReady": "read",
    "ServerMetadata": "read",
    "ModelMetadata": "read",
    "ModelInfer": "ask",
    "RepositoryIndex": "read",
    "RepositoryModelLoad": "operate",
    "RepositoryModelUnload": "operate",
}
"""What the caller of each needs, as over HTTP."""
_DENIED = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 429: "RESOURCE_EXHAUSTED"}


def _terms(metadata: dict[str, str], caller: Caller, context: Any) -> Terms:
    """As over HTTP; the deadline is also gRPC's own."""
    now = asyncio.get_running_loop().time()
    terms = read_terms(metadata, caller, now)
    left = context.time_remaining()
    if left is None:
        return terms
    return replace(terms, deadline=min(now + left, terms.deadline or now + left))


def _parameters(request: Any, known: tuple[str, ...]) -> dict[str, Any]:
    given = {name: getattr(value, value.WhichOneof("parameter_choice") or "string_param")
             for name, value in request.parameters.items()}  # fmt: skip
    for name in given:
        if name not in known:
            raise RequestError(
                f"parameters.{name[:100]}",
                say("not taken.", "不接受。"),
                say(f"Expected: {', '.join(known)}.", f"应为：{'、'.join(known)}。"),
            )
    return given


def _metadata(context: Any) -> dict[str, str]:
    return {
        name: value for name, value in context.invocation_metadata() or () if isinstance(value, str)
    }


def need_grpc() -> Any:
    """The library, when it is there.

    Raises:
        MissingPartError: when the extra is not installed.
    """
    try:
        import grpc
    except ImportError as error:
        raise MissingPartError(
            say("gRPC is not installed.", "未安装 gRPC。"),
            "",
            say("pip install 'luodi[grpc]'", "pip install 'luodi[grpc]'"),
        ) from error
    return grpc


@contextlib.asynccontextmanager
async def answering(service: Service, address: str) -> AsyncIterator[int]:
    """Answer over gRPC at `host:port` while the block runs; yields the port.

    With a certificate it speaks TLS and nothing else, as the service does over HTTP.

    Raises:
        MissingPartError: when the extra is not installed.
        LuodiError: when the port is taken.
    """
    grpc = need_grpc()
    from grpc import aio

    calls = Calls(service)
    handlers = {
        # To the caller a unary call; here one whose message is read when we ask for it.
        name: grpc.stream_unary_rpc_method_handler(
            _guarded(service, calls, name, method, grpc), response_serializer=_bytes_of
        )
        for name, method in CALLS.items()
    }
    server = aio.server(
        options=[
            ("grpc.max_receive_message_length", service.limits.body),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 1),
            # What is sent before it is asked for: else it grows with the line's speed, without
            # end. A message that is being read comes as fast as before.
            ("grpc.http2.bdp_probe", 0),
            ("grpc.http2.lookahead_bytes", _AHEAD),
            # It is two minutes otherwise: so long a caller that never greets holds a socket.
            ("grpc.server_handshake_timeout_ms", int(HEAD_SECONDS * 1000)),
        ]
    )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    try:
        if service.grpc_tls is None:
            port = server.add_insecure_port(address)
        else:
            certificate, key = (path.read_bytes() for path in service.grpc_tls)
            credentials = grpc.ssl_server_credentials([(key, certificate)])
            port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise LuodiError(
            say(f"gRPC cannot listen on {address}.", f"gRPC 无法在 {address} 上监听。"),
            "",
            say("Take another: --grpc-port 0 picks a free one.",
                "请换一个；--grpc-port 0 任选空闲端口。"),
        ) from error  # fmt: skip
    await server.start()
    try:
        yield port
    finally:
        await server.stop(grace=30)


async def _received(context: Any) -> bytes:
    """The call's message; one that has no field set is empty, like one that never came."""
    data = await context.read()
    return data if isinstance(data, bytes) else b""


def _parsed(data: bytes, kind: Any) -> Any:
    """The message of this kind.

    Raises:
        RequestError: when it is none.
    """
    from google.protobuf.message import DecodeError

    try:
        return kind.FromString(data)
    except DecodeError:
        raise RequestError(
            "",
            say("The message cannot be read.", "无法读取该消息。"),
            say(f"Expected one {kind.DESCRIPTOR.name}.", f"应为一个 {kind.DESCRIPTOR.name}。"),
        ) from None


def _model_of(request: Any) -> str:
    """The model that a message is about, whichever field it stands in; empty for none."""
    names = (getattr(request, field, "") for field in ("model_name", "name", "repository_name"))
    return next(filter(None, names), "").partition("@")[0]


def _when(error: Exception) -> tuple[tuple[str, str], ...]:
    """Trailing metadata: when to come again, as Retry-After says over HTTP."""
    if isinstance(error, BusyError):
        return (("retry-after", str(math.ceil(error.retry_after))),)
    if isinstance(error, DeniedError) and error.status == 429:
        return (("retry-after", error.headers["Retry-After"]),)
    return ()


def _bytes_of(message: Any) -> bytes:
    data: bytes = message.SerializeToString()
    return data


def _guarded(service: Service, calls: Calls, name: str, method: Method, grpc: Any) -> Any:
    """A call whose every error is a status in words."""
    codes = {
        RequestError: grpc.StatusCode.INVALID_ARGUMENT,
        RegistryError: grpc.StatusCode.NOT_FOUND,
        BundleError: grpc.StatusCode.FAILED_PRECONDITION,
        BusyError: grpc.StatusCode.UNAVAILABLE,
    }
    counted = name == "ModelInfer"

    async def guarded(messages: Any, context: Any) -> Any:
        from luodi.serving.replies import kind_of

        started, status, kind = time.perf_counter(), "OK", ""
        asked = _metadata(context).get("accept-language", "")[:2].lower()
        use_language("zh" if asked == "zh" else "en" if asked == "en" else None)
        seen = _Seen(context)
        try:
            metadata, need = _metadata(context), NEEDS[name]
            service.desk.access.admit(metadata, need)  # nothing is read of one who has no key
            if need == "open":  # nor where nothing is asked: whether it lives must not wait
                return await method(calls, None, seen)
            async with service.bodies.message(partial(_received, context)) as data:
                request = _parsed(data, calls.messages[f"{name}Request"])
                caller = service.desk.access.admit(metadata, need, _model_of(request))
                seen.terms = _terms(metadata, caller, context)
                return await method(calls, request, seen)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            kind = kind_of(error)
            code = next((codes[each] for each in codes if isinstance(error, each)), None)
            if isinstance(error, DeniedError):
                code = getattr(grpc.StatusCode, _DENIED[error.status])
            words = str(error)
            if code is None:
                LOG.error("a gRPC request failed", exc_info=error)
                code = grpc.StatusCode.INTERNAL
                words = say("The model failed on this request.", "模型处理此请求时出错。")
            status = code.name
            await context.abort(code, words, _when(error))
        finally:
            if counted:
                model, version = seen.answered_by
                metrics = service.metrics
                metrics.requests.labels(model, version, ROUTE, status).inc()
                metrics.seconds.labels(model, ROUTE).observe(time.perf_counter() - started)
                if kind:
                    metrics.errors.labels(model, version, kind).inc()

    return guarded


class _Seen:
    """A call's context, and who answered it."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.answered_by = ("", "")
        self.terms = Terms()

    def invocation_metadata(self) -> Any:
        """What the caller sent beside the message."""
        return self._context.invocation_metadata()
