"""The rows of a JSON document: a list of objects, or what APIs and data frames write instead.

[{"a": 1}, ...]                                       a list of objects
{"data": [{"a": 1}, ...], "total": 2}                 the one such list in an envelope
{"a": {"0": 1, ...}, "b": {"0": 2, ...}}              columns, as pandas writes them unasked
{"a": [1, ...], "b": [2, ...]}                        columns as lists
{"columns": ["a", "b"], "data": [[1, 2], ...]}        rows as lists
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeGuard, cast

from luodi.contracts import DataError, Finding, JsonValue, say
from luodi.data.lines import check_header

Record = dict[str, JsonValue]


class Rows(NamedTuple):
    """The rows, and the name that they stood under in an envelope; empty where there is none."""

    records: list[Record]
    under: str = ""


def rows_of(value: JsonValue, file: str) -> Rows:
    """The rows of a document.

    Raises:
        DataError: it holds none, several lists of them, or rows of another length than the names.
    """
    if isinstance(value, dict):
        return _of_object(value, file)
    if not isinstance(value, list):
        raise _other(file)
    for place, record in enumerate(value, start=1):
        if not isinstance(record, dict):
            raise DataError(
                say(f"{file}: item {place} is no object.", f"{file}：第 {place} 项不是对象。"),
                say("Expected a list of objects.", "应为对象的列表。"),
            )
    return Rows(cast("list[Record]", value))


def in_envelope(rows: Rows, file: str) -> Finding:
    """The finding that a table stood in an object, whose other values are no rows."""
    return Finding(
        "envelope", "info", len(rows.records),
        say(f"{file}: the {len(rows.records)} rows are those under {rows.under!r}.",
            f"{file}：表中的 {len(rows.records)} 行取自 {rows.under!r}。"),
        details={"file": file, "under": rows.under},
    )  # fmt: skip


def _of_object(value: Mapping[str, JsonValue], file: str) -> Rows:
    names, lines = value.get("columns"), value.get("data")
    if _texts(names) and isinstance(lines, list) and all(isinstance(each, list) for each in lines):
        check_header(names, file, numbers=True)
        return Rows(_of_lists(names, cast("list[list[JsonValue]]", lines), file))
    under = [name for name, held in value.items() if _objects(held)]
    if len(under) > 1:
        shown = ", ".join(under)
        raise DataError(
            say(f"{file} holds several lists of objects: {shown}.",
                f"{file} 含有多个对象列表：{shown}。"),
            say("Expected one table.", "应为一个表。"),
            say("Write the one that is meant to a file of its own.", "请将所需列表另存为文件。"),
        )  # fmt: skip
    if under:
        return Rows(cast("list[Record]", value[under[0]]), under[0])
    columns = list(value.values())
    if columns and all(isinstance(column, dict) for column in columns):
        return Rows(_of_columns(cast("Mapping[str, Mapping[str, JsonValue]]", value)))
    if columns and all(isinstance(column, list) for column in columns):
        lists = cast("Mapping[str, Sequence[JsonValue]]", value)
        if len({len(column) for column in lists.values()}) == 1:
            return Rows(
                [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
            )
    return Rows([dict(value)])


def _of_columns(columns: Mapping[str, Mapping[str, JsonValue]]) -> list[Record]:
    """A row a key that all columns have. An object of other objects is one row, as it stands."""
    first = next(iter(columns.values()))
    alike = bool(first) and all(
        column.keys() == first.keys()
        and not any(isinstance(held, dict | list) for held in column.values())
        for column in columns.values()
    )
    if not alike:
        return [dict(columns)]
    return [{name: column[key] for name, column in columns.items()} for key in first]


def _of_lists(names: Sequence[str], rows: Sequence[list[JsonValue]], file: str) -> list[Record]:
    for place, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise DataError(
                say(f"{file}: row {place} of data has {len(row)} values.",
                    f"{file}：data 的第 {place} 行有 {len(row)} 个值。"),
                say(f"Expected {len(names)}, as columns.", f"应与 columns 同为 {len(names)} 个。"),
            )  # fmt: skip
    return [dict(zip(names, row, strict=True)) for row in rows]


def _objects(value: JsonValue) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _texts(value: JsonValue) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


def _other(file: str) -> DataError:
    return DataError(
        say(f"{file} is not a list of objects.", f"{file} 不是对象的列表。"),
        say("Expected one JSON object a row.", "每行应为一个 JSON 对象。"),
    )
