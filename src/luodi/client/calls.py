"""What is sent and what comes back, the same for both clients."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from luodi.contracts import Answer, JsonValue, LuodiError, MissingPartError, say

if TYPE_CHECKING:
    from types import ModuleType

T = TypeVar("T")
STICKY, DEADLINE = "X-Luodi-Key", "X-Deadline-Ms"
_LONGEST_MS = 3_600_000.0
_AGAIN = (429, 503)
"""Statuses after which the same may be asked again."""
_LONGEST_PAUSE = 5.0
"""Seconds that a call waits before it asks again: a day's quota is not waited for."""


class ServiceError(LuodiError):
    """What a service answered instead, or that it did not answer.

    Attributes:
        status: the HTTP status; 0 when no answer came.
        field: the field at fault, such as `inputs[3].text`; empty when there is none.
        retry_after: seconds after which asking again may help; 0 when the service named none.
    """

    def __init__(
        self, message: str, status: int = 0, field: str = "", retry_after: float = 0.0
    ) -> None:
        super().__init__(message)
        self.status, self.field, self.retry_after = status, field, retry_after


@dataclass(frozen=True)
class Predicted:
    """The answers to one request, and who gave them.

    Attributes:
        version: the version of the model that gave every one of them.
        outputs: one an input, in order.
        request_id: by which feedback is told.
    """

    model: str
    version: str
    outputs: list[Answer]
    request_id: str


@dataclass(frozen=True)
class Model:
    """What a model asks and answers.

    Attributes:
        versions: those that may be asked for, the default first.
        inputs, outputs: name -> datatype of the Open Inference Protocol.
    """

    name: str
    versions: list[str]
    platform: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    digest: str


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request, and how its answer is read."""

    method: str
    path: str
    read: Callable[[Any], T]
    body: JsonValue = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes | None:
        """The body's bytes. NaN is refused here: the service would refuse it too."""
        if self.body is None:
            return None
        return json.dumps(self.body, ensure_ascii=False, allow_nan=False).encode()

    def all_headers(self) -> dict[str, str]:
        """With the content's type, where there is any."""
        kind = {} if self.body is None else {"Content-Type": "application/json"}
        return {**kind, **self.headers}


def predict(
    model: str,
    inputs: Sequence[JsonValue],
    explain: bool,
    key: str | None,
    request_id: str | None,
) -> Call[Predicted]:
    """Ask a model."""
    if isinstance(inputs, str | bytes | Mapping):
        raise TypeError("inputs is a list of inputs, not one of them")
    body: dict[str, JsonValue] = {"inputs": list(inputs)}
    if explain:
        body["explain"] = True
    headers = {STICKY: key} if key else {}
    if request_id:
        headers["X-Request-Id"] = request_id

    def read(answer: Any) -> Predicted:
        return Predicted(
            answer["model"], answer["version"], answer["outputs"], answer["request_id"]
        )

    return Call("POST", f"/predict/{quote(model, safe='@')}", read, body, headers)


def feedback(model: str, request_id: str, truth: JsonValue, row: int) -> Call[None]:
    """Tell what would have been right."""
    body = {"request_id": request_id, "row": row, "truth": truth}
    return Call("POST", f"/feedback/{quote(model)}", lambda answer: None, body)


def model(name: str, version: str | None) -> Call[Model]:
    """What a model asks and answers."""

    def kinds(heads: list[dict[str, Any]]) -> dict[str, str]:
        return {head["name"]: head["datatype"] for head in heads}

    def read(answer: Any) -> Model:
        return Model(
            answer["name"],
            answer["versions"],
            answer["platform"],
            kinds(answer["inputs"]),
            kinds(answer["outputs"]),
            answer["parameters"]["digest"],
        )

    path = f"/v2/models/{quote(name)}" + (f"/versions/{quote(version)}" if version else "")
    return Call("GET", path, read)


def models() -> Call[dict[str, str]]:
    """What is served: name -> version."""

    def read(answer: Any) -> dict[str, str]:
        return {each["name"]: each["version"] for each in answer["models"]}

    return Call("GET", "/", read)


def ready() -> Call[bool]:
    """Whether the service is."""
    return Call("GET", "/v2/health/ready", lambda answer: bool(answer["ready"]))


def load(name: str, version: str | None) -> Call[str]:
    """Load a model of the registry."""
    body: JsonValue = {"parameters": {"version": version}} if version else {}
    path = f"/v2/repository/models/{quote(name)}/load"
    return Call("POST", path, lambda answer: str(answer["version"]), body)


def unload(name: str, version: str | None) -> Call[None]:
    """Unload a model."""
    body: JsonValue = {"parameters": {"version": version}} if version else {}
    return Call("POST", f"/v2/repository/models/{quote(name)}/unload", lambda answer: None, body)


def read(call: Call[T], status: int, headers: Mapping[str, str], content: bytes) -> T:
    """The answer to a call.

    Raises:
        ServiceError: when it is none.
    """
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if status == 200 and answer is not None:
        return call.read(answer)
    error = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(error, dict):
        error = {
            "message": say(
                f"{call.path} was answered {status} by something that is no Luodi service.",
                f"{call.path} 得到 {status}，应答者不是 Luodi 服务。",
            )
        }
    raise ServiceError(str(error.get("message")), status, error.get("field") or "", after(headers))


def after(headers: Mapping[str, str]) -> float:
    """Seconds that Retry-After names; 0 when it names none."""
    text = headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 6 else 0.0


def pause(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds after which the same may be asked again; None when it may not, or not soon."""
    if status not in _AGAIN:
        return None
    seconds = after(headers) or 0.2
    return seconds if seconds <= _LONGEST_PAUSE else None


def unreachable(base: str, error: Exception) -> ServiceError:
    """No answer came."""
    return ServiceError(
        say(
            f"{base} does not answer: {error or type(error).__name__}.",
            f"{base} 没有应答：{error or type(error).__name__}。",
        )
    )


def standing(
    timeout: float, api_key: str | None, headers: Mapping[str, str] | None
) -> dict[str, str]:
    """The headers of every request."""
    usual = {DEADLINE: f"{min(timeout * 1000, _LONGEST_MS):.0f}"}
    if api_key:
        usual["Authorization"] = f"Bearer {api_key}"
    return {**usual, **(headers or {})}


def trust(verify: bool | str) -> bool | ssl.SSLContext:
    """What certificates are checked by: as the system does, or by a file's."""
    return ssl.create_default_context(cafile=verify) if isinstance(verify, str) else verify


def need_httpx() -> ModuleType:
    """The HTTP library.

    Raises:
        MissingPartError: when the extra is not installed.
    """
    try:
        import httpx
    except ImportError as error:
        raise MissingPartError(
            say("luodi.client needs httpx.", "luodi.client 需要 httpx。"),
            "",
            "pip install 'luodi[client]'",
        ) from error
    return httpx
