"""The OpenAPI document of a service, with examples from its bundles' schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote

from luodi import __version__
from luodi.contracts import Field, JsonValue, Schema
from luodi.serving.protocol import DATATYPES, EXPLAIN, describe, truth_fields
from luodi.serving.settings import Limits

if TYPE_CHECKING:
    from luodi.serving.fleet import Card

_JSON_TYPES: dict[str, dict[str, JsonValue]] = {
    "text": {"type": "string"},
    "date": {"type": "string"},
    "category": {"type": ["string", "integer", "boolean"]},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
}


def _field_schema(field: Field) -> dict[str, JsonValue]:
    if field.kind == "scores":
        number = {"type": "number"}
        return {"type": "object", "properties": dict.fromkeys(field.categories, number)}
    schema = dict(_JSON_TYPES[field.kind])
    if not field.required:
        schema = {"anyOf": [schema, {"type": "null"}]}
    if field.example is not None:
        schema["examples"] = [field.example]
    return schema


def _object(fields: Sequence[Field]) -> dict[str, JsonValue]:
    return {
        "type": "object",
        "properties": {field.name: _field_schema(field) for field in fields},
        "required": [field.name for field in fields if field.required],
    }


def _input_schema(schema: Schema) -> dict[str, JsonValue]:
    whole: dict[str, JsonValue] = {**_object(schema.request), "additionalProperties": False}
    if EXPLAIN not in whole["properties"]:
        whole["properties"][EXPLAIN] = {"type": "boolean"}
    if len(schema.request) == 1:
        return {"anyOf": [_field_schema(schema.request[0]), whole]}
    return whole


def _with_history(fields: dict[str, JsonValue], model: Card) -> dict[str, JsonValue]:
    """An input is the fields, or, for a model that was taught by histories, a unit's last rows."""
    history = model.history
    if history is None:
        return fields
    made = tuple(f"{name} (" for name in history.columns)
    passed = [field for field in model.schema.request if not field.name.startswith(made)]
    row: dict[str, JsonValue] = _object(passed)
    measured = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    row["properties"] |= {history.time: {"type": ["number", "string"]}}
    row["properties"] |= dict.fromkeys(history.columns, measured)
    rows = {
        "type": "array",
        "minItems": 1,
        "items": row,
        "description": f"One unit's rows, the oldest first; the last {max(history.sizes)} count.",
    }
    asked = {"type": "object", "required": ["history"], "properties": {"history": rows}}
    return {"anyOf": [fields, asked]}


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


def _response(text: str, content: JsonValue) -> dict[str, JsonValue]:
    return {"description": text, "content": {"application/json": {"schema": content}}}


def _errors() -> dict[str, JsonValue]:
    shape = {"$ref": "#/components/schemas/Error"}
    words = {
        "400": "The request does not fit; the error names the field.",
        "404": "No such model or version.",
        "409": "The version that was to be loaded is not what it must be.",
        "408": "The body took too long to arrive.",
        "413": "The body is too large.",
        "415": "The body is not application/json.",
        "503": "Too much is waiting.",
    }
    return {status: _response(text, shape) for status, text in words.items()}


def _post(summary: str, body: JsonValue, example: JsonValue, answer: JsonValue) -> JsonValue:
    content = {"application/json": {"schema": body, "example": example}}
    return {
        "post": {
            "summary": summary,
            "requestBody": {"required": True, "content": content},
            "responses": {"200": _response("The answers.", answer), **_errors()},
        }
    }


def _predict_path(model: Card, limits: Limits) -> JsonValue:
    schema = model.schema
    body = {
        "type": "object",
        "additionalProperties": False,
        "required": ["inputs"],
        "properties": {
            "inputs": {
                "type": "array",
                "minItems": 1,
                "maxItems": limits.inputs,
                "items": _with_history(_input_schema(schema), model),
            },
            EXPLAIN: {"type": "boolean", "description": "Whether answers come with reasons."},
        },
    }
    text = {"type": "string"}
    answer = {
        "type": "object",
        "required": ["model", "version", "outputs", "request_id"],
        "properties": {
            "model": text,
            "version": text,
            "outputs": {"type": "array", "items": _object(schema.answer)},
            "request_id": text,
        },
    }
    example = {"inputs": [example_input(schema)]}
    return _post(f"Ask {model.name}", body, example, answer)


def example_feedback(schema: Schema) -> dict[str, JsonValue]:
    """A true answer to try: the first value that an answer can have."""
    field = truth_fields(schema)[0]
    usual: dict[str, JsonValue] = {"number": 1.0, "boolean": True}
    truth = field.categories[0] if field.categories else usual.get(field.kind, "text")
    return {"request_id": "0123456789abcdef", "row": 0, "truth": truth}


