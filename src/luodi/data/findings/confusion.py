"""Values of another type than the column's: numbers and dates as text, strays, spellings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import Role, say
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
from luodi.data.formats import format_of

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from luodi.data.findings.column import Marks

# What a number may be dressed in: signs of currencies, thousands, per cent, units, full width.
_DRESSED = (
    r"^\s*[-+−－]?\s*[¥￥$€£]?\s*[-+]?[0-9０-９]{1,3}([,，'\s]?[0-9０-９]{3})*([.．][0-9０-９]+)?\s*"
    r"(%|％|元|万|万元|kg|g|km|m|cm|mm|GB|MB|USD|CNY|RMB|€|\$)?\s*$"
)
_PLAIN = r"^\s*[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{1,3})?\s*$"
# Codes are written with digits and are no numbers: a leading zero, or more digits than count.
_CODE = r"^\s*(0[0-9]+|[0-9]{15,})\s*$"
_DATES = {
    "2024-05-31": r"^\s*\d{4}-\d{1,2}-\d{1,2}([T ].*)?$",
    "2024/5/31": r"^\s*\d{4}/\d{1,2}/\d{1,2}([T ].*)?$",
    "2024.5.31": r"^\s*\d{4}\.\d{1,2}\.\d{1,2}([T ].*)?$",
    "2024年5月31日": r"^\s*\d{4}年\d{1,2}月\d{1,2}日?.*$",
    "31/05/2024": r"^\s*\d{1,2}[/.-]\d{1,2}[/.-]\d{4}([T ].*)?$",
    "31 May 2024": r"(?i)^\s*(\d{1,2}\s+)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"[a-z]*\.?\s+(\d{1,2},?\s+)?\d{4}.*$",
}
_MOST = 0.9
_SPELT = 1000
"""Different values up to which spellings are compared: categories, not texts."""


def numbers_as_text(sheet: Sheet) -> list[Noticed]:
    """Columns of numbers that text keeps from being numbers: `1,200`, `¥12.50`, `85%`, strays."""
    dressed: list[Record] = []
    strays: list[Record] = []
    marks: Marks = {}
    for column in _texts(sheet):
        values = column.values
        present = column.rows - column.card.missing
        if _share(values.head(2000), _DRESSED) + _share(values.head(2000), _PLAIN) < _MOST / 2:
            continue  # far from numbers
        if _share(values, _CODE) > 0.02:
            continue
        plain = values.str.contains(_PLAIN).fill_null(False)
        fits = plain | values.str.contains(_DRESSED).fill_null(False)
        share = int(fits.sum()) / max(present, 1)
        if share < _MOST or present < 10:
            continue
        others = column.places(~fits & values.is_not_null())
        record: Record = {"column": column.name, "numbers": round(share, 4)}
        if len(others):
            strays.append(record | {"rows": len(others), "values": _some(values, others)})
            marks[column.name] = others
        else:
            odd = column.places(~plain & values.is_not_null())
            dressed.append(record | {"rows": present, "values": _some(values, odd)})
    return [*_dressed(dressed), *_strays(strays, marks)]


def _texts(sheet: Sheet) -> list[Column]:
    return [
        column
        for column in sheet.of_kind("text", "category", "identifier")
        if column.textual and column.role not in (Role.LABEL, Role.TEXT, Role.ID)
    ]


def _share(values: pl.Series, pattern: str) -> float:
    present = values.drop_nulls()
    share = present.str.contains(pattern).mean() if len(present) else 0.0
    return float(share) if isinstance(share, float) else 0.0


def _some(values: pl.Series, places: NDArray[np.int64]) -> list[str]:
    found = values[places[:500]].unique(maintain_order=True).head(3).to_list()
    return [shorten(value, 40) for value in found]


def _dressed(records: list[Record]) -> list[Noticed]:
    if not records:
        return []
    en, zh = listed([str(record["column"]) for record in records])
    finding = by_column(
        "numbers-as-text",
        "warning",
        say(
            f"{columns_said(len(records), 'hold')} numbers written as text: {en}.",
            f"{len(records)} 列的数字以文本形式书写：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say(
            "Export them as plain numbers: 1200, 12.5, 0.85.",
            "请导出为普通数字：1200、12.5、0.85。",
        ),
    )
    return [Noticed(finding)]


def _strays(records: list[Record], marks: Marks) -> list[Noticed]:
    if not records:
        return []
    records.sort(key=lambda record: -int(record["rows"]))
    shown = [f"{record['column']} ({', '.join(record['values'][:2])})" for record in records]
    en, zh = listed(shown)
    finding = by_column(
        "mixed-types",
        "warning",
        say(
            f"{columns_said(len(records))} of numbers with strays that make them text: {en}.",
            f"{len(records)} 列数字中混有其他内容，整列成为文本：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say("Correct these cells, or leave them empty.", "请更正这些单元格，或将其留空。"),
    )
    return [Noticed(finding, marks)]


def dates_as_text(sheet: Sheet) -> list[Noticed]:
    """Columns of dates in several forms, in a form that can be read two ways, or with strays."""
    records: list[Record] = []
    marks: Marks = {}
    for column in sheet.of_kind("date", "text", "category", "identifier"):
        if not column.textual or column.role in (Role.LABEL, Role.TEXT):
            continue
        if (
            sum(_share(column.values.head(1000), pattern) for pattern in _DATES.values())
            < _MOST / 2
        ):
            continue
        counts = {
            form: int(column.values.str.contains(pattern).fill_null(False).sum())
            for form, pattern in _DATES.items()
        }
        present = column.rows - column.card.missing
        forms = {form: count for form, count in counts.items() if count}
        if sum(forms.values()) < _MOST * present:
            continue
        commonest = max(forms, key=lambda form: forms[form])
        off = column.places(~column.values.str.contains(_DATES[commonest]).fill_null(True))
        clear = commonest != "31/05/2024" or format_of(column.values, "date")
        if not len(off) and clear:
            continue
        records.append(
            {"column": column.name, "forms": forms, "rows": len(off) or present}
            | ({"values": _some(column.values, off)} if len(off) else {})
        )
        if len(off):
            marks[column.name] = off
    if not records:
        return []
    records.sort(key=lambda record: -int(record["rows"]))
    en, zh = listed([str(record["column"]) for record in records])
    finding = by_column(
        "mixed-dates",
        "warning",
        say(
            f"{columns_said(len(records), 'write')} dates in a way that can be misread: {en}.",
            f"{len(records)} 列的日期写法不一致或有歧义：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say("Write dates as 2024-05-31.", "请统一写成 2024-05-31。"),
    )
    return [Noticed(finding, marks)]


def spellings(sheet: Sheet) -> list[Noticed]:
    """Categories that differ in case, width or white space alone: `Beijing`, `beijing `."""
    from luodi.data.normal import normalise

    records: list[Record] = []
    marks: Marks = {}
    for column in sheet.of_kind("category"):
        if not column.textual or column.role is Role.TEXT or column.card.distinct > _SPELT:
            continue
        values, times = column.counts
        by_form: dict[str, list[str]] = {}
        for value in values:
            by_form.setdefault(normalise(value), []).append(value)
        groups = [group for group in by_form.values() if len(group) > 1]
        if not groups:
            continue
        rarer = {value for group in groups for value in group[1:]}  # the commonest leads
        count = sum(
            int(n) for value, n in zip(values, times.tolist(), strict=True) if value in rarer
        )
        records.append(
            {"column": column.name, "rows": count, "values": [repr(v) for v in groups[0][:4]]}
        )
        marks[column.name] = column.places(column.values.is_in(list(rarer)))
    if not records:
        return []
    records.sort(key=lambda record: -int(record["rows"]))
    en, zh = listed([str(record["column"]) for record in records])
    finding = by_column(
        "spellings",
        "warning",
        say(
            f"{columns_said(len(records), 'spell')} one value in several ways: {en}.",
            f"{len(records)} 列的同一取值有多种写法：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say(
            "data.clean.normalise: [width, case, space] makes them one.",
            "data.clean.normalise: [width, case, space] 可使其一致。",
        ),
    )
    return [Noticed(finding, marks)]
