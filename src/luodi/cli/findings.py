"""Findings on a terminal: what matters first, with an example; remarks when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from luodi.contracts import Finding, JsonValue, say

if TYPE_CHECKING:
    from rich.console import Console

_MARKS = {"info": "·", "warning": "!", "error": "✗"}
_RANK = {"error": 0, "warning": 1, "info": 2}
_SAID = ("encoding",)
"""Told without being asked: how the rows were read is no mere remark."""
_SHOWN = 2
"""Lines of examples below a finding."""
_PLAIN = ("label", "labels", "column", "text")
"""Keys of an example whose values need no name before them."""


def show_findings(
    screen: Console, findings: Sequence[Finding], remarks: bool = False, where: str = ""
) -> None:
    """Errors, then warnings, each with an example or two; remarks too when asked for, else their
    number.

    Args:
        remarks: whether findings that are no warning are shown.
        where: how a reader sees them, for the line that counts them.
    """
    from rich.markup import escape
    from rich.text import Text

    quiet = 0
    for finding in sorted(findings, key=lambda finding: _RANK[finding.severity]):
        if finding.severity == "info" and not remarks and finding.code not in _SAID:
            quiet += 1
            continue
        words = f"{escape(finding.message)} {escape(finding.handled)}".rstrip()
        screen.print(f"{_MARKS[finding.severity]} {words}")
        for line in [] if finding.severity == "info" else _examples(finding):
            shown = Text(f"    {line}", "dim")
            shown.truncate(screen.width, overflow="ellipsis")
            screen.print(shown)
    if quiet:
        seen = f": {where}" if where else ""
        screen.print(
            say(
                f"· {quiet} remark{'s' if quiet > 1 else ''} more{seen}",
                f"· 另有 {quiet} 条提示{seen.replace(': ', '：')}",
            )
        )


def _examples(finding: Finding) -> list[str]:
    """A line a row, of the first few; a record of several rows gives a line to each."""
    rows = (row for record in finding.examples for row in _rows(record))
    return [line for row in islice(rows, _SHOWN) if (line := _line(row))]


def _rows(record: Mapping[str, JsonValue]) -> Iterator[Mapping[str, JsonValue]]:
    lists = {key: value for key, value in record.items() if isinstance(value, list | tuple)}
    lengths = {len(value) for value in lists.values()}
    if "row" not in lists or len(lengths) != 1:
        yield record
        return
    for place in range(lengths.pop()):
        yield {key: value[place] if key in lists else value for key, value in record.items()}


def _line(record: Mapping[str, JsonValue]) -> str:
    """Its values, named where they do not speak for themselves; the long text last."""
    from luodi.evaluation.page.wording import key_name

    last = [key for key in record if key == "text"]
    keys = [key for key in record if key not in last] + last
    said = [
        _value(record[key]) if key in _PLAIN else f"{key_name(key)} {_value(record[key])}"
        for key in keys
        if record[key] not in (None, "")
    ]
    # What would move a terminal's cursor or change its colours is no part of a text.
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in " · ".join(said))


def _value(value: JsonValue) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return " ".join(str(value).split())
