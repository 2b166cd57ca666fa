"""How columns are read where that is not plain, and what of them cannot be read."""

from __future__ import annotations

from luodi.contracts import Dataset, Finding, Format, Role, say
from luodi.data.examples import shorten
from luodi.data.findings.column import Record, by_column, columns_said, listed, rows_of
from luodi.data.formats import format_of, known
from luodi.data.kinds import unreadable


def told_reading(data: Dataset) -> list[Finding]:
    """Feature columns with decimal commas and other dates than ISO's, and values lost to a kind
    that the project file asks for.
    """
    commas: list[Record] = []
    dates: list[Record] = []
    lost: list[Record] = []
    for name in data.columns(Role.FEATURE):
        column = data.table.get_column(name)
        kind = data.question.kinds.get(name)
        for of, records in (("number", commas), ("date", dates)):
            if kind in (None, of) and (form := format_of(column, of)):
                there = known(column).drop_nulls()
                shown = f"{name} ({there[0]}: {_READ[form]})"
                records.append({"column": name, "rows": len(there), "format": form, "shown": shown})
        if kind is not None:
            wrong = unreadable(column, kind, format_of(column, kind)).drop_nulls()
            if len(wrong):
                shown = f"{name} ({kind}: {', '.join(examples(wrong.to_list()))})"
                lost.append({"column": name, "rows": len(wrong), "shown": shown})
    return [*_commas(commas), *_dates(dates), *_lost(lost)]


_READ: dict[Format, str] = {
    "decimal-comma": "1.234,5 = 1234.5",
    "day-first": "DD.MM.YYYY",
    "month-first": "MM/DD/YYYY",
    "digits": "YYYYMMDD",
}


def examples(values: list[str]) -> list[str]:
    """The first few different ones, shortened, in quotes."""
    return [repr(shorten(value, 40)) for value in list(dict.fromkeys(values))[:3]]


def _shown(records: list[Record]) -> tuple[str, str]:
    return listed([str(record["shown"]) for record in records])


def _commas(records: list[Record]) -> list[Finding]:
    if not records:
        return []
    en, zh = _shown(records)
    said = say(
        f"{columns_said(len(records), 'write')} decimals with a comma, and so may requests: {en}.",
        f"{len(records)} 列以逗号作小数点，请求中也可如此书写：{zh}。",
    )
    return [by_column("decimal-comma", "info", said, records, count=rows_of(records))]


def _dates(records: list[Record]) -> list[Finding]:
    if not records:
        return []
    en, zh = _shown(records)
    said = say(
        f"{columns_said(len(records), 'hold')} dates that are read by the column's own order, and "
        f"so are requests: {en}.",
        f"{len(records)} 列的日期按该列自身的顺序读取，请求亦然：{zh}。",
    )
    return [by_column("date-order", "info", said, records, count=rows_of(records))]


def _lost(records: list[Record]) -> list[Finding]:
    if not records:
        return []
    records.sort(key=lambda record: -int(record["rows"]))
    en, zh = _shown(records)
    count = rows_of(records)
    return [
        by_column(
            "unreadable-values",
            "warning",
            say(
                f"{count} values are not of the kind that data.kinds asks for, and count as "
                f"missing: {en}.",
                f"有 {count} 个值不符合 data.kinds 指定的类型，按缺失处理：{zh}。",
            ),
            records,
            count=count,
            remedy=say(
                "Correct these cells, or ask for another kind.",
                "请更正这些单元格，或改用其他类型。",
            ),
        )
    ]
