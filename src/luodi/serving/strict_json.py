"""JSON as RFC 8259 and its interoperability notes (I-JSON, RFC 7493) have it, and no more.

A reader that takes the last of two equal keys, or rounds an integer that it cannot hold, answers
a question that nobody asked. orjson already refuses NaN, 1e400, lone surrogates and bad UTF-8;
what it lets through is looked for here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import orjson

from luodi.contracts import JsonValue, RequestError, say

DEPTH = 32
"""Brackets within brackets; no request of ours needs more than four."""
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
# A run of digits that is a whole number: not a fraction, not an exponent.
_LONG_INTEGER = re.compile(rb"(?<![\d.eE+])(?<![eE]-)(-?)(\d{19,})(?![\d.eE])")


def read_json(data: bytes) -> JsonValue:
    """The value that `data` spells.

    Raises:
        RequestError: when it is not JSON, or holds equal keys, nesting deeper than `DEPTH`, or a
            whole number beyond 64 bits.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise RequestError(
            "",
            say(f"The body is not JSON: {error}.", f"请求体不是 JSON:{error}。"),
            say("Expected a JSON object in UTF-8.", "应为 UTF-8 编码的 JSON 对象。"),
        ) from None
    keys = _count_keys(value)
    structure = _STRING.sub(b"", data)
    if structure.count(b":") != keys:
        name = _repeated_key(data)
        raise RequestError(
            name,
            say("the key stands there twice.", "同一个键出现了两次。"),
            say("Expected each key once.", "每个键只应出现一次。"),
        )
    for sign, digits in _LONG_INTEGER.findall(structure):
        if len(digits) > 20 or not -(2**63) <= int(sign + digits) < 2**63:
            shown = (sign + digits[:24]).decode()
            raise RequestError(
                "",
                say(f"The number {shown} has more than 64 bits.", f"数 {shown} 超出 64 位。"),
                say(
                    "Expected whole numbers from -2^63 to 2^63-1.",
                    "整数应在 -2^63 到 2^63-1 之间。",
                ),
            )
    return value


def _count_keys(value: JsonValue) -> int:
    """How many keys the objects within `value` have; refuses what is nested too deep."""
    keys, level, depth = 0, [value], 0
    while level:
        depth += 1
        if depth > DEPTH:
            raise RequestError(
                "",
                say(
                    f"The body is nested deeper than {DEPTH}.",
                    f"请求体的嵌套深度超过 {DEPTH}。",
                ),
                say("Expected a flat request.", "应为层次较浅的请求。"),
            )
        inner: list[JsonValue] = []
        for item in level:
            if isinstance(item, dict):
                keys += len(item)
                inner.extend(child for child in item.values() if isinstance(child, dict | list))
            elif isinstance(item, list):
                inner.extend(child for child in item if isinstance(child, dict | list))
        level = inner
    return keys


def _repeated_key(data: bytes) -> str:
    """The first key that an object has twice. Slow, and only for requests that are refused."""
    found: list[str] = []

    def look(pairs: Sequence[tuple[str, JsonValue]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                found.append(name)
            seen.add(name)

    json.loads(data, object_pairs_hook=look)
    return found[0][:100] if found else ""
