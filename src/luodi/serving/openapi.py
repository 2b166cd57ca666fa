"""The OpenAPI document of a service, with examples from its bundles' schemas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from luodi import __version__
from luodi.contracts import JsonValue, Schema
from luodi.serving.openapi_shapes import (
    FLAG,
    TEXT,
    answers,
    inference,
    question,
    record,
    shared,
    truths,
)
from luodi.serving.protocol import describe, truth_fields
from luodi.serving.settings import Limits

if TYPE_CHECKING:
    from luodi.serving.fleet import Card

_WORDS = {
    400: "The request does not fit; the error names the field.",
    401: "A key is needed, and a good one.",
    403: "The key may not do this.",
    404: "No such model or version; of feedback, no such request or row.",
    408: "The body took too long to arrive.",
    409: "The version that was to be loaded is not what it must be.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    429: "The key has asked too much.",
    501: "This service has no place to keep feedback in.",
    503: "Too much is waiting, or the model is still being loaded.",
}
EXAMPLE_ID = "0123456789abcdef"
_SENT = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
_BODY = (408, 413, 415)
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def example_input(schema: Schema) -> JsonValue:
    """One input to try: bare where a model asks for one field."""
    example = schema.example()
    return next(iter(example.values())) if len(example) == 1 else example


def example_tensors(schema: Schema) -> dict[str, JsonValue]:
    """The same as an Open Inference request."""
    example = schema.example()
    return {
        "inputs": [
            {**head, "shape": [1], "data": [example[head["name"]]]}
            for head in describe(schema)["inputs"]
        ]
    }


def example_feedback(schema: Schema) -> dict[str, JsonValue]:
    """A true answer to try: the first value that an answer can have."""
    field = truth_fields(schema)[0]
    usual: dict[str, JsonValue] = {"number": 1.0, "boolean": True}
    truth = field.categories[0] if field.categories else usual.get(field.kind, "text")
    return {"request_id": EXAMPLE_ID, "row": 0, "truth": truth}


def _named(shape: str) -> dict[str, JsonValue]:
    return {"$ref": f"#/components/schemas/{shape}"}


def _told(text: str, content: Mapping[str, JsonValue], *headers: str) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {"description": text, "content": dict(content)}
    if headers:
        found["headers"] = {name: {"schema": TEXT} for name in headers}
    return found


def _json(schema: JsonValue) -> dict[str, JsonValue]:
    return {"application/json": {"schema": schema}}


class _Writer:
    """Writes operations.

    Args:
        keys: whether callers need one.
    """

    def __init__(self, keys: bool) -> None:
        self._keys = keys

    def _operation(
        self, summary: str, good: JsonValue, statuses: Sequence[int], guarded: bool = True
    ) -> dict[str, JsonValue]:
        asked = self._keys and guarded
        responses: dict[str, JsonValue] = {"200": good}
        for status in sorted({400, *statuses, *((401, 403) if asked else ())}):
            sent = [_SENT[status]] if status in _SENT else []
            responses[str(status)] = _told(_WORDS[status], _json(_named("Error")), *sent)
        found: dict[str, JsonValue] = {"summary": summary, "responses": responses}
        return {**found, "security": [{name: []} for name in _SCHEMES]} if asked else found

    def get(
        self, summary: str, shape: str, *statuses: int, guarded: bool = True
    ) -> dict[str, JsonValue]:
        """A page; `shape` names a component, or is another media type."""
        content = {shape: {"schema": TEXT}} if "/" in shape else _json(_named(shape))
        return {"get": self._operation(summary, _told(summary, content), statuses, guarded)}

    def post(
        self,
        summary: str,
        body: tuple[JsonValue, JsonValue],
        good: JsonValue,
        *statuses: int,
        required: bool = True,
    ) -> dict[str, JsonValue]:
        """An act; `body` is its schema and an example of it."""
        schema, example = body
        content = {"application/json": {"schema": schema, "example": example}}
        operation = self._operation(summary, good, (*_BODY, *statuses))
        operation["requestBody"] = {"required": required, "content": content}
        return {"post": operation}

    def model(self, model: Card, limits: Limits) -> dict[str, JsonValue]:
        """Every path of one model."""
        name, schema = quote(model.name), model.schema
        asked = (question(model, limits), {"inputs": [example_input(schema)]})
        right = (truths(schema, limits), {"feedback": [example_feedback(schema)]})
        counted = record({"model": TEXT, "accepted": {"type": "integer"}}, "model", "accepted")
        busy = (404, 503, *((429,) if self._keys else ()))
        paths: dict[str, JsonValue] = {
            f"/predict/{name}": self.post(
                f"Ask {model.name}", asked,
                _told("The answers.", _json(answers(schema)), "X-Request-Id"), *busy,
            ),
            f"/feedback/{name}": self.post(
                f"Tell {model.name} what would have been right", right,
                _told("How many were kept.", _json(counted)), *busy, 501,
            ),
        }  # fmt: skip
        tensors = _json(_named("InferenceResponse"))
        # For those who ask for it in the request's parameters.
        tensors["application/octet-stream"] = {"schema": {**TEXT, "format": "binary"}}
        for base in (f"/v2/models/{name}", f"/v2/models/{name}/versions/{model.version}"):
            told = f"What {model.name} asks and answers"
            paths[base] = self.get(told, "ModelMetadata", 404, 503)
            paths[f"{base}/ready"] = self.get(f"{model.name} is ready", "ModelReady", 404)
            paths[f"{base}/infer"] = self.post(
                f"Ask {model.name} by the Open Inference Protocol",
                (inference(model), example_tensors(schema)),
                _told("The answers.", tensors, "X-Request-Id"), *busy,
            )  # fmt: skip
        return paths

    def repository(self, models: Sequence[Card]) -> dict[str, JsonValue]:
        """Triton's model repository extension."""

        def parameters(**properties: JsonValue) -> JsonValue:
            return record({"parameters": record(properties, closed=True)}, closed=True)

        done = _told("What was done.", _json(_named("Act")))
        ready = record({"ready": FLAG}, closed=True)
        paths: dict[str, JsonValue] = {
            "/v2/repository/index": self.post(
                "Every version, loaded or not", (ready, {"ready": True}),
                _told("The versions.", _json(_named("Versions"))), required=False,
            )
        }  # fmt: skip
        for model in models:
            base = f"/v2/repository/models/{quote(model.name)}"
            version = {"parameters": {"version": model.version}}
            paths[f"{base}/load"] = self.post(
                f"Load {model.name}, or a version of it", (parameters(version=TEXT), version),
                done, 404, 409, 503, required=False,
            )  # fmt: skip
            paths[f"{base}/unload"] = self.post(
                f"Unload {model.name}", (parameters(version=TEXT, unload_dependents={}), {}),
                done, 404, required=False,
            )  # fmt: skip
        return paths


def openapi(models: Sequence[Card], limits: Limits, keys: bool = False) -> dict[str, JsonValue]:
    """The OpenAPI 3.1 document of a service with these models; `keys`: callers need one."""
    writer = _Writer(keys)
    paths: dict[str, JsonValue] = {
        "/": writer.get("What is served here", "Index"),
        "/v2": writer.get("The server", "Server"),
        "/v2/models": writer.get("The models' names", "Names"),
        "/v2/health/live": writer.get("The process answers", "Live", guarded=False),
        "/v2/health/ready": writer.get("Every model is loaded", "Ready", guarded=False),
        "/metrics": writer.get("Prometheus metrics", "text/plain"),
        "/docs": writer.get("This service for people", "text/html"),
        "/openapi.json": writer.get("This document", "Document"),
    }
    for model in models:
        paths |= writer.model(model, limits)
    components: dict[str, JsonValue] = {"schemas": shared()}
    if keys:
        components["securitySchemes"] = _SCHEMES
    return {
        "openapi": "3.1.0",
        "info": {"title": "Luodi", "version": __version__},
        "paths": paths | writer.repository(models),
        "components": components,
    }
