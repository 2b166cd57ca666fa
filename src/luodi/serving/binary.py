"""Tensors as raw bytes after the JSON, as Triton's clients send and ask for them by default.

https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
"""

from __future__ import annotations

import math
import reprlib
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from luodi.contracts import JsonValue, RequestError, say
from luodi.serving.protocol import rows_of

LENGTH = "Inference-Header-Content-Length"
"""The header that says how many bytes of the body are JSON."""
_NUMPY = {
    "BOOL": "?",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    **{f"INT{bits}": f"<i{bits // 8}" for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": f"<u{bits // 8}" for bits in (8, 16, 32, 64)},
}


def filled(body: JsonValue, tail: bytes, limit: int) -> JsonValue:
    """The request with its binary tensors as lists, for `protocol.read_tensors`.

    Raises:
        RequestError: when the bytes are not what the tensors say.
    """
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(inputs, list) or not isinstance(body, dict):
        return body  # what is wrong with it is told by who reads it next
    at, tensors = 0, []
    for index, tensor in enumerate(inputs):
        parameters = tensor.get("parameters") if isinstance(tensor, dict) else None
        size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
        if size is None:
            tensors.append(tensor)
            continue
        where = f"inputs[{index}]"
        if type(size) is not int or not 0 <= size <= len(tail) - at:
            raise RequestError(
                f"{where}.parameters.binary_data_size",
                say(f"found {reprlib.repr(size)}.", f"收到 {reprlib.repr(size)}。"),
                say(f"{len(tail) - at} bytes are left.", f"剩余 {len(tail) - at} 字节。"),
            )
        rows = rows_of(tensor.get("shape"), f"{where}.shape", limit)
        data = read_values(tail[at : at + size], str(tensor.get("datatype")), rows, where)
        tensors.append({**tensor, "data": data})
        at += size
    if at != len(tail):
        raise RequestError(
            "inputs",
            say(f"{len(tail) - at} bytes belong to no tensor.",
                f"有 {len(tail) - at} 字节不属于任何张量。"),
            say("Expected binary_data_size in each.", "各张量应注明 binary_data_size。"),
        )  # fmt: skip
    return {**body, "inputs": tensors}


def read_values(data: bytes, datatype: str, rows: int, where: str) -> list[JsonValue]:
    """The values of one tensor, `rows` of them, little-endian.

    Raises:
        RequestError: when they are fewer or more, or no UTF-8.
    """
    if datatype == "BYTES":
        return _texts(data, rows, where)
    if datatype not in _NUMPY:
        raise RequestError(
            f"{where}.datatype",
            say(f"found {datatype[:20]!r}.", f"收到 {datatype[:20]!r}。"),
            say(f"Expected BYTES, {', '.join(_NUMPY)}.", f"应为 BYTES、{'、'.join(_NUMPY)}。"),
        )
    import numpy as np

    kind = np.dtype(_NUMPY[datatype])
    if len(data) != rows * kind.itemsize:
        raise _short(where, len(data), rows * kind.itemsize)
    values: list[JsonValue] = np.frombuffer(data, kind).tolist()
    for index, value in enumerate(values):
        if isinstance(value, float) and not math.isfinite(value):
            raise RequestError(
                f"{where}.data[{index}]",
                say(f"found {value}.", f"收到 {value}。"),
                say("Expected a finite number.", "应为有限数。"),
            )
    return values


def _texts(data: bytes, rows: int, where: str) -> list[JsonValue]:
    texts: list[JsonValue] = []
    at = 0
    while at < len(data) and len(texts) < rows:
        if at + 4 > len(data):
            break
        (length,) = struct.unpack_from("<I", data, at)
        if at + 4 + length > len(data):
            break
        texts.append(as_text(data[at + 4 : at + 4 + length], f"{where}.data[{len(texts)}]"))
        at += 4 + length
    if at != len(data) or len(texts) != rows:
        raise _short(where, len(texts), rows)
    return texts


def as_text(data: bytes, where: str) -> str:
    """The text of one element of BYTES.

    Raises:
        RequestError: when it is not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(
            where, say("the text is not UTF-8.", "文本不是 UTF-8。"), "UTF-8"
        ) from None


def _short(where: str, found: int, expected: int) -> RequestError:
    return RequestError(
        f"{where}.data",
        say(f"holds {found}.", f"含 {found}。"),
        say(f"Expected {expected}, as its shape says.", f"按 shape 应为 {expected}。"),
    )


def wanted(body: JsonValue) -> frozenset[str] | None:
    """The outputs that are asked for in binary: None for all of them, empty for none."""
    if not isinstance(body, dict):
        return frozenset()
    parameters = body.get("parameters")
    usual = isinstance(parameters, dict) and parameters.get("binary_data_output") is True
    outputs = body.get("outputs")
    if not isinstance(outputs, list) or not outputs:
        return None if usual else frozenset()
    names = []
    for output in outputs:
        given = output.get("parameters") if isinstance(output, dict) else None
        if (given or {}).get("binary_data", usual) is True:
            names.append(str(output["name"]))
    return frozenset(names)


def reply_binary(content: Mapping[str, Any], names: frozenset[str] | None) -> Response:
    """The reply with its tensors' values after the JSON; a tensor with gaps stays in the JSON."""
    import orjson

    outputs, tail = [], []
    for tensor in content["outputs"]:
        if (names is not None and tensor["name"] not in names) or None in tensor["data"]:
            outputs.append(tensor)
            continue
        data = write_values(tensor["data"], tensor["datatype"])
        head = {name: value for name, value in tensor.items() if name != "data"}
        head["parameters"] = {**head.get("parameters", {}), "binary_data_size": len(data)}
        outputs.append(head)
        tail.append(data)
    head_bytes = orjson.dumps({**content, "outputs": outputs})
    return Response(
        head_bytes + b"".join(tail),
        media_type="application/octet-stream",
        headers={LENGTH: str(len(head_bytes))},
    )


def write_values(values: Sequence[JsonValue], datatype: str) -> bytes:
    """Values as a tensor's bytes."""
    if datatype == "BYTES":
        texts = [value.encode() if isinstance(value, str) else value for value in values]
        return b"".join(struct.pack("<I", len(text)) + text for text in texts)
    import numpy as np

    return np.asarray(values, _NUMPY[datatype]).tobytes()
