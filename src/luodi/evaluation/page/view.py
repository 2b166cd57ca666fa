"""What the page's template is given: a report's facts, put in the order in which they are read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from luodi.contracts import BEATS, Interval, JsonValue, Lines, Section, say
from luodi.evaluation.gate import GateLine
from luodi.evaluation.metrics import by_name, is_known, title
from luodi.evaluation.page import drawing, wording
from luodi.evaluation.report import Report

TILES = 6
"""Metrics shown large; all of them stand in the table beside the baselines."""


def view(report: Report) -> dict[str, Any]:
    """Name -> value, for the template."""
    found = gauges(report)
    return {
        "gauges": found[:TILES],
        "rows": found,
        "lanes": lanes(report),
        "parts": parts(report.data),
        "facts": [(wording.key_name(k), fact(k, v)) for k, v in report.model.items()],
        "split": [(wording.key_name(k), fact(k, v)) for k, v in report.split.items()],
        "candidates": [candidate(record) for record in report.candidates],
        "columns": [column(record) for record in report.columns],
        "curves": curves(report.history),
        "groups": side_by_side(report.sections),
        "level": wording.level(report.level),
        "nominal": wording.level(1 - (1 - report.level) * report.openings),
    }


@dataclass(frozen=True)
class Gauge:
    """One metric as a tile: the model's interval, the best baseline, the gate's bound.

    `passed` is None for a metric that the gate does not name.
    """

    name: str
    interval: Interval
    span: drawing.Domain
    marks: tuple[tuple[str, float], ...]
    bound: float | None
    rule: str
    passed: bool | None
    lower_is_better: bool


def gauges(report: Report) -> list[Gauge]:
    """Every metric, those that the gate names first."""
    thresholds = {line.metric: line for line in report.verdict.lines if is_threshold(line)}
    order = [name for name in thresholds if name in report.metrics]
    names = dict.fromkeys([*order, *report.metrics])
    return [_gauge(report, name, thresholds.get(name)) for name in names]


def is_threshold(line: GateLine) -> bool:
    """Whether a gate line is a bound on a metric, not a baseline to beat."""
    return line.metric != BEATS and line.rule[:1] in ("<", ">")


def _gauge(report: Report, name: str, line: GateLine | None) -> Gauge:
    interval = report.metrics[name]
    measure = by_name(name) if is_known(name) else None
    higher = measure.higher_is_better if measure else True
    others = [
        (baseline, found.metrics[name].value)
        for baseline, found in report.baselines.items()
        if name in found.metrics and math.isfinite(found.metrics[name].value)
    ]
    best = sorted(others, key=lambda other: other[1], reverse=higher)[:1]
    bound = line.bound if line else None
    limits = (measure.lowest, measure.highest) if measure else (-math.inf, math.inf)
    ends = [interval.value, interval.low, interval.high, *(value for _, value in best)]
    ends += [bound] if bound is not None else []
    return Gauge(
        name=name,
        interval=interval,
        span=drawing.snapped(drawing.domain(ends, *limits), *limits),
        marks=tuple(best),
        bound=bound,
        rule=line.rule if line else "",
        passed=line.passed if line else None,
        lower_is_better=not higher,
    )


def lanes(report: Report) -> dict[str, Any] | None:
    """Model and baselines on one scale, for the metric that the paired tests used."""
    paired = [found.paired for found in report.baselines.values() if found.paired]
    name = paired[0].metric if paired else next(iter(report.metrics), "")
    rows = [(say("this model", "本模型"), report.metrics[name])] if name in report.metrics else []
    rows += [
        (baseline, found.metrics[name])
        for baseline, found in report.baselines.items()
        if name in found.metrics
    ]
    if len(rows) < 2:
        return None
    lines = (line for line in report.verdict.lines if line.metric == name and is_threshold(line))
    bound = next((line.bound for line in lines), None)
    ends = [end for _, found in rows for end in (found.low, found.value, found.high)]
    span = drawing.domain(ends + ([bound] if bound is not None else []))
    return {"name": name, "rows": rows, "bound": bound, "span": span}


def parts(data: Mapping[str, int]) -> list[tuple[str, int]]:
    """Training, validation and test rows with their names; empty unless all three are known."""
    names = ("train", "valid", "test")
    known = set(names) <= set(data)
    return [(wording.count_name(name), data[name]) for name in names] if known else []


def fact(key: str, value: JsonValue) -> JsonValue:
    """A fact in the unit that its key says."""
    if not wording.is_number(value):
        return value
    if key == "bundle_bytes":
        return wording.size(value)
    if key in ("seconds", "budget", "train_seconds"):
        return wording.duration(value)
    if key in ("valid", "test") and 0 < value < 1:
        return wording.level(value)
    return str(value) if key == "seed" else value


def candidate(record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A candidate as a row of the table."""
    found = {k: fact(k, v) for k, v in record.items() if k not in ("low", "high", "level")}
    if wording.as_interval(record):
        found["value"] = {k: record[k] for k in ("value", "low", "high")}
    if "metric" in found:
        found["metric"] = title(str(found["metric"]))
    return found


