"""The Open Inference Protocol (KServe's v2, REST): tensors to requests, answers to tensors.

A model's request fields are its input tensors, one value a row: shape [n] or [n, 1]. Its answer
fields are its output tensors; a field of scores is [n, k], with the k labels in its parameters.
https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
"""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping, Sequence
from itertools import chain

from luodi.contracts import Answer, Field, FieldKind, JsonValue, RequestError, Schema, say

EXPLAIN = "explain"
"""What a request says to have its answers with their reasons."""
EXPLAINED = 64
"""Answers of one request that come with reasons: each costs as much as dozens without."""
_WHOLE = {f"{sign}INT{bits}": bits for bits in (8, 16, 32, 64) for sign in ("", "U")}
_REAL = ("FP16", "FP32", "FP64")
DATATYPES = ("BYTES", "BOOL", *_REAL, *_WHOLE)
_OF_KIND: Mapping[FieldKind, str] = {
    "text": "BYTES",
    "category": "BYTES",
    "date": "BYTES",
    "number": "FP64",
    "boolean": "BOOL",
    "scores": "FP64",
}


def describe(schema: Schema) -> dict[str, JsonValue]:
    """The tensors of a model's metadata."""
    return {
        "inputs": [
            {"name": field.name, "datatype": _OF_KIND[field.kind], "shape": [-1]}
            for field in schema.request
        ],
        "outputs": [_output_head(field, -1) for field in schema.answer],
    }


def _output_head(field: Field, rows: int) -> dict[str, JsonValue]:
    head: dict[str, JsonValue] = {"name": field.name, "datatype": _OF_KIND[field.kind]}
    if field.kind == "scores":
        head["shape"] = [rows, len(field.categories)]
        head["parameters"] = {"labels": list(field.categories)}
    else:
        head["shape"] = [rows]
    return head


def read_tensors(body: JsonValue, schema: Schema, limit: int) -> list[JsonValue]:
    """The rows that an inference request asks about, at most `limit`; `schema` checks them next.

    Raises:
        RequestError: naming the tensor that is not as the protocol has it.
    """
    if not isinstance(body, dict):
        raise _wrong("", body, "an object with inputs", "含 inputs 的对象")
    for name in body:
        # KServe's own client repeats the model's name here.
        if name not in ("id", "parameters", "inputs", "outputs", "model_name"):
            raise RequestError(
                name[:100],
                say("no such field.", "没有此字段。"),
                say(
                    "Expected: id, parameters, inputs, outputs.",
                    "应为：id、parameters、inputs、outputs。",
                ),
            )
    if "id" in body and not isinstance(body["id"], str):
        raise _wrong("id", body["id"], "a text", "文本")
    _check_parameters(body, "parameters")
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise _wrong("inputs", inputs, "a list of tensors", "张量列表")
    known = {name for field in schema.request for name in (field.name, *field.aliases)}
    columns: dict[str, list[JsonValue]] = {}
    for index, tensor in enumerate(inputs[: len(known) + 1]):
        where = f"inputs[{index}]"
        name, data = _tensor(tensor, where, limit)
        if name not in known or name in columns:
            there = ", ".join(sorted(known))
            raise RequestError(
                f"{where}.name",
                say(f"found {name[:60]!r}.", f"收到 {name[:60]!r}。"),
                say(f"Expected each of {there} once.", f"{there} 各应出现一次。"),
            )
        columns[name] = data
    counts = {name: len(data) for name, data in columns.items()}
    if len(set(counts.values())) > 1:
        raise RequestError(
            "inputs",
            say(f"the tensors differ in rows: {counts}.", f"各张量行数不同：{counts}。"),
            say("Expected as many rows in each.", "各张量行数应相同。"),
        )
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _tensor(tensor: JsonValue, where: str, limit: int) -> tuple[str, list[JsonValue]]:
    if not isinstance(tensor, dict):
        raise _wrong(where, tensor, "an object", "对象")
    name, datatype = tensor.get("name"), tensor.get("datatype")
    if not isinstance(name, str):
        raise _wrong(f"{where}.name", name, "a text", "文本")
    if datatype not in DATATYPES:
        expected = ", ".join(DATATYPES)
        raise _wrong(f"{where}.datatype", datatype, expected, expected)
    _check_parameters(tensor, f"{where}.parameters")
    rows = rows_of(tensor.get("shape"), f"{where}.shape", limit)
    data: JsonValue = tensor.get("data")
    if not isinstance(data, list):
        raise _wrong(f"{where}.data", data, "a list", "列表")
    if any(isinstance(item, list) for item in data):
        if not all(isinstance(item, list) and len(item) == 1 for item in data):
            raise _wrong(f"{where}.data", data, "rows of one value", "每行一个值")
        data = list(chain.from_iterable(data))
    if len(data) != rows:
        raise RequestError(
            f"{where}.data",
            say(f"holds {len(data)} values.", f"含 {len(data)} 个值。"),
            say(f"Expected {rows}, as its shape says.", f"按 shape 应为 {rows} 个。"),
        )
    for index, value in enumerate(data):
        if value is not None and not _fits(value, datatype):
            raise _wrong(f"{where}.data[{index}]", value, datatype, datatype)
    return name, data


