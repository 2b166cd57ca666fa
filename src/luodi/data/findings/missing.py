"""Values that are not there, and values that only say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import Role, say
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

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from luodi.data.findings.column import Marks

MANY = 0.3
"""The share of missing values from which a column is a warning."""

# Written where a value should be. Words that may be an answer (none, unknown, 无) are left.
STAND_INS = (
    "n/a",
    "#n/a",
    "na",
    "nan",
    "null",
    "\\n",
    "<na>",
    "?",
    "??",
    "-",
    "--",
    "缺失",
    "空值",
)
_WRITTEN = sorted({way(word) for word in STAND_INS for way in (str, str.upper, str.title)})


def missing(sheet: Sheet) -> list[Noticed]:
    """Columns with missing values. Labels are left to `unlabelled`, texts to `empty`."""
    records: list[Record] = []
    marks: Marks = {}
    for column in sheet.columns.values():
        share = column.card.missing / max(column.rows, 1)
        told = column.role in (Role.LABEL, Role.TEXT) or column.card.kind == "empty"
        if not column.card.missing or told:
            continue
        records.append(
            {"column": column.name, "missing": column.card.missing, "share": round(share, 4)}
        )
        marks[column.name] = column.places(column.values.is_null())
    if not records:
        return []
    records.sort(key=lambda record: -float(record["share"]))
    worst = records[0]["share"]
    en, zh = listed([f"{record['column']} ({record['share']:.1%})" for record in records])
    finding = by_column(
        "missing-values",
        "warning" if worst >= MANY else "info",
        say(
            f"{columns_said(len(records))} with missing values: {en}.",
            f"{len(records)} 列有缺失值：{zh}。",
        ),
        records,
        count=sum(int(record["missing"]) for record in records),
        remedy=say(
            "data.clean.missing fills, flags or drops them.",
            "data.clean.missing 可填补、标记或删除缺失值。",
        ),
        details={str(record["column"]): record["share"] for record in records},
    )
    return [Noticed(finding, marks)]


def stand_ins(sheet: Sheet) -> list[Noticed]:
    """Texts such as N/A and ? that stand for nothing."""
    records: list[Record] = []
    marks: Marks = {}
    for column in sheet.of_kind("text", "category", "identifier", "date"):
        if not column.textual or column.role is Role.LABEL:
            continue
        found = _standing_in(column)
        # A column of signs ("+", "-", "?") means what it says.
        if not len(found) or len(found) > 0.9 * column.rows or _signs(column.card.top):
            continue
        shown = column.values[found[:200]].unique(maintain_order=True).head(3).to_list()
        records.append({"column": column.name, "rows": len(found), "values": shown})
        marks[column.name] = found
    if not records:
        return []
    records.sort(key=lambda record: -int(record["rows"]))
    en, zh = listed([str(record["column"]) for record in records])
    finding = by_column(
        "missing-as-text",
        "warning",
        say(
            f"{columns_said(len(records), 'write')} missing values as text: {en}.",
            f"{len(records)} 列用文字表示缺失值：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say("Leave such cells empty.", "请将这些单元格留空。"),
    )
    return [Noticed(finding, marks)]


def _standing_in(column: Column) -> NDArray[np.int64]:
    """The places of the stand-ins, in small letters, capitals or both; blanks beside them stay."""
    return column.places(column.values.is_in(_WRITTEN))


def _signs(top: list[tuple[str, int]]) -> bool:
    """Whether the commonest values are single signs."""
    return bool(top) and all(len(value) == 1 and not value.isalnum() for value, _ in top[:3])
