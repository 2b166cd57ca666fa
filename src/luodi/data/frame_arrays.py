"""The arrays in a frame's tree, of NumPy and of the kinds that pandas adds, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import JsonValue
from luodi.data.cells import column_of
from luodi.data.frame_parts import (
    ARRAYS,
    UNITS,
    argument,
    array,
    byte_buffer,
    cell,
    check_count,
    made,
    members,
    odd,
    pairs,
)
from luodi.data.inert import Made, Named, Pairs

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    Column = pl.Series | list[JsonValue]
    """A column, or cells whose type is not settled."""

INDICES = ("_new_Index", "_new_DatetimeIndex")
_NOTHING = -(1 << 63)
_MASKED = ("IntegerArray", "FloatingArray", "BooleanArray")
_BACKED = ("DatetimeArray", "TimedeltaArray", "StringArray",
           "StringArrayNumpySemantics", "PandasArray", "NumpyExtensionArray")  # fmt: skip
_OFFSETS = {"string": "<i4", "large_string": "<i8"}
"""Arrow's texts: how the places where each begins are written."""


def columns(node: object) -> list[Column]:
    """The columns that an array holds: one, or one a row where it has two sides.

    Raises:
        Odd: an array of a kind that is not read.
    """
    if isinstance(node, Made) and _maker(node) == "Categorical":
        return [_categorical(node)]
    return _plain(node)


def _plain(node: object) -> list[Column]:
    """As `columns`, but for categories: a category's own values have none, so nothing recurs."""
    if not isinstance(node, Made):
        raise odd(node, "no array where one is due", "此处应为数组")
    maker = _maker(node)
    if maker in _BACKED:
        return _backed(node)
    if maker in _MASKED:
        return [_masked(node)]
    if maker.startswith("ArrowStringArray"):
        return [_arrow_texts(node)]
    return _split(node, array(node))


def one(node: object, found: list[Column]) -> pl.Series:
    """The one column that must be here, its cells in one type."""
    if len(found) != 1:
        raise odd(node, f"{len(found)} columns where one is due", f"{len(found)} 列，应为一列")
    return column_of("", found[0])[0] if isinstance(found[0], list) else found[0]


def _maker(node: Made) -> str:
    """The class of an array, which a helper of pandas may take as its argument."""
    if node.name != "__pyx_unpickle_NDArrayBacked":
        return node.name
    first = argument(node, 0)
    return first.name if isinstance(first, Named) else ""


def _parts(node: Made) -> tuple[object, object]:
    """The array and the dtype of one of `_BACKED`, in each order that pandas has had."""
    state = node.state
    if isinstance(state, Pairs):
        held = [state.get(name) for name in ("_ndarray", "_codes", "_data")]
        return next((value for value in held if value is not None), None), state.get("_dtype")
    values = kind = None
    for item in members(node, state):
        if isinstance(item, Made) and item.name in ARRAYS:
            values = item
        elif isinstance(item, Made):
            kind = item
    return values, kind


def _backed(node: Made) -> list[Column]:
    values, kind = _parts(node)
    found = _split(node, array(values))
    if not isinstance(kind, Made) or kind.name != "DatetimeTZDtype":
        return found
    zone = _zone(kind)
    return [_in_zone(kind, column, zone) for column in found]


def _split(node: Made, values: np.ndarray) -> list[Column]:
    return [_column(node, row) for row in (values if values.ndim == 2 else [values])]


def _column(node: Made, values: np.ndarray) -> Column:
    import numpy as np
    import polars as pl

    kind = values.dtype.kind
    if kind in "Mm":
        return _times(node, values)
    if kind == "O":
        return [value if type(value) is str else cell(value) for value in values]
    width = "f4" if values.dtype.str.endswith("f2") else values.dtype.str[1:]
    column = pl.Series("", np.ascontiguousarray(values, dtype=width))
    return column.fill_nan(None) if kind == "f" else column


