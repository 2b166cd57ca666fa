"""Columns that name rows instead of describing them."""

from __future__ import annotations

from luodi.contracts import Role, say
from luodi.data.findings.column import (
    Noticed,
    Record,
    Sheet,
    by_column,
    columns_said,
    listed,
)


def identifiers(sheet: Sheet) -> list[Noticed]:
    """Codes or running numbers, each once: a model can only learn them by heart.

    Harmless where the project says what the column is for (id, group, time); a warning where it
    is a feature.
    """
    records: list[Record] = []
    learnt = False
    for column in sheet.of_kind("identifier"):
        if column.role not in (None, Role.FEATURE):
            continue
        learnt |= column.role is Role.FEATURE
        example = next(iter(column.values.drop_nulls().head(1).to_list()), "")
        records.append(
            {"column": column.name, "distinct": column.card.distinct, "example": str(example)}
        )
    if not records:
        return []
    en, zh = listed([str(record["column"]) for record in records])
    finding = by_column(
        "identifier-columns",
        "warning" if learnt else "info",
        say(
            f"{columns_said(len(records), 'look')} like identifiers: {en}.",
            f"{len(records)} 列像是标识符：{zh}。",
        ),
        records,
        count=len(records),
        remedy=say(
            "Name them under data.columns.id, so that nothing is learnt from them.",
            "请在 data.columns.id 中指明，以免模型学习它们。",
        ),
    )
    return [Noticed(finding)]
