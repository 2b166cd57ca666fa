"""Tensors over gRPC to and from those in JSON, so that one reader checks both."""

from __future__ import annotations

import json
from typing import Any

from luodi.contracts import JsonValue, RequestError, say
from luodi.serving import binary
from luodi.serving.protocol import rows_of

CONTENTS = {
    "BYTES": "bytes_contents",
    "BOOL": "bool_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "INT64": "int64_contents",
    "UINT64": "uint64_contents",
    **{f"INT{bits}": "int_contents" for bits in (8, 16, 32)},
    **{f"UINT{bits}": "uint_contents" for bits in (8, 16, 32)},
}
"""Where a datatype's values stand; FP16 has no place but the raw one."""


def as_json(request: Any, limit: int) -> dict[str, JsonValue]:
    """A ModelInferRequest as the JSON protocol would have it.

    Raises:
        RequestError: naming the tensor whose contents are not as the protocol has them.
    """
    raw = list(request.raw_input_contents)
    if raw and len(raw) != len(request.inputs):
        raise RequestError(
            "raw_input_contents",
            say(f"has {len(raw)} elements.", f"有 {len(raw)} 个元素。"),
            say(f"Expected {len(request.inputs)}, one a tensor.",
                f"应为 {len(request.inputs)} 个，每个张量一个。"),
        )  # fmt: skip
    inputs: list[JsonValue] = []
    for index, tensor in enumerate(request.inputs):
        shape, where = list(tensor.shape), f"inputs[{index}]"
        if raw:
            rows = rows_of(shape, f"{where}.shape", limit)
            data = binary.read_values(raw[index], tensor.datatype, rows, where)
        else:
            data = _contents(tensor, where)
        inputs.append(
            {"name": tensor.name, "datatype": tensor.datatype, "shape": shape, "data": data}
        )
    outputs = [{"name": output.name} for output in request.outputs]
    parameters = {
        name: getattr(value, value.WhichOneof("parameter_choice") or "string_param")
        for name, value in request.parameters.items()
    }
    return {"inputs": inputs, "outputs": outputs, "parameters": parameters}


def _contents(tensor: Any, where: str) -> list[JsonValue]:
    name = CONTENTS.get(tensor.datatype)
    if name is None:
        return []  # the reader says which datatypes there are, or that values are missing
    values = list(getattr(tensor.contents, name))
    if name == "bytes_contents":
        return [
            binary.as_text(value, f"{where}.data[{place}]") for place, value in enumerate(values)
        ]
    return values


def write(response: Any, tensors: list[dict[str, JsonValue]], raw: bool) -> None:
    """Put output tensors into a ModelInferResponse, as raw bytes or as typed contents.

    A gap becomes an empty text or NaN: the protocol has no other way to say it.
    """
    for tensor in tensors:
        kind = tensor["datatype"]
        gap: JsonValue = {"BYTES": "", "BOOL": False}.get(kind, float("nan"))
        values = [gap if value is None else value for value in tensor["data"]]
        output = response.outputs.add(name=tensor["name"], datatype=kind, shape=tensor["shape"])
        if labels := tensor.get("parameters", {}).get("labels"):
            output.parameters["labels"].string_param = json.dumps(labels, ensure_ascii=False)
        if raw:
            response.raw_output_contents.append(binary.write_values(values, kind))
            continue
        if kind == "BYTES":
            values = [value.encode() for value in values]
        getattr(output.contents, CONTENTS[kind]).extend(values)
