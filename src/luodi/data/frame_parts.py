"""Parts of a frame's tree: what a node must be, arrays of NumPy, and their cells."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from luodi.contracts import JsonValue, say
from luodi.data.inert import Made, Named, Odd, Pairs

if TYPE_CHECKING:
    import numpy as np

ARRAYS = ("_reconstruct", "_frombuffer")
UNITS: Mapping[str, tuple[Literal["ns", "us", "ms"], int]] = {
    "ns": ("ns", 1), "us": ("us", 1), "ms": ("ms", 1), "s": ("ms", 10**3),
    "m": ("ms", 60 * 10**3), "h": ("ms", 3600 * 10**3), "D": ("ms", 86_400 * 10**3),
    "W": ("ms", 7 * 86_400 * 10**3),
}  # fmt: skip
"""A unit of time: the unit it is kept in, and how many of those it has."""
_CODES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "O", "O8",
          "M8", "m8")  # fmt: skip
_EMPTY = 1 << 16
"""Columns at the most of an array without cells: nothing else of it is bounded by its bytes."""
_WHOLE = range(-(1 << 63), 1 << 64)
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?(E[+-]?[0-9]{1,3})?")


def odd(node: object, en: str, zh: str) -> Odd:
    """The error that says what was found, and where it stands if the node tells."""
    return Odd(node.at if isinstance(node, Named | Made) else 0, say(en, zh))


def made(node: object, *names: str) -> Made:
    """The node, which one of these makes."""
    if isinstance(node, Made) and node.name in names:
        return node
    found = (node.name if isinstance(node, Made | Named) else "") or type(node).__name__
    raise odd(node, f"{found} where {names[0]} is due", f"{found}，此处应为 {names[0]}")


def argument(node: Made, place: int) -> object:
    """One of what it is made from."""
    if place >= len(node.args):
        raise odd(node, f"{node.name} of too little", f"{node.name} 的参数不足")
    return node.args[place]


def pairs(node: object, value: object) -> Pairs:
    """The value, which is a dictionary of the node's."""
    if not isinstance(value, Pairs):
        raise odd(node, "no dictionary where one is due", "此处应为字典")
    return value


def members(node: object, value: object) -> Sequence[object]:
    """The value, which is a list or a tuple of the node's."""
    if not isinstance(value, list | tuple):
        raise odd(node, "no list where one is due", "此处应为列表")
    return value


def array(node: object) -> np.ndarray:
    """An array of NumPy; cells of an object array are still nodes.

    Raises:
        Odd: its shape does not fit its bytes or cells.
    """
    import numpy as np

    call = made(node, *ARRAYS)
    if call.name == "_frombuffer":
        data, kind, shape, order = (argument(call, place) for place in range(4))
    else:
        state = members(call, call.state)
        if len(state) != 5:
            raise odd(call, "an array of another kind", "另一种数组")
        _, shape, kind, fortran, data = state
        order = "F" if fortran else "C"
    sizes = [size for size in members(call, shape) if type(size) is int and size >= 0]
    if len(sizes) != len(members(call, shape)) or len(sizes) not in (1, 2):
        raise odd(call, "an array of no such shape", "数组形状不符")
    dtype, count = _dtype(kind), math.prod(sizes)
    if not count and max(sizes) > _EMPTY:
        raise odd(call, f"an empty array of {max(sizes):,} columns", f"{max(sizes):,} 列的空数组")
    if dtype.hasobject:  # cells come in the order of C, whichever is written
        cells = members(call, data)
        check_count(call, len(cells), count)
        return np.fromiter(cells, dtype=object, count=count).reshape(sizes)
    raw = byte_buffer(call, data)
    check_count(call, len(raw), count * dtype.itemsize)
    flat = np.frombuffer(raw, dtype) if count else np.empty(0, dtype)
    return flat.reshape(sizes, order="F" if order == "F" else "C")


def check_count(node: Made, found: int, due: int) -> None:
    """Refuse an array that lies about its length."""
    if found != due:
        raise odd(node, f"an array of {found:,} bytes or cells, whose shape asks for {due:,}",
                  f"数组有 {found:,} 个字节或单元，而形状要求 {due:,}")  # fmt: skip


