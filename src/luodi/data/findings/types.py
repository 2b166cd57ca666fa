"""Columns that are of two types: numbers among words, yes and no spelt in several ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import Role, say
from luodi.contracts.written import FALSE, TRUE, truth
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
from luodi.data.formats import known, spelt_truth
from luodi.data.kinds import as_numbers

if TYPE_CHECKING:
    import polars as pl

    from luodi.data.findings.column import Marks

_LEAST, _MOST = 0.5, 0.9
"""The share of numbers: above it the rest are strays, and told as such."""
_DIFFERENT = 10
"""Fewer different numbers are names: 0, 1, 2, 3+."""
_TRUTH = 0.95
_GLANCE = 2000


def part_numbers(sheet: Sheet) -> list[Noticed]:
    """Columns half or more of whose values are numbers, while the rest are words."""
    records: list[Record] = []
    marks: Marks = {}
    for column in _texts(sheet):
        if not _share(column.values.head(_GLANCE)) >= _LEAST / 2:
            continue
        words = known(column.values)
        numbers = as_numbers(column.values)
        present, found = words.count(), numbers.count()
        if not _LEAST * present <= found < _MOST * present or numbers.n_unique() <= _DIFFERENT:
            continue
        places = column.places(words.is_not_null() & numbers.is_null())
        shown = [shorten(value, 40) for value in words[places].unique(maintain_order=True).head(3)]
        records.append({"column": column.name, "rows": len(places), "values": shown,
                        "numbers": round(found / present, 4)})  # fmt: skip
        marks[column.name] = places
    if not records:
        return []
    en, zh = _shown(records)
    finding = by_column(
        "part-numbers",
        "warning",
        say(
            f"{columns_said(len(records), 'hold')} numbers and words, and so no numbers to a "
            f"learner: {en}.",
            f"{len(records)} 列混有数字与文字，因此不会按数字学习：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say(
            "Correct the words, or read them as missing (data.kinds: {COLUMN: number}).",
            "请更正这些文字，或将其按缺失处理（data.kinds: {列名: number}）。",
        ),
    )
    return [Noticed(finding, marks)]


def mixed_truth(sheet: Sheet) -> list[Noticed]:
    """Columns of yes and no that are spelt in several ways, or stand among a few other words."""
    records: list[Record] = []
    marks: Marks = {}
    for column in _texts(sheet):
        if column.card.distinct > 2 * len(TRUE | FALSE) or spelt_truth(column.values):
            continue
        values, times = column.counts
        held = {v: int(n) for v, n in zip(values, times, strict=True)}
        meant = {v: found for v in held if (found := truth(v)) is not None}
        rows = sum(held[v] for v in meant)
        if set(meant.values()) != {True, False} or rows < _TRUTH * sum(held.values()):
            continue
        odd = list(held)[2:]  # the commonest two lead
        places = column.places(column.values.is_in(odd))
        records.append({"column": column.name, "rows": len(places), "values": odd[:3]})
        marks[column.name] = places
    if not records:
        return []
    en, zh = _shown(records)
    finding = by_column(
        "mixed-yes-no",
        "warning",
        say(
            f"{columns_said(len(records), 'spell')} yes and no in several ways: {en}.",
            f"{len(records)} 列的“是/否”有多种写法：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say(
            "Spell them in one way, or set data.kinds: {COLUMN: boolean}.",
            "请统一写法，或设置 data.kinds: {列名: boolean}。",
        ),
    )
    return [Noticed(finding, marks)]


def _texts(sheet: Sheet) -> list[Column]:
    return [
        column
        for column in sheet.of_kind("text", "category")
        if column.textual and column.role not in (Role.LABEL, Role.TEXT, Role.ID)
    ]


def _share(values: pl.Series) -> float:
    return as_numbers(values).count() / max(values.count(), 1)


def _shown(records: list[Record]) -> tuple[str, str]:
    records.sort(key=lambda record: -int(record["rows"]))
    return listed([f"{r['column']} ({', '.join(map(repr, r['values']))})" for r in records])
