"""The scorecard on paper: every characteristic's bins in the report, and as a CSV in the bundle."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from luodi.contracts import Bars, JsonValue, Section, Table, say, worded
from luodi.tasks.tabular.characteristics import Bin, Characteristic

_HEAD = ("characteristic", "bin", "rows", "share", "events", "others", "event_rate", "woe",
         "information_value", "points", "coefficient")  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Meaning(Protocol):
    """What points mean."""

    @property
    def score(self) -> float:
        """Points at `odds`."""

    @property
    def odds(self) -> float:
        """Others to one event."""

    @property
    def double(self) -> float:
        """Points that double the odds."""


def by_information(characteristics: Sequence[Characteristic]) -> list[Characteristic]:
    """The most telling first."""
    return sorted(characteristics, key=lambda one: -one.information)


def _lines(one: Characteristic) -> list[tuple[Bin, float]]:
    """Bins with what each adds to the information value. Those for missing values and for
    categories never seen stand last, as they are served, even where training had none.
    """
    pairs = list(zip(one.bins, one.values.tolist(), strict=True))
    return pairs if one.groups else pairs[:-1]  # every number falls into a bin of numbers


def write_csv(path: Path, base: int, characteristics: Sequence[Characteristic]) -> None:
    """A row a bin, after one for the base points; UTF-8 with the mark that spreadsheets look for.

    A text from data that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(_HEAD)
        out.writerow(["(base)", *[""] * 8, base, ""])
        for one in by_information(characteristics):
            rows = float(one.rows.sum())
            for line, value in _lines(one):
                rate = line.events / line.rows if line.rows > 0 else ""
                out.writerow(
                    [_plain(one.name), _plain(str(worded(line.label))), f"{line.rows:g}",
                     f"{line.rows / rows:.6g}", f"{line.events:g}",
                     f"{line.rows - line.events:g}", rate and f"{rate:.6g}", f"{line.woe:.6g}",
                     f"{value:.6g}", line.points, f"{one.coefficient:.6g}"]
                )  # fmt: skip


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def sections(
    base: int, meaning: Meaning, characteristics: Sequence[Characteristic], event: str
) -> list[Section]:
    """The table that is filed, and how much each characteristic tells."""
    ordered = by_information(characteristics)
    rows: list[list[JsonValue]] = [
        [say("(base points)", "（基础分）"), "", None, None, None, None, None, None, base]
    ]
    for one in ordered:
        whole = float(one.rows.sum())
        for place, (line, value) in enumerate(_lines(one)):
            rows.append(
                [
                    one.name if not place else "",
                    line.label,
                    round(line.rows),
                    {"share": line.rows / whole},
                    round(line.events),
                    {"share": line.events / line.rows} if line.rows > 0 else None,
                    float(line.woe),
                    float(value),
                    line.points,
                ]
            )
    columns = [
        say("characteristic", "特征"), say("bin", "分箱"), say("rows", "行数"),
        say("share", "占比"), say("events", "事件数"), say("event rate", "事件率"), "WoE", "IV",
        say("points", "分值"),
    ]  # fmt: skip
    note = say(
        f"The event is {event}; more points, fewer events. {meaning.score:g} points stand for odds "
        f"of {meaning.odds:g} to 1, and {meaning.double:g} points more double them. Counts are of "
        "the training part. These whole points are what is served: added up they are the score. "
        "The bundle holds this table as scorecard.csv.",
        f"事件为 {event}；分值越高，事件越少。{meaning.score:g} 分对应好坏比 {meaning.odds:g}:1，"
        f"每增加 {meaning.double:g} 分，好坏比翻一倍。计数来自训练集。线上使用的就是这些整数分值，"
        "相加即为总分。模型包内的 scorecard.csv 为同一张表。",
    )
    found: list[Section] = [Table(say("Scorecard", "评分卡"), columns, rows, note)]
    if ordered:
        found.append(_information(ordered))
    return found


def _information(ordered: Sequence[Characteristic]) -> Bars:
    shown = ordered[:30]
    return Bars(
        say("Information value", "信息值（IV）"),
        [one.name for one in shown],
        [max(one.information, 0.0) for one in shown],
        note=say(
            "On the training part. By custom: below 0.02 it tells nothing, from 0.1 on something, "
            "from 0.3 on much; above 0.5 look for a leak (Siddiqi 2006).",
            "基于训练集。惯例：低于 0.02 无预测力，0.1 以上有一定作用，0.3 以上较强；"
            "高于 0.5 应检查是否泄漏（Siddiqi 2006）。",
        ),
    )
