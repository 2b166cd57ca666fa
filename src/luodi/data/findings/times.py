"""Dates that cannot be, and stretches of time without rows."""

from __future__ import annotations

import datetime as dt
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
from luodi.data.moments import microseconds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from luodi.data.findings.column import Marks

_DAY = 86_400_000_000


def future_dates(sheet: Sheet, now: dt.datetime) -> list[Noticed]:
    """Dates after tomorrow, where few of a column are: due dates lie ahead by nature."""
    limit = int(now.timestamp() * 1_000_000) + _DAY
    records: list[Record] = []
    marks: Marks = {}
    few = False
    for column in _dated(sheet):
        moments = microseconds(column.values)
        if moments is None:
            continue
        late = column.places(moments > limit)
        if not len(late):
            continue
        share = len(late) / max(column.rows - column.card.missing, 1)
        few |= share < 0.2 or column.role is Role.TIME
        last = str(column.values[int(moments.arg_max() or 0)])
        records.append(
            {"column": column.name, "rows": len(late), "share": round(share, 4), "latest": last}
        )
        marks[column.name] = late
    if not records:
        return []
    records.sort(key=lambda record: float(record["share"]))
    en, zh = listed([f"{record['column']} ({record['latest']})" for record in records])
    finding = by_column(
        "future-dates",
        "warning" if few else "info",
        say(
            f"{columns_said(len(records))} with dates that are still to come: {en}.",
            f"{len(records)} 列含有未来的日期：{zh}。",
        ),
        records,
        count=rows_of(records),
        remedy=say("Correct them, or leave the cells empty.", "请更正，或将其留空。"),
    )
    return [Noticed(finding, marks)]


def time_gaps(sheet: Sheet) -> list[Noticed]:
    """Stretches without rows that are long beside the usual step.

    A regular series (nine steps of ten alike) has a gap wherever a step is missing; of irregular
    moments, a pause of ten times the longest usual one (the 99th percentile) is a gap.
    """
    import numpy as np

    records: list[Record] = []
    told = False
    for column in _dated(sheet):
        moments = microseconds(column.values)
        if moments is None:
            continue
        whole = moments.drop_nulls()
        times = np.unique(whole.to_numpy())
        steps = np.diff(times)
        if len(steps) < 20:
            continue
        found = _gaps(times, steps)
        if found is None:
            continue
        gaps, step, regular = found
        told |= column.role is Role.TIME or regular
        longest = gaps[np.argsort(-steps[gaps], kind="stable")]
        record: Record = {
            "column": column.name,
            "gaps": len(gaps),
            "step": _span(step),
        }
        if regular:
            record["missing steps"] = int(np.rint(steps[gaps] / step).sum()) - len(gaps)
        record["longest"] = [
            f"{_moment(times[place])} – {_moment(times[place + 1])}"
            for place in longest[:3].tolist()
        ]
        records.append(record)
    if not records:
        return []
    en, zh = listed([f"{record['column']} ({record['longest'][0]})" for record in records], 2)
    finding = by_column(
        "time-gaps",
        "warning" if told else "info",
        say(
            f"{columns_said(len(records))} with gaps in time: {en}.",
            f"{len(records)} 列的时间有间断：{zh}。",
        ),
        records,
        count=sum(int(record["gaps"]) for record in records),
        remedy=say(
            "Fetch what is missing; data.clean.missing: interpolate fills values in between.",
            "请补取缺失的数据；data.clean.missing: interpolate 可插值填补。",
        ),
    )
    return [Noticed(finding)]


def _dated(sheet: Sheet) -> list[Column]:
    return [
        column
        for column in sheet.columns.values()
        if column.card.kind == "date" and column.role is not Role.LABEL
    ]


def _gaps(
    times: NDArray[np.int64], steps: NDArray[np.int64]
) -> tuple[NDArray[np.int64], float, bool] | None:
    """Places of the steps that are gaps, the usual step, and whether the series is regular."""
    import numpy as np

    values, counts = np.unique(steps, return_counts=True)
    step, share = int(values[counts.argmax()]), float(counts.max() / len(steps))
    usual = float(np.median(steps))
    # Months and years are of unlike length, weekends are no gaps: a step may vary by half.
    steady = float(np.mean((steps > 0.5 * usual) & (steps < 1.5 * usual)))
    weekly = step == _DAY and share > 0.7 and float(np.mean(steps == 3 * _DAY)) > 0.05
    if weekly:
        gaps = np.flatnonzero(steps > 5 * _DAY)
        regular = True
    elif steady >= 0.9:
        gaps = np.flatnonzero(steps > 1.5 * usual)
        step, regular = round(usual), True
    else:
        limit = 10 * float(np.quantile(steps, 0.99))
        gaps, regular, step = np.flatnonzero(steps > limit), False, round(usual)
    return (gaps, float(step), regular) if len(gaps) else None


def _moment(microsecond: int) -> str:
    try:
        moment = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=int(microsecond))  # noqa: DTZ001
    except OverflowError:
        return str(microsecond)
    text = moment.isoformat(sep=" ", timespec="seconds")
    return text.removesuffix(" 00:00:00")


def _span(microseconds_: float) -> str:
    seconds = microseconds_ / 1e6
    for size, en, zh in ((86400, "d", "天"), (3600, "h", "小时"), (60, "min", "分钟")):
        if seconds >= size:
            return f"{seconds / size:g} {say(en, zh)}"
    return f"{seconds:g} {say('s', '秒')}"
