"""Tables that pandas has pickled, read as data: nothing that such a file names is called.

`inert` makes a tree of the file, in which a class is only its name; here the few shapes that
frames have in it become columns. Whatever else a file holds is refused with its name and place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from luodi.contracts import DataError, Finding, say
from luodi.data.cells import column_of, mixed_types
from luodi.data.frame_arrays import INDICES, chosen, columns, one
from luodi.data.frame_names import is_known
from luodi.data.frame_parts import argument, array, made, members, odd, pairs
from luodi.data.inert import Cut, Made, Named, Odd, Pairs, read_tree
from luodi.data.lines import check_header
from luodi.data.unpack import FREE, RATIO, damaged
from luodi.project.machine import memory_bytes

if TYPE_CHECKING:
    import polars as pl

    from luodi.data.frame_arrays import Column


def read_frame(raw: bytes, file: str) -> tuple[pl.DataFrame, list[Finding]]:
    """The table in a pickle of a DataFrame or a Series.

    An index that only counts its rows is left out; another one is a column.

    Raises:
        DataError: the file holds something else, or more than the memory does.
    """
    import polars as pl

    try:
        tree = read_tree(raw, is_known)
        found = _frame(tree, _Room(len(raw)))
    except Cut:
        reason = EOFError(say(f"it ends at byte {len(raw):,}", f"在第 {len(raw):,} 字节处中断"))
        raise damaged(file, "pickle", reason) from None
    except Odd as error:
        raise _refused(file, error) from None
    if found:
        check_header([name for name, _ in found], file, numbers=True)
    table, findings = [], []
    for name, values in found:
        if isinstance(values, list):
            column, mixed = column_of(name, values)
            findings += [mixed_types(name, mixed, file)] if mixed else []
        else:
            column = values.alias(name)
        table.append(column)
    return pl.DataFrame(table), findings


def _refused(file: str, error: Odd) -> DataError:
    return DataError(
        say(f"{file}, byte {error.at:,}: {error.found}.",
            f"{file} 第 {error.at:,} 字节：{error.found}。"),
        say("Expected a table that pandas pickled, of numbers, texts, times and categories; a "
            "pickle is read as data, and nothing that it names is called.",
            "应为 pandas 保存的数据表，含数字、文本、时间与类别；pickle 只作为数据读取，"
            "不会调用其中的任何名称。"),
        say('If you trust the file, write the table as Parquet: frame.to_parquet("rows.parquet").',
            '若信任该文件，请另存为 Parquet：frame.to_parquet("rows.parquet")。'),
    )  # fmt: skip


class _Room:
    """What the columns may take: a value that is kept once may stand in a million cells."""

    def __init__(self, size: int) -> None:
        free, _ = memory_bytes()
        self.left = min(free or FREE, max(FREE, RATIO * size))

    def take(self, node: object, column: Column) -> None:
        """Count a column in before it is made.

        Raises:
            Odd: there is no room for it.
        """
        import polars as pl

        if isinstance(column, list):
            size = sum(len(v) if isinstance(v, str) else 8 for v in column)
        elif column.dtype == pl.String:
            size = int(column.str.len_bytes().sum())
        else:
            size = 8 * len(column)
        self.left -= size
        if self.left < 0:
            raise odd(node, "more values than the file's length or the memory allows",
                      "内容超出文件长度或内存所允许的范围")  # fmt: skip


def _frame(tree: object, room: _Room) -> list[tuple[str, Column]]:
    table = made(tree, "DataFrame", "Series")
    state = pairs(table, table.state)
    manager = made(state.get("_mgr") or state.get("_data"), "BlockManager", "SingleBlockManager")
    axes, blocks = _managed(manager)
    if len(axes) != (2 if table.name == "DataFrame" else 1):
        raise odd(manager, f"a table of {len(axes)} axes", f"{len(axes)} 个轴的表")
    found = [_placed(block, room) for block in blocks]
    if table.name == "Series":
        values = [column for block, _ in found for column in block]
        name = state.get("_name") if state.get("_name") is not None else state.get("name")
        names = [_label(manager, name) or "value"]
    else:
        values = _ordered(manager, found)
        names = _labels(axes[0], len(values))
    rows = {len(column) for column in values}
    if len(values) != len(names) or len(rows) > 1:
        raise odd(
            manager, "columns of different lengths or without names", "各列长度不同或缺少列名"
        )
    index = _index(axes[-1], rows.pop(), room) if values else []
    return [*index, *zip(names, values, strict=True)]


def _managed(manager: Made) -> tuple[Sequence[object], list[tuple[Made, object, object]]]:
    """The axes and the blocks, each with its values and places; pandas has two ways."""
    if manager.args:
        held = members(manager, argument(manager, 0))
        blocks = [made(block, "_unpickle_block") for block in held]
        axes = members(manager, argument(manager, 1))
        return axes, [(block, argument(block, 0), argument(block, 1)) for block in blocks]
    state = members(manager, manager.state)
    extra = state[3] if len(state) == 4 else None
    told = pairs(manager, extra.get("0.14.1") if isinstance(extra, Pairs) else None)
    dicts = [pairs(manager, block) for block in members(manager, told.get("blocks"))]
    blocks_ = [(manager, block.get("values"), block.get("mgr_locs")) for block in dicts]
    return members(manager, told.get("axes")), blocks_


Placed = tuple[list["Column"], Sequence[int]]
"""Columns of a block, and where each stands among the table's."""