def byte_buffer(node: Made, data: object) -> bytes:
    """Bytes, in each of the ways that protocols have of writing them."""
    if isinstance(data, bytes):
        return data
    call = made(data, "encode", "bytearray", "bytes")  # how protocol 2 writes bytes
    if not call.args:
        return b""
    first = argument(call, 0)
    if isinstance(first, bytes):
        return first
    if call.name == "bytearray":
        call = made(first, "encode")
        first = argument(call, 0)
    if not isinstance(first, str) or argument(call, 1) != "latin1":
        raise odd(node, "bytes in another code", "字节采用其他编码")
    try:
        return first.encode("latin1")
    except UnicodeEncodeError:
        raise odd(call, "bytes beyond 255", "字节超出 255") from None


def _dtype(node: object) -> np.dtype:
    """A dtype put together from parts that were looked at, not from what the file says."""
    import numpy as np

    call = made(node, "dtype")
    code, state = argument(call, 0), members(call, call.state)
    if code not in _CODES or len(state) < 2 or state[1] not in ("<", ">", "|"):
        raise odd(call, f"cells of the kind {code!r:.40}", f"单元类型 {code!r:.40}")
    if code in ("O", "O8"):
        return np.dtype(object)
    unit = ""
    if code in ("M8", "m8"):
        unit = f"[{_unit(call, state)}]"
    return np.dtype(f"{state[1]}{code}{unit}")


def _unit(call: Made, state: Sequence[object]) -> str:
    parts = members(call, state[8] if len(state) > 8 else None)
    told = members(call, parts[1] if len(parts) == 2 else None)
    unit = byte_buffer(call, told[0] if told else None).decode("latin1")
    if unit not in UNITS or told[1:3] != (1, 1):
        raise odd(call, f"times counted in {unit!r:.20}", f"时间单位 {unit!r:.20}")
    return unit


def cell(value: object) -> JsonValue:
    """What a cell of an object array holds; None for each word that pandas has for nothing.

    Raises:
        Odd: no plain value.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and value in _WHOLE:
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if isinstance(value, Named) and value.name == "NA":
        return None
    if isinstance(value, Made) and value.name in _CELLS:
        return _CELLS[value.name](value)
    name = value.name if isinstance(value, Made | Named) else type(value).__name__
    raise odd(value, f"a cell that holds {name}", f"单元中是 {name}")


def _scalar(node: Made) -> JsonValue:
    import numpy as np

    dtype, raw = _dtype(argument(node, 0)), byte_buffer(node, argument(node, 1))
    if dtype.kind not in "biuf":
        raise odd(node, f"a cell that holds {dtype}", f"单元中是 {dtype}")
    check_count(node, len(raw), dtype.itemsize)
    return cell(np.frombuffer(raw, dtype)[0].item())


def _decimal(node: Made) -> JsonValue:
    text = argument(node, 0)
    if text == "NaN":
        return None
    if not isinstance(text, str) or not _DECIMAL.fullmatch(text):
        raise odd(node, "a decimal that is none", "小数格式不符")
    return float(text)


def _date(node: Made) -> JsonValue:
    """A day, or a moment without a time zone, as the text that tables write for it."""
    raw = byte_buffer(node, argument(node, 0))
    fields = [int.from_bytes(raw[:2]), *raw[2:7], int.from_bytes(raw[7:10])]
    try:
        if node.name == "date" and len(raw) == 4:
            return datetime.date(*fields[:3]).isoformat()
        if node.name == "datetime" and len(raw) == 10 and len(node.args) == 1:
            fields[1] &= 0x7F  # above it: which of two hours when clocks are put back
            return datetime.datetime(*fields).isoformat(" ")  # noqa: DTZ001  # it has none
    except ValueError:
        pass
    raise odd(node, f"a {node.name} that is none", f"{node.name} 的内容不符")


_CELLS: Mapping[str, Callable[[Made], JsonValue]] = {
    "_nat_unpickle": lambda _: None,
    "__nat_unpickle": lambda _: None,
    "scalar": _scalar,
    "Decimal": _decimal,
    "date": _date,
    "datetime": _date,
}
