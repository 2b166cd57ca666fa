"""Numbers that pile up at zero, and numbers with one long tail."""

from __future__ import annotations

import math
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
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 0.5
"""The share of zeros from which they are told; two values alone (0 and 1) are an answer."""
STRONG = 10.0
"""The skewness (third standardised moment) from which the mean says little of the usual value."""
_ROWS = 30
_APART = (Role.LABEL, Role.ID, Role.GROUP, Role.TIME, Role.WEIGHT)


def many_zeros(sheet: Sheet) -> list[Noticed]:
    """Columns of numbers of which half or more are zero."""
    records: list[Record] = []
    for column in _measured(sheet):
        zeros = next((n for value, n in column.card.top if float(value) == 0), 0)
        if zeros >= MANY * column.rows:
            share = round(zeros / column.rows, 4)
            records.append({"column": column.name, "rows": zeros, "share": share})
    if not records:
        return []
    records.sort(key=lambda record: -float(record["share"]))
    en, zh = listed([f"{record['column']} ({record['share']:.1%})" for record in records])
    finding = by_column(
        "many-zeros",
        "info",
        say(
            f"{columns_said(len(records))} with many zeros: {en}.",
            f"{len(records)} 列有大量零值：{zh}。",
        ),
        records,
        count=sum(int(record["rows"]) for record in records),
        remedy=say(
            "Look whether zero means nothing was measured: then leave such cells empty.",
            "请检查零是否表示未测量；若是，请将这些单元格留空。",
        ),
    )
    return [Noticed(finding)]


def strong_skew(sheet: Sheet) -> list[Noticed]:
    """Columns of numbers with a tail on one side that is far longer than the other."""
    records: list[Record] = []
    for column in _measured(sheet):
        skewness = _skewness(column) if _far(column) >= STRONG else 0.0
        if abs(skewness) >= STRONG:
            records.append({"column": column.name, "skewness": round(skewness, 2)})
    if not records:
        return []
    records.sort(key=lambda record: -abs(float(record["skewness"])))
    en, zh = listed([f"{record['column']} ({record['skewness']:.1f})" for record in records])
    finding = by_column(
        "strong-skew",
        "info",
        say(
            f"{columns_said(len(records))} with a long tail on one side (skewness): {en}.",
            f"{len(records)} 列分布严重偏斜（偏度）：{zh}。",
        ),
        records,
        count=len(records),
        remedy=say(
            "Trees do not mind; for others data.clean.outliers: clip, or model.target: log for the "
            "number that is learnt.",
            "树模型不受影响；其他模型可用 data.clean.outliers: clip，若为预测目标可用 "
            "model.target: log。",
        ),
    )
    return [Noticed(finding)]


def _measured(sheet: Sheet) -> Iterator[Column]:
    for column in sheet.of_kind("number"):
        enough = column.rows - column.card.missing >= _ROWS and column.card.distinct > 2
        if enough and column.role not in _APART:
            yield column


def _far(column: Column) -> float:
    """At the most so many standard deviations the farthest value lies off the mean; no skewness is
    larger. Told from the card: a twentieth of the rows lies beyond either of its outer quantiles.
    """
    card = column.card
    mean, least, most = card.mean, card.minimum, card.maximum
    if mean is None or not isinstance(least, float) or not isinstance(most, float):
        return math.inf
    below = max(mean - card.quantiles["0.05"], 0.0)
    above = max(card.quantiles["0.95"] - mean, 0.0)
    spread = math.sqrt(0.05) * math.hypot(below, above)
    return max(mean - least, most - mean) / spread if spread > 0 else math.inf


def _skewness(column: Column) -> float:
    import numpy as np

    numbers = column.floats[np.isfinite(column.floats)]
    width = max(abs(float(numbers.min())), abs(float(numbers.max()))) if len(numbers) else 0.0
    if not width:
        return 0.0
    moved = numbers / width  # the largest floats have no cube
    moved -= moved.mean()
    spread = float(np.sqrt(moved @ moved / len(moved)))
    return float((moved * moved) @ moved / len(moved) / spread**3) if spread > 0 else 0.0
