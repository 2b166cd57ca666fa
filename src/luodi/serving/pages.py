"""What the service tells about itself: an OpenAPI document and one page for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from luodi import __version__
from luodi.contracts import Field, JsonValue, Schema, say
from luodi.serving.protocol import DATATYPES, describe
from luodi.serving.settings import Limits

if TYPE_CHECKING:
    from luodi.serving.router import Served

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
    if len(schema.request) == 1:
        return {"anyOf": [_field_schema(schema.request[0]), whole]}
    return whole


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


def _predict_path(model: Served, limits: Limits) -> JsonValue:
    schema = model.bundle.schema
    body = {
        "type": "object",
        "additionalProperties": False,
        "required": ["inputs"],
        "properties": {
            "inputs": {
                "type": "array",
                "minItems": 1,
                "maxItems": limits.inputs,
                "items": _input_schema(schema),
            }
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


def _get(summary: str, media: str = "application/json") -> JsonValue:
    ok = {"description": summary, "content": {media: {}}}
    return {"get": {"summary": summary, "responses": {"200": ok}}}


def openapi(models: Sequence[Served], limits: Limits) -> dict[str, JsonValue]:
    """The OpenAPI 3.1 document of a service with these models."""
    tensors = {"$ref": "#/components/schemas/InferenceRequest"}
    answer = {"$ref": "#/components/schemas/InferenceResponse"}
    paths: dict[str, JsonValue] = {
        "/": _get("What is served here"),
        "/v2": _get("The server"),
        "/v2/health/live": _get("The process answers"),
        "/v2/health/ready": _get("Every model is loaded"),
        "/metrics": _get("Prometheus metrics", "text/plain"),
        "/docs": _get("This service for people", "text/html"),
        "/openapi.json": _get("This document"),
    }
    for model in models:
        name = quote(model.name)
        paths[f"/predict/{name}"] = _predict_path(model, limits)
        for base in (f"/v2/models/{name}", f"/v2/models/{name}/versions/{model.version}"):
            paths[base] = _get(f"What {model.name} asks and answers")
            paths[f"{base}/ready"] = _get(f"{model.name} is ready")
            example = example_tensors(model.bundle.schema)
            paths[f"{base}/infer"] = _post(
                f"Ask {model.name} by the Open Inference Protocol", tensors, example, answer
            )
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


_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;
padding:0 1rem;color:#1c2733}
h1,h2{line-height:1.2}h2{margin-top:2.2rem;border-top:1px solid #d5dde5;padding-top:1.2rem}
code,pre{font:14px/1.5 ui-monospace,Consolas,monospace;background:#f2f5f8;border-radius:4px}
code{padding:.1em .3em}pre{padding:.8rem;overflow-x:auto}pre code{padding:0}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.35rem .6rem;
border-bottom:1px solid #d5dde5;vertical-align:top}small{color:#5b6b7b}
@media(prefers-color-scheme:dark){body{background:#10161d;color:#dde5ee}
code,pre{background:#1b242e}td,th,h2{border-color:#2c3844}small{color:#92a2b3}}
"""


def docs_page(models: Sequence[Served], base: str) -> str:
    """The service for people: routes, fields and curl lines to copy. One file, no network."""
    from luodi.contracts import current_language

    parts = [_model_part(model, base) for model in models]
    title = say("A Luodi service", "Luodi 服务")
    intro = say(
        "Every answer names the version of the model that gave it. For programs:",
        "每个答案都注明给出它的模型版本。供程序使用:",
    )
    return f"""<!doctype html>
<html lang="{current_language()}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title><style>{_STYLE}</style>
<h1>{title}</h1>
<p>{intro} <a href="/openapi.json">/openapi.json</a>, <a href="/metrics">/metrics</a>,
<a href="/v2/health/ready">/v2/health/ready</a>.</p>
{"".join(parts)}
</html>
"""


def _model_part(model: Served, base: str) -> str:
    schema, name = model.bundle.schema, quote(model.name)
    asked = _curl(f"{base}/predict/{name}", {"inputs": [example_input(schema)]})
    tensors = _curl(f"{base}/v2/models/{name}/infer", example_tensors(schema))
    heads = (say("Field", "字段"), say("Kind", "类型"), say("Example or values", "示例或取值"))
    return f"""<h2>{escape(model.name)}</h2>
<p>{say("Version", "版本")} <code>{model.version}</code>
<small>{escape(model.bundle.digest)}</small></p>
<h3>{say("Ask", "提问")}</h3>
<pre><code>{escape(asked)}</code></pre>
<h3>{say("The same by the Open Inference Protocol", "按开放推理协议提问")}</h3>
<pre><code>{escape(tensors)}</code></pre>
<h3>{say("A request", "请求")}</h3>{_fields(heads, schema.request)}
<h3>{say("An answer", "答案")}</h3>{_fields(heads, schema.answer)}
"""


def _fields(heads: Sequence[str], fields: Sequence[Field]) -> str:
    rows = []
    for field in fields:
        shown = ", ".join(field.categories[:20]) + (" …" if len(field.categories) > 20 else "")
        if not shown and field.example is not None:
            shown = json.dumps(field.example, ensure_ascii=False)
        shown = shown if len(shown) <= 300 else shown[:297] + "…"
        needed = "" if field.required else say(" (may be missing)", "(可缺失)")
        cells = (f"<code>{escape(field.name)}</code>", field.kind + needed, escape(shown))
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{head}</th>" for head in heads)
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def _curl(url: str, body: JsonValue) -> str:
    text = json.dumps(body, ensure_ascii=False).replace("'", "'\\''")
    return f"curl '{url}' -H 'Content-Type: application/json' \\\n  -d '{text}'"