def column(record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A column's profile as a row: what is there, what is missing, how it is spread."""
    row: dict[str, JsonValue] = {}
    for key, value in record.items():
        if key == "top" and value:
            pairs = [item if isinstance(item, list | tuple) else (item, None) for item in value]
            row[key] = [
                f"{wording.shorten(name)} ({wording.number(count)})" if count else str(name)
                for name, count in pairs[:3]
            ]
        elif key == "quantiles":
            row["median"] = value.get("0.5") if isinstance(value, Mapping) else None
        elif key not in ("rows", "dtype"):
            row[key] = value
    rows, missing = record.get("rows"), record.get("missing")
    if rows and missing:
        row["missing"] = f"{wording.number(missing)} ({wording.percent(missing / rows)})"
    return row


def side_by_side(sections: Sequence[Section]) -> list[list[Section]]:
    """Sections in rows: pictures that follow each other share one, two at a time."""
    rows: list[list[Section]] = []
    for section in sections:
        picture = section.kind in ("lines", "bars")
        last = rows[-1] if rows else []
        if picture and len(last) == 1 and last[0].kind in ("lines", "bars"):
            last.append(section)
        else:
            rows.append([section])
    return rows


def curves(history: Sequence[Mapping[str, float]]) -> list[Lines]:
    """Training curves: losses on one picture, each other measure of progress on its own scale."""
    if len(history) < 2:
        return []
    across = next((key for key in ("step", "epoch", "seconds") if _rises(history, key)), None)
    measured = [
        key
        for key in dict.fromkeys(key for record in history for key in record)
        if key.startswith(("train_", "valid_")) or key.endswith("loss")
    ]
    losses = [key for key in measured if key.endswith("loss")]
    others = [key for key in measured if key not in losses]
    found = []
    for heading, keys in ((say("Loss", "损失"), losses), (say("Score", "得分"), others)):
        series = {
            _curve_name(key): [
                (float(record[across] if across else index), float(record[key]))
                for index, record in enumerate(history, start=1)
                if wording.is_number(record.get(key)) and (across is None or across in record)
            ]
            for key in keys
        }
        if any(series.values()):
            x_label = wording.key_name(across) if across else say("record", "记录")
            found.append(Lines(heading, x_label, "", series))
    return found


def _rises(history: Sequence[Mapping[str, float]], key: str) -> bool:
    """Whether a curve can be drawn across `key`: records of several models each begin anew."""
    values = [record[key] for record in history if key in record]
    return key in history[0] and all(a < b for a, b in pairwise(values))


def _curve_name(key: str) -> str:
    part, _, rest = key.partition("_")
    parts = {"train": say("training", "训练"), "valid": say("validation", "验证")}
    if part not in parts or not rest:
        return wording.key_name(key)
    name = say("loss", "损失") if rest == "loss" else title(rest)
    return say(f"{name}, {parts[part]}", f"{parts[part]}{name}")
