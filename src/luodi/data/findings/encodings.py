"""Texts that were read in the wrong encoding once, and signs that no page shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from luodi.contracts import say
from luodi.data.examples import shorten
from luodi.data.findings.column import (
    Column,
    Noticed,
    Record,
    Sheet,
    by_column,
    columns_said,
    listed,
    rows_of,
)
from luodi.data.mojibake import SUSPECT, repaired

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from luodi.data.findings.column import Marks

# Signs that take no room: a soft hyphen, zero-width spaces, byte-order marks, directions; controls.
_INVISIBLE = "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x{80}-\x{9f}]"
_SHOWN = 3
_SEEN = re.compile("[\x00-\x1f\x7f-\x9f]")
"""What a terminal would obey instead of showing."""


def mojibake(sheet: Sheet) -> list[Noticed]:
    """UTF-8 read as another encoding, or the other way round; replacement characters.

    A text counts when reading it back gives a text that makes sense (`mojibake.repaired`), or
    when characters were lost for good (U+FFFD, 锟斤拷).
    """
    import numpy as np

    records: list[Record] = []
    marks: Marks = {}
    for column in sheet.columns.values():
        if not column.textual or column.card.kind == "empty":
            continue
        if column.ascii:
            continue
        suspects = _matching(column, SUSPECT)
        if not len(suspects):
            continue
        found: list[int] = []
        shown: list[str] = []
        for place, text in zip(suspects.tolist(), column.values[suspects].to_list(), strict=True):
            mended = repaired(text)
            lost = "\ufffd" in text or "锟斤拷" in text
            if mended == text and not lost:
                continue
            found.append(place)
            if len(shown) < _SHOWN:
                better = "" if mended == text else f" → {shorten(mended, 40)}"
                shown.append(_SEEN.sub("·", shorten(text, 40)) + better)
        if found:
            records.append({"column": column.name, "rows": len(found), "values": shown})
            marks[column.name] = np.array(found, np.int64)
    if not records:
        return []
    records.sort(key=lambda record: -int(record["rows"]))
    en, zh = listed([f"{record['column']} ({record['values'][0]})" for record in records], 2)
    finding = by_column(
        "mojibake",
        "warning",
        say(
            f"{columns_said(len(records))} with texts read in a wrong encoding: {en}.",
            f"{len(records)} 列含有因编码错误产生的乱码：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say(
            "data.clean.normalise: [encoding] reads back what can be; better export anew as UTF-8.",
            "data.clean.normalise: [encoding] 可还原部分内容；最好以 UTF-8 重新导出。",
        ),
    )
    return [Noticed(finding, marks)]


def hidden_signs(sheet: Sheet) -> list[Noticed]:
    """Control characters, and signs without a width that make equal values differ."""
    records: list[Record] = []
    marks: Marks = {}
    for column in sheet.columns.values():
        if not column.textual or column.card.kind == "empty":
            continue
        found = _matching(column, _CONTROL if column.ascii else f"{_INVISIBLE}|{_CONTROL}")
        if not len(found):
            continue
        shown = [ascii(shorten(text, 40)) for text in column.values[found[:_SHOWN]].to_list()]
        records.append({"column": column.name, "rows": len(found), "values": shown})
        marks[column.name] = found
    if not records:
        return []
    records.sort(key=lambda record: -int(record["rows"]))
    en, zh = listed([str(record["column"]) for record in records])
    finding = by_column(
        "hidden-characters",
        "info",
        say(
            f"{columns_said(len(records))} with control or hidden characters: {en}.",
            f"{len(records)} 列含有控制字符或不可见字符：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say(
            "data.clean.normalise: [unicode] takes them out.",
            "data.clean.normalise: [unicode] 可将其去除。",
        ),
    )
    return [Noticed(finding, marks)]


def _matching(column: Column, pattern: str) -> NDArray[np.int64]:
    """The places of the texts that match; of few different ones each is looked at once."""
    import numpy as np

    if not column.few:
        return column.places(column.values.str.contains(pattern))
    odd = column.different.filter(column.different.str.contains(pattern))
    return column.places(column.values.is_in(odd)) if len(odd) else np.zeros(0, np.int64)
