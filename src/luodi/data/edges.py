"""What stands around a table's rows: lines above the names, a separator behind each row."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import NamedTuple

from luodi.contracts import DataError, Finding, say
from luodi.data.header import Header, Layout, line_of

_SHOWN = 5
_GLANCE = 1 << 20
"""Bytes of a file in which its first record ends."""


class Titles(NamedTuple):
    """The lines above the one that holds the names: how many, and the bytes that they take."""

    lines: int
    end: int


def titles(raw: bytes, header: Header, first: Sequence[str], file: str) -> Titles:
    """What stands above the names, where the reader or the model knows a later line than the first.

    A model knows where they stood when it learnt: a file whose first line has all that the model
    asks for is read by that line all the same.

    Args:
        first: the values of the first line that is not blank.

    Raises:
        DataError: there is no such line, or it is blank.
    """
    line = line_of(header)
    if isinstance(header, Layout) and header.has_all(first):
        return Titles(0, 0)
    end = 0
    for above in range(line - 1):
        end = raw.find(b"\n", end) + 1
        if not end or end == len(raw):
            raise no_line(file, line, above + 1)
    if not raw[end : raw.find(b"\n", end) if b"\n" in raw[end:] else len(raw)].strip():
        raise blank_line(file, line)
    return Titles(line - 1, end)


def blank_line(file: str, line: int) -> DataError:
    """The error for a line of names that holds none."""
    return DataError(
        say(f"{file}, line {line} is blank.", f"{file} 第 {line} 行为空行。"),
        say("The columns' names were expected there.", "该行应为列名。"),
        _which(),
    )


def no_line(file: str, line: int, there: int) -> DataError:
    """The error for a file that ends before its line of names."""
    return DataError(
        say(f"{file} has {there} lines.", f"{file} 共有 {there} 行。"),
        say(f"The columns' names were expected in line {line}.", f"应在第 {line} 行找到列名。"),
        _which(),
    )


def header_remedy() -> str:
    """How to say in which line the names stand."""
    return say("data.header: N; to a command, --header-line N.",
               "data.header: N；命令行用 --header-line N。")  # fmt: skip


def _which() -> str:
    return say("Count lines as an editor does: ", "行号与编辑器中的一致：") + header_remedy()


def titles_told(
    lines: Sequence[Sequence[str]], names: Sequence[str], file: str, line: int
) -> Finding:
    """The finding that counts what stood above the names; a warning where a line of it has a value
    a column, as a row has.

    Args:
        lines: the values of each.
        line: where the names stand.
    """
    shown = [" ".join(filter(None, map(str.strip, values))) for values in lines]
    filled = [[bool(value.strip()) for value in values] for values in lines]
    columns = [True] * len(names)
    rows = sum(1 for each in filled if each == columns) if len(names) > 1 else 0
    examples = [{"line": n, "text": text[:80]} for n, text in enumerate(shown, 1) if text]
    told = "; ".join(text[:40] for text in shown if text)
    were = "lines were" if line > 2 else "line was"
    return Finding(
        "titles",
        "warning" if rows else "info",
        line - 1,
        say(f"{file}: {line - 1} {were} passed over above the columns' names in line {line}: "
            f"{told[:200]}.",
            f"{file}：跳过了第 {line} 行列名之上的 {line - 1} 行：{told[:200]}。"),
        examples[:_SHOWN],
        remedy=say(f"{rows} of them have a value a column, as rows do; look at the number {line}.",
                   f"其中 {rows} 行的值与列数相同，像是数据行；请检查行号 {line}。")
        if rows else "",
        details={"file": file, "line": line},
    )  # fmt: skip


def tail_of(body: bytes, names: Sequence[str], separator: str) -> str:
    """The name for an empty column without one, where the first row ends in a separator more than
    the names have values; else empty."""
    values = first_values(body, separator)
    ends = len(values) == len(names) + 1 and not values[-1].strip()
    return _free(names) if ends else ""


def _free(names: Sequence[str]) -> str:
    name = f"column_{len(names) + 1}"
    while name in names:
        name += "_"
    return name


def tail_told(file: str, rows: int) -> Finding:
    """The finding that every row ended in a separator, with nothing behind it."""
    return Finding(
        "trailing-separator",
        "info",
        rows,
        say(f"{file}: all {rows} rows end in a separator; the empty column behind it was left out.",
            f"{file}：全部 {rows} 行都以分隔符结尾，其后的空列未读取。"),
        details={"file": file},
    )  # fmt: skip


def first_values(raw: bytes, separator: str) -> list[str]:
    """The first record that is not blank, without a word on quotes; empty where there is none."""
    lines = (line.decode("utf-8", "replace") + "\n" for line in raw[:_GLANCE].split(b"\n"))
    try:
        for record in csv.reader(lines, delimiter=separator):
            if any(value.strip() for value in record) or len(record) > 1:
                return record
    except csv.Error:  # a cell longer than the module takes
        pass
    return []


def values_above(raw: bytes, separator: str) -> list[list[str]]:
    """The values of each line."""
    return [first_values(line, separator) for line in raw.removesuffix(b"\n").split(b"\n")]