def _times(node: Made, values: np.ndarray) -> pl.Series:
    import numpy as np
    import polars as pl

    unit, factor = UNITS[np.datetime_data(values.dtype)[0]]
    counts = np.ascontiguousarray(values).view(values.dtype.str[0] + "i8").astype("i8")
    known = counts != _NOTHING
    if factor > 1 and (np.abs(counts[known]) > (1 << 62) // factor).any():
        raise odd(node, "a time beyond all calendars", "时间超出历法范围")
    column = pl.Series("", counts * np.where(known, factor, 1))
    kind = pl.Datetime(unit) if values.dtype.kind == "M" else pl.Duration(unit)
    return column.set(pl.Series(~known), None).cast(kind)


def _zone(kind: Made) -> str:
    """The name of a time zone, in the ways that the libraries for them have of saying it."""
    state = kind.state
    node = state.get("tz") if isinstance(state, Pairs) else argument(kind, 1)
    if isinstance(node, Made):
        if node.name in ("_UTC", "timezone"):  # an offset says how a moment was written, not which
            return "UTC"
        place = node.args[0] if node.args else None
        zoned = isinstance(node.by, Made) and node.by.name == "getattr"
        if isinstance(place, str) and (node.name == "_p" or zoned):
            return place
    raise odd(node, "a time zone of another kind", "另一种时区")


def _in_zone(node: Made, column: Column, zone: str) -> pl.Series:
    import polars as pl

    if not isinstance(column, list) and isinstance(column.dtype, pl.Datetime):
        try:
            return column.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        except pl.exceptions.PolarsError:
            pass
    raise odd(node, f"the time zone {zone!r:.60}", f"时区 {zone!r:.60}")


def _categorical(node: Made) -> pl.Series:
    values, kind = _parts(node)
    codes = array(values)
    told = made(kind, "CategoricalDtype")
    held = told.state.get("categories") if isinstance(told.state, Pairs) else argument(told, 0)
    names = one(told, _plain(pairs(told, argument(made(held, *INDICES), 1)).get("data")))
    return chosen(node, codes, names)


def chosen(node: Made, codes: np.ndarray, values: pl.Series) -> pl.Series:
    """The value that each code stands for; -1 stands for none.

    Raises:
        Odd: a code without a value.
    """
    import numpy as np
    import polars as pl

    if codes.ndim != 1 or codes.dtype.kind != "i":
        raise odd(node, "codes of another kind", "编码类型不符")
    if len(codes) and not (codes.min() >= -1 and codes.max() < len(values)):
        raise odd(node, "a code without a category", "编码没有对应的类别")
    if not len(values):
        return pl.Series("", [None] * len(codes), dtype=values.dtype)
    return values.gather(pl.Series("", codes.astype(np.int64)).set(pl.Series(codes < 0), None))


def _masked(node: Made) -> pl.Series:
    import polars as pl

    state = pairs(node, node.state)
    values, mask = array(state.get("_data")), array(state.get("_mask"))
    if values.ndim != 1 or mask.dtype.kind != "b" or mask.shape != values.shape:
        raise odd(node, "a mask of another shape", "掩码形状不符")
    return one(node, [_column(node, values)]).set(pl.Series(mask), None)


def _arrow_texts(node: Made) -> pl.Series:
    """Texts that pandas keeps as Arrow does: one buffer of letters, and where each begins."""
    import polars as pl

    state = pairs(node, node.state)
    held = made(state.get("_pa_array") or state.get("_data"), "chunked_array", "_restore_array")
    chunks = [held]
    if held.name == "chunked_array":
        chunks = [made(item, "_restore_array") for item in members(held, argument(held, 0))]
    texts = [text for chunk in chunks for text in _chunk(chunk)]
    return pl.Series("", texts, dtype=pl.String)


def _chunk(node: Made) -> list[str | None]:
    import numpy as np

    state = members(node, argument(node, 0))
    kind = made(state[0] if len(state) == 7 else None, "type_for_alias")
    count, start, buffers = state[1], state[3], members(node, state[4])
    letters = _OFFSETS.get(str(argument(kind, 0)))
    if letters is None or type(count) is not int or type(start) is not int or len(buffers) != 3:
        raise odd(kind, f"Arrow's {argument(kind, 0)!r:.40}", f"Arrow 的 {argument(kind, 0)!r:.40}")
    known, ends, content = (
        b"" if buffer is None else byte_buffer(node, argument(made(buffer, "py_buffer"), 0))
        for buffer in buffers
    )
    step = int(letters[-1])
    if min(count, start) < 0 or (count and len(ends) < (start + count + 1) * step):
        raise odd(node, f"{count:,} texts that are not all there", f"{count:,} 个文本不完整")
    places = np.frombuffer(ends, letters, count + 1, start * step) if count else np.zeros(1, int)
    if places[0] < 0 or places[-1] > len(content) or (np.diff(places) < 0).any():
        raise odd(node, "texts that overlap", "文本相互重叠")
    there = np.ones(count, bool)
    if known:
        bits = np.unpackbits(np.frombuffer(known, "u1"), bitorder="little")[start : start + count]
        check_count(node, len(bits), count)
        there = bits.astype(bool)
    try:
        return [content[a:b].decode() if here else None
                for a, b, here in zip(places, places[1:], there, strict=False)]  # fmt: skip
    except UnicodeDecodeError:
        raise odd(node, "a text that is no UTF-8", "文本不是 UTF-8") from None
