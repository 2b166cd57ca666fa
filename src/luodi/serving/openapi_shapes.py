"""JSON Schemas of what is asked and answered: the parts that the OpenAPI document is made of.

They say what the service holds callers to, no more and no less: a request that does not fit is
refused, one that fits is answered. What JSON Schema cannot say (a tensor has as many values as its
shape says) is left to the answer's own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from luodi.contracts import Field, JsonValue, Schema
from luodi.contracts.written import FALSE, TRUE
from luodi.serving.protocol import DATATYPES, EXPLAIN, truth_fields
from luodi.serving.settings import Limits

if TYPE_CHECKING:
    from luodi.serving.fleet import Card

TEXT: dict[str, JsonValue] = {"type": "string"}
FLAG: dict[str, JsonValue] = {"type": "boolean"}


def _spelt(words: Iterable[str]) -> str:
    """A pattern for these words in letters of any size."""
    sized = ("".join(f"[{c}{c.upper()}]" if c.upper() != c else c for c in w) for w in words)
    return rf"^\s*({'|'.join(sorted(sized))})\s*$"


_ASKED: dict[str, dict[str, JsonValue]] = {
    "text": TEXT,
    "date": TEXT,
    "category": {"type": ["string", "number", "boolean"]},
    "number": {"type": "number"},
    "boolean": {
        "anyOf": [FLAG, {"enum": [0, 1]}, {"type": "string", "pattern": _spelt(TRUE | FALSE)}]
    },
}
_WRITTEN: dict[str, JsonValue] = {
    "decimal-comma": {"type": ["number", "string"]},
    "digits": {"type": ["string", "integer"]},
}
"""Of fields whose column was written so."""


def items(of: JsonValue, **more: JsonValue) -> dict[str, JsonValue]:
    """A list."""
    return {"type": "array", "items": of, **more}


def record(
    properties: dict[str, JsonValue], *required: str, closed: bool = False
) -> dict[str, JsonValue]:
    """An object; a closed one has no other fields."""
    found: dict[str, JsonValue] = {"type": "object", "properties": properties}
    if required:
        found["required"] = list(required)
    return {**found, "additionalProperties": False} if closed else found


def asked_field(field: Field) -> dict[str, JsonValue]:
    """What a request may hold for a field."""
    schema = dict(_WRITTEN.get(field.format, _ASKED[field.kind]))
    if not field.required:
        schema = {"anyOf": [schema, {"type": "null"}]}
    if field.example is not None:
        schema["examples"] = [field.example]
    return schema


def _answered_field(field: Field) -> dict[str, JsonValue]:
    if field.kind == "scores":
        number = {"type": "number"}
        return record(dict.fromkeys(field.categories, number), *field.categories)
    if field.kind == "category":
        return {"enum": list(field.categories)} if field.categories else TEXT
    return _ASKED[field.kind]


def _asked_fields(fields: Sequence[Field]) -> dict[str, JsonValue]:
    required = [field.name for field in fields if field.required]
    return record({field.name: asked_field(field) for field in fields}, *required)


def _explain(model: Card) -> dict[str, JsonValue]:
    """Whether answers come with reasons; not of a model that has none to give."""
    told = {"description": "Whether answers come with reasons."}
    return {**FLAG, **told} if model.explains else {"enum": [False], **told}


def _input(model: Card) -> dict[str, JsonValue]:
    schema = model.schema
    whole: dict[str, JsonValue] = {**_asked_fields(schema.request), "additionalProperties": False}
    if EXPLAIN not in whole["properties"]:
        whole["properties"][EXPLAIN] = _explain(model)
    if len(schema.request) == 1:
        return {"anyOf": [asked_field(schema.request[0]), whole]}
    return whole


def _with_history(fields: dict[str, JsonValue], model: Card) -> dict[str, JsonValue]:
    """An input is the fields, or, for a model that was taught by histories, a unit's last rows."""
    history = model.history
    if history is None:
        return fields
    made = tuple(f"{name} (" for name in history.columns)
    passed = [field for field in model.schema.request if not field.name.startswith(made)]
    row = _asked_fields(passed)
    measured = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    row["properties"] |= {history.time: {"type": ["number", "string"]}}
    row["properties"] |= dict.fromkeys(history.columns, measured)
    told = f"One unit's rows, the oldest first; the last {max(history.sizes)} count."
    rows = items(row, minItems=1, description=told)
    return {"anyOf": [fields, record({"history": rows}, "history")]}