def _placed(block: tuple[Made, object, object], room: _Room) -> Placed:
    node, values, places = block
    found = columns(values)
    for column in found:
        room.take(node, column)
    return found, _places(node, places, len(found))


def _places(node: Made, places: object, count: int) -> Sequence[int]:
    if isinstance(places, Made) and places.name == "slice":
        told = range(*_whole(places, [argument(places, place) or 0 for place in range(3)]))
        if len(told) < count:
            raise odd(node, "a block without places", "数据块缺少位置")
        return told
    held = array(places)
    if held.ndim != 1 or held.dtype.kind != "i":
        raise odd(node, "a block without places", "数据块缺少位置")
    return [int(place) for place in held]


def _whole(node: Made, values: Sequence[object]) -> list[int]:
    numbers = [value for value in values if type(value) is int and abs(value) < 1 << 62]
    if len(numbers) != 3 or not numbers[2]:
        raise odd(node, "a range that is none", "区间不成立")
    return numbers


def _ordered(node: Made, found: Sequence[Placed]) -> list[Column]:
    """The columns of all blocks in the table's order; each place is taken once."""
    count = sum(len(block) for block, _ in found)
    order: dict[int, Column] = {}
    for block, places in found:
        if len(places) == len(block):
            order.update(zip(places, block, strict=True))
    if len(order) != count or any(place not in order for place in range(count)):
        raise odd(node, "blocks whose places do not fit", "数据块的位置不符")
    return [order[place] for place in range(count)]


def _label(node: object, name: object) -> str:
    """A column's name; empty where there is none."""
    if name is None or isinstance(name, str):
        return name or ""
    if type(name) is int:
        return str(name)
    raise odd(node, "a name that is neither a text nor a number", "列名既非文本也非数字")


def _labels(node: object, count: int) -> list[str]:
    index = made(node, *INDICES)
    kind, state = _kind(index)
    if kind == "RangeIndex":
        told = _range(index, state)
        return [str(value) for value in told] if len(told) == count else []
    if kind == "MultiIndex":
        raise odd(index, "column names of several levels", "多级列名")
    import polars as pl

    names = _values(index).cast(pl.String)
    if names.null_count():
        raise odd(index, "a column without a name", "缺少列名")
    return names.to_list()


def _kind(index: Made) -> tuple[str, Pairs]:
    by = argument(index, 0)
    return by.name if isinstance(by, Named) else "", pairs(index, argument(index, 1))


def _range(index: Made, state: Pairs) -> range:
    return range(*_whole(index, [state.get(key) for key in ("start", "stop", "step")]))


def _index(node: object, rows: int, room: _Room) -> list[tuple[str, Column]]:
    """The index as columns: none where it only counts the rows."""
    index = made(node, *INDICES)
    kind, state = _kind(index)
    found: list[tuple[str, Column]] = []
    if kind == "MultiIndex":
        found = _levels(index, state)
    elif kind != "RangeIndex":
        found = [(_label(index, state.get("name")) or "index", _values(index))]
    lengths = [len(column) for _, column in found] or [len(_range(index, state))]
    if any(length != rows for length in lengths):
        raise odd(index, "an index of another length", "索引长度不符")
    for _, column in found:
        room.take(index, column)
    return [] if len(found) == 1 and _counts(found[0][1]) else found


def _levels(index: Made, state: Pairs) -> list[tuple[str, Column]]:
    parts = [members(index, state.get(key)) for key in ("names", "levels", "codes")]
    if len({len(part) for part in parts}) != 1:
        raise odd(index, "levels without names", "索引层级缺少名称")
    found: list[tuple[str, Column]] = []
    for place, (name, level, codes) in enumerate(zip(*parts, strict=True)):
        values = chosen(index, array(codes), _values(made(level, *INDICES)))
        found.append((_label(index, name) or f"level_{place}", values))
    return found


def _values(index: Made) -> pl.Series:
    _, state = _kind(index)
    return one(index, columns(state.get("data")))


def _counts(column: Column) -> bool:
    """Whether a column is 0, 1, 2 ... or 1, 2, 3 ..."""
    import polars as pl

    if isinstance(column, list) or not column.dtype.is_integer() or column.null_count():
        return False
    if column.is_empty():
        return True
    first = column[0]
    if first not in (0, 1):
        return False
    return bool((column == pl.int_range(first, first + len(column), eager=True)).all())
