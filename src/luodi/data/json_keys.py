"""Names that stand twice in one JSON object: readers keep the last value and say nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

from luodi.contracts import Finding, JsonValue, say

_NAME = re.compile(rb'"\s*:')
_SHOWN = 5


class Repeated(NamedTuple):
    """A row of which an object has names twice; `place` is a line, or an item of a list."""

    place: int
    names: list[str]


def repeated_names(raw: bytes, value: JsonValue) -> list[str]:
    """The names that an object in `raw` has twice; `value` is what was read from it."""
    # Rows without are told from those with by counting: reading again, exactly, takes ten times
    # as long. A text with `":` in it is read again in vain.
    if len(_NAME.findall(raw)) == _names(value):
        return []
    found: dict[str, None] = {}

    def paired(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                found[name] = None
            seen.add(name)

    json.loads(raw, object_pairs_hook=paired)
    return list(found)


def _names(value: JsonValue) -> int:
    if isinstance(value, dict):
        inner = sum(_names(item) for item in value.values() if isinstance(item, dict | list))
        return len(value) + inner
    return sum(map(_names, value)) if isinstance(value, list) else 0


def names_repeated(file: str, rows: Sequence[Repeated]) -> Finding:
    """The finding about such rows."""
    shown = [f"{row.place} ({', '.join(row.names[:_SHOWN])})" for row in rows[:_SHOWN]]
    more = ", ..." if len(rows) > _SHOWN else ""
    return Finding(
        "repeated-names",
        "warning",
        len(rows),
        say(f"{file}: {len(rows)} rows have a name twice; the last value was kept: "
            f"{', '.join(shown)}{more}.",
            f"{file}：{len(rows)} 行中有重复的键，已保留最后一个值：{'、'.join(shown)}{more}。"),
        [{"row": row.place, "names": row.names[:_SHOWN]} for row in rows[:_SHOWN]],
        remedy=say("Export the file with each name once.", "请重新导出，使每个键只出现一次。"),
        details={"file": file},
    )  # fmt: skip