def _check_parameters(holder: Mapping[str, JsonValue], where: str) -> None:
    given = holder.get("parameters")
    if given is not None and not isinstance(given, dict):
        raise _wrong(where, given, "an object", "对象")


def rows_of(shape: JsonValue, where: str, limit: int) -> int:
    """How many rows a shape tells of; RequestError when it is none that a field can have."""
    if (
        not isinstance(shape, list)
        or len(shape) not in (1, 2)
        or not all(type(size) is int for size in shape)
        or shape[0] < 1
        or shape[1:] not in ([], [1])
    ):
        raise _wrong(where, shape, "[n] or [n, 1], n at least 1", "[n] 或 [n, 1],n 至少为 1")
    if shape[0] > limit:
        raise _wrong(where, shape, f"at most {limit} rows", f"至多 {limit} 行")
    return int(shape[0])


def _fits(value: JsonValue, datatype: str) -> bool:
    kind: type | tuple[type, ...] = {"BYTES": str, "BOOL": bool}.get(datatype, int)
    if datatype in _REAL:
        kind = (int, float)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        return False
    if not isinstance(value, int) or datatype not in _WHOLE:
        return True
    bits = _WHOLE[datatype]
    low = 0 if datatype.startswith("U") else -(1 << (bits - 1))
    return low <= value < low + (1 << bits)


def wanted_outputs(body: Mapping[str, JsonValue], schema: Schema) -> list[Field]:
    """The answer's fields that the request asks for: all, when it names none.

    Raises:
        RequestError: for an output that the model does not have.
    """
    wanted = body.get("outputs")
    if wanted is None:
        return list(schema.answer)
    if not isinstance(wanted, list):
        raise _wrong("outputs", wanted, "a list", "列表")
    known = {field.name: field for field in schema.answer}
    fields = []
    for index, item in enumerate(wanted):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str) or name not in known:
            expected = ", ".join(known)
            raise _wrong(f"outputs[{index}].name", name, expected, expected)
        _check_parameters(item, f"outputs[{index}].parameters")
        fields.append(known[name])
    return fields or list(schema.answer)


def truth_fields(schema: Schema) -> list[Field]:
    """What can turn out to be true of an answer: its fields, and of scores one of their labels
    where there is nothing else.
    """
    fields = [field for field in schema.answer if field.kind != "scores"]
    return fields or [
        Field(field.name, "category", categories=field.categories) for field in schema.answer
    ]


def wants_reasons(body: JsonValue) -> bool:
    """Whether a request's parameters say `"explain": true`.

    Raises:
        RequestError: when `explain` is no truth value.
    """
    parameters = body.get("parameters") if isinstance(body, dict) else None
    wanted = parameters.get(EXPLAIN, False) if isinstance(parameters, dict) else False
    if not isinstance(wanted, bool):
        raise _wrong("parameters.explain", wanted, "true or false", "true 或 false")
    return wanted


def counted_to_explain(places: list[int]) -> list[int]:
    """The places, when they are not too many.

    Raises:
        RequestError: when they are.
    """
    if len(places) > EXPLAINED:
        raise RequestError(
            EXPLAIN,
            say(f"asks for the reasons of {len(places)} answers.",
                f"要求解释 {len(places)} 个回答。"),
            say(f"Expected at most {EXPLAINED} a request.", f"每个请求至多 {EXPLAINED} 个。"),
        )  # fmt: skip
    return places


def rows_to_explain(body: JsonValue, rows: int) -> list[int]:
    """The places of the rows whose answers are to be explained: all of them, or none.

    Raises:
        RequestError: `explain` is no truth value, or the rows are too many for it.
    """
    return counted_to_explain(list(range(rows)) if wants_reasons(body) else [])


def write_tensors(answers: Sequence[Answer], fields: Sequence[Field]) -> list[dict[str, JsonValue]]:
    """The answers as output tensors, one a field."""
    tensors = []
    for field in fields:
        head = _output_head(field, len(answers))
        values = [answer.get(field.name) for answer in answers]
        if field.kind == "scores":
            head["data"] = [
                (scores or {}).get(label) for scores in values for label in field.categories
            ]
        else:
            head["data"] = values
        tensors.append(head)
    if any("reasons" in answer for answer in answers):
        # A list of objects a row is no tensor: each travels as its own JSON.
        told = [json.dumps(answer.get("reasons", []), ensure_ascii=False) for answer in answers]
        head = {"name": "reasons", "datatype": "BYTES", "shape": [len(answers)], "data": told}
        tensors.append(head)
    return tensors


def _wrong(where: str, found: JsonValue, expected: str, expected_zh: str) -> RequestError:
    shown = reprlib.repr(found)  # bounded: what was found may be megabytes
    return RequestError(
        where,
        say(f"found {shown}.", f"收到 {shown}。"),
        say(f"Expected {expected}.", f"应为 {expected_zh}。"),
    )