def _feedback_path(model: Card) -> JsonValue:
    fields = truth_fields(model.schema)
    text, whole = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
    # A label may be true that the model does not know: any text, not only its categories.
    truth = [_JSON_TYPES[fields[0].kind], {**_object(fields), "required": []}]
    one = {
        "type": "object",
        "additionalProperties": False,
        "required": ["request_id", "truth"],
        "properties": {"request_id": text, "row": whole, "truth": {"anyOf": truth}},
    }
    many = {
        "type": "object",
        "additionalProperties": False,
        "required": ["feedback"],
        "properties": {"feedback": {"type": "array", "minItems": 1, "items": one}},
    }
    answer = {
        "type": "object",
        "required": ["model", "accepted"],
        "properties": {"model": {"type": "string"}, "accepted": {"type": "integer"}},
    }
    example = {"feedback": [example_feedback(model.schema)]}
    return _post(
        f"Tell {model.name} what would have been right", {"anyOf": [one, many]}, example, answer
    )


def _repository_paths(models: Sequence[Card]) -> dict[str, JsonValue]:
    """Triton's model repository extension."""
    flag, text = {"type": "boolean"}, {"type": "string"}

    def body(**properties: JsonValue) -> JsonValue:
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def parameters(**properties: JsonValue) -> JsonValue:
        return body(parameters=body(**properties))

    rows = {"type": "array", "items": {"type": "object", "properties": {"name": text}}}
    paths: dict[str, JsonValue] = {
        "/v2/repository/index": _post(
            "Every version, loaded or not", body(ready=flag), {"ready": True}, rows
        )
    }
    for model in models:
        base, done = f"/v2/repository/models/{quote(model.name)}", {"type": "object"}
        version = {"parameters": {"version": model.version}}
        paths[f"{base}/load"] = _post(
            f"Load {model.name}, or a version of it", parameters(version=text), version, done
        )
        paths[f"{base}/unload"] = _post(
            f"Unload {model.name}", parameters(version=text, unload_dependents=flag), {}, done
        )
    return paths


def _get(summary: str, media: str = "application/json") -> JsonValue:
    ok = {"description": summary, "content": {media: {}}}
    return {"get": {"summary": summary, "responses": {"200": ok}}}


def openapi(models: Sequence[Card], limits: Limits) -> dict[str, JsonValue]:
    """The OpenAPI 3.1 document of a service with these models."""
    tensors = {"$ref": "#/components/schemas/InferenceRequest"}
    answer = {"$ref": "#/components/schemas/InferenceResponse"}
    paths: dict[str, JsonValue] = {
        "/": _get("What is served here"),
        "/v2": _get("The server"),
        "/v2/models": _get("The models' names"),
        "/v2/health/live": _get("The process answers"),
        "/v2/health/ready": _get("Every model is loaded"),
        "/metrics": _get("Prometheus metrics", "text/plain"),
        "/docs": _get("This service for people", "text/html"),
        "/openapi.json": _get("This document"),
    }
    for model in models:
        name = quote(model.name)
        paths[f"/predict/{name}"] = _predict_path(model, limits)
        paths[f"/feedback/{name}"] = _feedback_path(model)
        for base in (f"/v2/models/{name}", f"/v2/models/{name}/versions/{model.version}"):
            paths[base] = _get(f"What {model.name} asks and answers")
            paths[f"{base}/ready"] = _get(f"{model.name} is ready")
            example = example_tensors(model.schema)
            paths[f"{base}/infer"] = _post(
                f"Ask {model.name} by the Open Inference Protocol", tensors, example, answer
            )
    paths |= _repository_paths(models)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Luodi", "version": __version__},
        "paths": paths,
        "components": {"schemas": _shared()},
    }


def _shared() -> dict[str, JsonValue]:
    text, items = {"type": "string"}, {"type": "array", "items": {}}
    tensor = {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": text,
            "shape": {"type": "array", "items": {"type": "integer"}},
            "datatype": {"enum": list(DATATYPES)},
            "data": items,
            "parameters": {"type": "object"},
        },
    }
    tensors = {"type": "array", "minItems": 1, "items": tensor}
    named = {"type": "object", "required": ["name"], "properties": {"name": text}}
    return {
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["message", "field"],
                    "properties": {"message": text, "field": {"type": ["string", "null"]}},
                }
            },
        },
        "InferenceRequest": {
            "type": "object",
            "additionalProperties": False,
            "required": ["inputs"],
            "properties": {
                "id": text,
                "model_name": text,
                "parameters": {"type": "object"},
                "inputs": tensors,
                "outputs": {"type": "array", "items": named},
            },
        },
        "InferenceResponse": {
            "type": "object",
            "required": ["model_name", "model_version", "outputs"],
            "properties": {
                "model_name": text,
                "model_version": text,
                "id": text,
                "outputs": tensors,
            },
        },
    }