def question(model: Card, limits: Limits) -> JsonValue:
    """What POST /predict/{name} takes."""
    most = limits.rows(model.schema)
    inputs = items(_with_history(_input(model), model), minItems=1, maxItems=most)
    return record({"inputs": inputs, EXPLAIN: _explain(model)}, "inputs", closed=True)


def answers(schema: Schema) -> JsonValue:
    """What it answers."""
    required = [field.name for field in schema.answer if field.required]
    one = record({field.name: _answered_field(field) for field in schema.answer}, *required)
    told = {"model": TEXT, "version": TEXT, "outputs": items(one), "request_id": TEXT}
    return record(told, *told)


def truths(schema: Schema, limits: Limits) -> JsonValue:
    """What POST /feedback/{name} takes: one true answer, or a list of them."""
    fields = truth_fields(schema)
    # A label may be true that the model does not know: any text, not only its categories.
    values = {field.name: _ASKED[field.kind] for field in fields}
    several = {**record(dict(values), closed=True), "minProperties": 1}
    told = {
        "request_id": {**TEXT, "minLength": 1, "maxLength": 256},
        "row": {"type": "integer", "minimum": 0, "maximum": limits.inputs - 1},
        "truth": {"anyOf": [values[fields[0].name], several]},
    }
    one = record(told, "request_id", "truth", closed=True)
    many = items(one, minItems=1, maxItems=limits.inputs)
    return {"anyOf": [one, record({"feedback": many}, "feedback", closed=True)]}


def inference(model: Card) -> JsonValue:
    """What the Open Inference Protocol asks of this model."""
    names = [name for field in model.schema.request for name in (field.name, *field.aliases)]
    optional = {"type": ["object", "null"]}
    tensor = record(
        {
            "name": {"enum": names},
            "shape": items({"type": "integer", "minimum": 1}, minItems=1, maxItems=2),
            "datatype": {"enum": list(DATATYPES)},
            "data": items({}, minItems=1),
            "parameters": optional,
        },
        "name", "shape", "datatype", "data",
    )  # fmt: skip
    known = [field.name for field in model.schema.answer]
    wanted = record({"name": {"enum": known}, "parameters": optional}, "name")
    return record(
        {
            "id": TEXT,
            "model_name": {"enum": [model.name]},
            "parameters": {**optional, "properties": {EXPLAIN: _explain(model)}},
            "inputs": items(tensor, minItems=1),
            "outputs": {"anyOf": [items(wanted), {"type": "null"}]},
        },
        "inputs", closed=True,
    )  # fmt: skip


def shared() -> dict[str, JsonValue]:
    """The document's components."""
    error = record({"message": TEXT, "field": {"type": ["string", "null"]}}, "message", "field")
    head = {
        "name": TEXT,
        "datatype": {"enum": list(DATATYPES)},
        "shape": items({"type": "integer"}),
    }
    tensor = record({**head, "data": items({}), "parameters": {"type": "object"}}, *head, "data")
    asked, said = items(record(head, *head)), {"model_name": TEXT, "model_version": TEXT}
    metadata = {"name": TEXT, "versions": items(TEXT), "platform": TEXT}
    tensors = {"inputs": asked, "outputs": asked}
    served = {"name": TEXT, "version": TEXT, "predict": TEXT}
    return {
        "Error": record({"error": error}, "error"),
        "InferenceResponse": record(
            {**said, "id": TEXT, "outputs": items(tensor, minItems=1)}, *said, "outputs"
        ),
        "Index": record(
            {"service": TEXT, "version": TEXT, "models": items(record(served, *served))},
            "service", "version", "models",
        ),
        "Server": record(
            {"name": TEXT, "version": TEXT, "extensions": items(TEXT)}, "name", "version"
        ),
        "Names": record({"models": items(TEXT)}, "models"),
        "Live": record({"live": FLAG}, "live"),
        "Ready": record({"ready": FLAG}, "ready"),
        "ModelMetadata": record({**metadata, **tensors}, *metadata, *tensors),
        "ModelReady": record({"name": TEXT, "ready": FLAG}, "name", "ready"),
        "Versions": items(
            record({"name": TEXT, "version": TEXT, "state": TEXT, "reason": TEXT},
                   "name", "version", "state", "reason")
        ),
        "Act": record({"name": TEXT, "version": TEXT, "load": FLAG, "unload": FLAG}, "name"),
        "Document": {"type": "object"},
    }  # fmt: skip
