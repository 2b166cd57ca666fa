"""Columns that tell nothing apart."""

from __future__ import annotations

from luodi.contracts import Role, say
from luodi.data.findings.column import (
    Column,
    Noticed,
    Record,
    Sheet,
    by_column,
    columns_said,
    listed,
)

NEARLY = 0.995
_ROWS = 100


def constant(sheet: Sheet) -> list[Noticed]:
    """Empty columns and columns of one value."""
    records: list[Record] = []
    for column in sheet.columns.values():
        if column.rows < 2:
            continue
        if column.card.kind == "empty":
            records.append({"column": column.name, "holds": say("empty", "空")})
        elif column.card.distinct == 1 and not column.card.missing:
            records.append({"column": column.name, "holds": _value(column)})
    if not records:
        return []
    en, zh = listed([str(record["column"]) for record in records])
    finding = by_column(
        "constant-columns",
        "warning",
        say(
            f"{columns_said(len(records), 'hold')} one value, or none: {en}.",
            f"{len(records)} 列只有一个值或全空：{zh}。",
        ),
        records,
        count=len(records),
        remedy=say("Leave them out.", "请去掉这些列。"),
    )
    return [Noticed(finding)]


def near_constant(sheet: Sheet) -> list[Noticed]:
    """Columns where all but one row in two hundred are alike."""
    records: list[Record] = []
    for column in sheet.columns.values():
        present = column.rows - column.card.missing
        if present < _ROWS or not column.card.top or column.role is Role.LABEL:
            continue
        lone = column.card.distinct == 1 and column.card.missing
        share = column.card.top[0][1] / column.rows
        if column.card.distinct > 1 and share >= NEARLY and not lone:
            records.append(
                {"column": column.name, "holds": _value(column), "share": round(share, 4)}
            )
    if not records:
        return []
    records.sort(key=lambda record: -float(record["share"]))
    en, zh = listed([f"{record['column']} ({record['share']:.2%})" for record in records])
    finding = by_column(
        "near-constant-columns",
        "info",
        say(
            f"{columns_said(len(records), 'hold')} almost one value alone: {en}.",
            f"{len(records)} 列几乎只有一个值：{zh}。",
        ),
        records,
        count=len(records),
        remedy=say("They can hardly tell rows apart.", "这些列几乎无法区分各行。"),
    )
    return [Noticed(finding)]


def _value(column: Column) -> str:
    if column.card.top:
        return column.card.top[0][0]
    return str(column.card.minimum)
