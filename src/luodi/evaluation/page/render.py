"""From a report to its page."""

from __future__ import annotations

import contextvars
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from luodi.contracts import Interval, Lines, current_language, say, use_language
from luodi.evaluation.metrics import by_name, is_known, title
from luodi.evaluation.page import drawing, wording
from luodi.evaluation.report import Report

if TYPE_CHECKING:
    from jinja2 import Environment

TILES = 6
"""Metrics shown large; all of them stand in the table beside the baselines."""


def render(report: Report) -> str:
    """The report as one self-contained HTML file, in the report's language.

    Whatever stands in the data is text and stays text. Nothing is fetched: no font, no script,
    no picture.
    """

    def draw() -> str:
        use_language(report.language)
        return _environment().get_template("page.html").render(_view(report))

    # In a context of its own: the caller's language is none of the page's business.
    return contextvars.copy_context().run(draw)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("luodi.evaluation", "page"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=wording.clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(say=say, draw=drawing, words=wording, title=title, nan=math.nan)
    environment.tests["number"] = _is_number
    return environment


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True)
class Gauge:
    """One metric as a tile: the model's interval, where baselines stand, where the gate is."""

    name: str
    interval: Interval
    span: drawing.Domain
    marks: tuple[tuple[str, float], ...]
    bound: float | None
    rule: str
    passed: bool | None
    lower_is_better: bool


def _view(report: Report) -> dict[str, Any]:
    gauges = _gauges(report)
    return {
        "report": report,
        "lang": "zh-CN" if current_language() == "zh" else "en",
        "css": _style(),
        "gauges": gauges[:TILES],
        "rows": gauges,
        "main": _main(report, gauges),
        "curves": curves(report.history),
        "candidate_keys": wording.keys(report.candidates),
        "column_keys": wording.keys(report.columns),
        "level": wording.percent(report.level, 2),
        "nominal": wording.percent(1 - (1 - report.level) * report.openings, 2),
    }


@cache
def _style() -> Markup:
    source = _environment().loader
    assert source is not None
    # Our own file, not data: the one thing on the page that is not escaped.
    return Markup(source.get_source(_environment(), "page.css")[0])


def _gauges(report: Report) -> list[Gauge]:
    """Every metric, those with a gate line first."""
    gated = {line.metric: line for line in reversed(report.verdict.lines) if line.on and line.rule}
    order = [line.metric for line in report.verdict.lines if line.metric in report.metrics]
    order = list(dict.fromkeys([*order, *report.metrics]))
    gauges = []
    for name in order:
        interval = report.metrics[name]
        marks = tuple(
            (baseline, found.metrics[name].value)
            for baseline, found in report.baselines.items()
            if name in found.metrics
        )
        line = gated.get(name)
        threshold = line is not None and line.rule[:1] in "<>"
        bound = line.bound if line is not None and threshold else None
        measure = by_name(name) if is_known(name) else None
        span = drawing.domain(
            [interval.value, interval.low, interval.high, *(v for _, v in marks)]
            + ([bound] if bound is not None else []),
            measure.lowest if measure else -math.inf,
            measure.highest if measure else math.inf,
        )
        gauges.append(
            Gauge(
                name,
                interval,
                span,
                marks,
                bound,
                line.rule if line is not None and threshold else "",
                line.passed if line is not None and threshold else None,
                bool(measure and not measure.higher_is_better),
            )
        )
    return gauges


def _main(report: Report, gauges: Sequence[Gauge]) -> dict[str, Any] | None:
    """The metric that model and baselines are drawn on: the one the paired tests used."""
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
    bound = next((gauge.bound for gauge in gauges if gauge.name == name), None)
    ends = [end for _, found in rows for end in (found.low, found.value, found.high)]
    return {
        "name": name,
        "rows": rows,
        "bound": bound,
        "span": drawing.domain(ends + ([bound] if bound is not None else [])),
    }


def curves(history: Sequence[Mapping[str, float]]) -> list[Lines]:
    """Training curves: losses on one picture, each other measure of progress on its own scale."""
    if len(history) < 2:
        return []
    across = next((key for key in ("step", "epoch", "seconds") if key in history[0]), None)
    measured = [
        key
        for key in dict.fromkeys(key for record in history for key in record)
        if key not in ("step", "epoch", "seconds", "learning_rate", "left")
    ]
    losses = [key for key in measured if key.endswith("loss")]
    others = [key for key in measured if key not in losses]
    found = []
    for heading, keys in ((say("Loss", "损失"), losses), (say("Score", "得分"), others)):
        series = {
            _curve_name(key): [
                (float(record[across] if across else index), float(record[key]))
                for index, record in enumerate(history, start=1)
                if _is_number(record.get(key)) and (across is None or across in record)
            ]
            for key in keys
        }
        if any(series.values()):
            x_label = wording.key_name(across) if across else say("record", "记录")
            found.append(Lines(heading, x_label, heading, series))
    return found


def _curve_name(key: str) -> str:
    part, _, rest = key.partition("_")
    parts = {"train": say("training", "训练"), "valid": say("validation", "验证")}
    if part not in parts or not rest:
        return wording.key_name(key)
    name = say("loss", "损失") if rest == "loss" else title(rest)
    return say(f"{name}, {parts[part]}", f"{parts[part]}{name}")
