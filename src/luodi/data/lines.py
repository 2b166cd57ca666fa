"""What holds for the lines of any text file, whatever its format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from luodi.contracts import DataError, Finding, say

_SHOWN = 5


def check_no_nul(raw: bytes, file: str, before: int = 0) -> None:
    """Refuse binary content; `before` lines of the file lie before `raw`.

    Raises:
        DataError: naming the line of the first NUL byte.
    """
    if (place := raw.find(b"\0")) >= 0:
        line = before + raw.count(b"\n", 0, place) + 1
        raise DataError(
            say(f"{file}, line {line}: a NUL byte.", f"{file} 第 {line} 行：含有 NUL 字节。"),
            say("Expected text.", "应为文本。"),
            say(
                "The file is binary or damaged; export it again.",
                "文件为二进制或已损坏，请重新导出。",
            ),
        )


def empty_file(file: str) -> DataError:
    """The error for a file without content."""
    return DataError(
        say(f"{file} is empty.", f"{file} 是空文件。"),
        say("Expected rows.", "应含有数据行。"),
    )


def blank_lines(file: str, count: int) -> Finding:
    """The finding that says how many blank lines were passed over."""
    return Finding(
        "blank-lines",
        "info",
        count,
        say(f"{file}: {count} blank lines were skipped.", f"{file}：跳过了 {count} 个空行。"),
        details={"file": file},
    )


def check_header(
    names: Sequence[str | None], file: str, *, numbers: bool = False, line: int = 1
) -> list[str]:
    """The column names, trimmed; `numbers` alone are names where the reader says so.

    Args:
        line: where they stand.

    Raises:
        DataError: a name that is empty or repeated, or a first line that holds numbers alone.
    """
    trimmed = [(name or "").strip() for name in names]
    remedy = say(
        "Give the line one name a column, each once. Where a title stands above the names, say in "
        "which line they are: data.header: N; to a command, --header-line N. Where the line holds "
        "a row, say data.header: false, or data.header: [names]; to a command, --no-header.",
        "请在该行为每一列写一个不重复的名称。列名上方若有标题，请写明列名所在的行：data.header: N，"
        "命令行用 --header-line N；若该行是数据，请写 data.header: false 或 data.header: [列名]，"
        "命令行用 --no-header。",
    )
    if not numbers and all(_is_number(name) for name in trimmed):
        shown = ", ".join(trimmed[:_SHOWN])
        raise DataError(
            say(
                f"{file}, line {line}: {shown}: numbers, where column names should be.",
                f"{file} 第 {line} 行：{shown}，应为列名却是数字。",
            ),
            say("The file seems to have no header.", "文件似乎没有表头。"),
            remedy,
        )
    for place, name in enumerate(trimmed, start=1):
        if not name:
            raise DataError(
                say(
                    f"{file}, line {line}: column {place} has no name.",
                    f"{file} 第 {line} 行：第 {place} 列没有名称。",
                ),
                remedy=remedy,
            )
    if repeated := [name for name, times in Counter(trimmed).items() if times > 1][:_SHOWN]:
        raise DataError(
            say(
                f"{file}, line {line}: repeated column names: {', '.join(repeated)}.",
                f"{file} 第 {line} 行：列名重复：{'、'.join(repeated)}。",
            ),
            remedy=remedy,
        )
    return trimmed


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
