"""What a report shows of answers that are numbers, beyond their metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Bars, JsonValue, Lines, Section, Table, Valued, say
from luodi.evaluation import by_group
from luodi.evaluation.intervals import intervals
from luodi.evaluation.measure import Floats, compute
from luodi.evaluation.metrics import REGRESSION, by_name
from luodi.evaluation.shorten import shorten

BINS = 20
"""Groups of rows, by size of the answer, that the curves go through."""
_RESAMPLES = 400
"""For the intervals of a table's cells."""


def sections(
    contents: Sequence[str], scored: Valued, level: float = 0.95, mistakes: int = 20
) -> list[Section]:
    """Truth by answer, the spread of errors, the largest errors, the intervals' coverage.

    Args:
        contents: each row as a text to show.
        level: of the intervals.
        mistakes: how many of the largest errors to show.
    """
    if not scored.rows:
        return []
    found: list[Section] = [truth_by_answer(scored), errors(scored), *relative(scored)]
    if scored.low is not None and scored.high is not None:
        found.append(coverage(scored, scored.low, scored.high, level))
    found += by_group.sections(scored, level)
    found.append(largest_errors(contents, scored, mistakes))
    return found


def _groups(values: Floats) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Rows in groups of like size, by rising value."""
    order = np.argsort(values, kind="stable")
    return [part for part in np.array_split(order, min(BINS, len(values))) if len(part)]


def truth_by_answer(scored: Valued) -> Lines:
    """Whether answers are right on average, for small ones as for large ones."""
    curve = [
        (
            float(np.average(scored.value[rows], weights=_weights(scored, rows))),
            float(np.average(scored.truth[rows], weights=_weights(scored, rows))),
        )
        for rows in _groups(scored.value)
    ]
    return Lines(
        say("Truth by answer", "预测与真实值"),
        say("answer (mean of a group)", "预测值（组平均）"),
        say("truth (mean of the group)", "真实值（组平均）"),
        {say("model", "模型"): curve},
        diagonal=True,
        diagonal_name=say("right on average", "平均无偏"),
        note=say(
            "On the diagonal answers are right on average.", "落在对角线上表示平均而言预测无偏。"
        ),
    )


def _weights(scored: Valued, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats | None:
    weight = scored.weight[rows]
    return weight if weight.sum() > 0 else None


def errors(scored: Valued) -> Bars:
    """How far answers lie off, and to which side."""
    off = scored.value - scored.truth
    low, high = np.quantile(off, [0.01, 0.99])
    if low == high:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(np.clip(off, low, high), bins=BINS, range=(low, high))
    return Bars(
        say("Errors", "误差分布"),
        [f"{a:.3g}…{b:.3g}" for a, b in pairwise(edges.tolist())],
        counts.astype(float).tolist(),
        note=say(
            "Answer less truth; the outermost bars hold all beyond them.",
            "预测值减真实值；两端的柱包含更极端的值。",
        ),
    )


def relative(scored: Valued) -> list[Table]:
    """Which rows the mean relative error is of, where it is not of all."""
    none = scored.truth == 0
    if not none.any():
        return []
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(by_name("mape").compute(scored, scored.weight[None, :])[0])
    return [
        Table(
            say("Mean relative error", "平均相对误差"),
            [say("rows", "行"), say("number", "数量"), "MAPE"],
            [
                [say("truth is not 0", "真实值非 0"), int((~none).sum()), value],
                [say("truth is 0", "真实值为 0"), int(none.sum()), None],
            ],
            say(
                "Of a truth of 0 no error is a share: those rows are left out of MAPE, here and "
                "at the gate. MAE and RMSE count them.",
                "真实值为 0 时相对误差无意义：这些行不计入 MAPE（包括门槛）；MAE 与 RMSE 计入。",
            ),
        )
    ]


def coverage(scored: Valued, low: Floats, high: Floats, level: float = 0.95) -> Table:
    """How often the truth lay inside the answer's own interval: over all, for small and for large
    answers, where intervals are narrow and where they are wide."""
    rows = [_covered(say("all", "全部"), scored, np.arange(scored.rows), level)]
    names = (say("smallest third of answers", "预测最小的三分之一"),
             say("middle third", "中间三分之一"),
             say("largest third", "预测最大的三分之一"))  # fmt: skip
    rows += _by_third(names, scored.value, scored, level)
    width = high - low
    if len(np.unique(width)) > 2:
        names = (say("narrowest third of intervals", "区间最窄的三分之一"),
                 say("middle third", "中间三分之一"),
                 say("widest third", "区间最宽的三分之一"))  # fmt: skip
        rows += _by_third(names, width, scored, level)
    return Table(
        say("Intervals of the answers", "预测区间"),
        [say("answers", "预测"), say("truth inside", "真实值落入"), say("mean width", "平均宽度"),
         say("mean error", "平均误差"), say("rows", "行数")],
        rows,
        say(
            f"Each interval was made to hold the truth with the chance {scored.coverage:g}. Where "
            "errors are large, intervals should be wide.",
            f"每个区间的目标覆盖率为 {scored.coverage:g}；误差大的地方，区间也应更宽。",
        ),
    )  # fmt: skip


def _by_third(
    names: Sequence[str], values: Floats, scored: Valued, level: float
) -> list[list[JsonValue]]:
    parts = np.array_split(np.argsort(values, kind="stable"), 3)
    return [_covered(name, scored, part, level)
            for name, part in zip(names, parts, strict=True) if len(part)]  # fmt: skip


def _covered(name: str, scored: Valued, rows: NDArray[np.int64], level: float) -> list[JsonValue]:
    """Coverage with its interval, width and error over some of the rows."""
    part = _taken(scored, rows)
    inside = [measure for measure in REGRESSION if measure.name == "coverage"]
    found = intervals(part, inside, level, resamples=_RESAMPLES)["coverage"]
    others = compute([by_name("interval_width"), by_name("mae")], part, part.weight[None, :])
    shown: JsonValue = {"value": found.value, "low": found.low, "high": found.high}
    if not np.isfinite(found.low):  # a row or a cluster alone
        shown = {"share": found.value}
    return [name, shown, *(float(values[0]) for values in others.values()), len(rows)]


def _taken(scored: Valued, rows: NDArray[np.int64]) -> Valued:
    """Some of the rows, without the groups that they are measured by."""
    return replace(
        scored,
        weight=scored.weight[rows],
        cluster=scored.cluster[rows],
        truth=scored.truth[rows],
        value=scored.value[rows],
        low=None if scored.low is None else scored.low[rows],
        high=None if scored.high is None else scored.high[rows],
        groups={},
    )


def largest_errors(contents: Sequence[str], scored: Valued, limit: int = 20) -> Table:
    """The rows whose answers lie farthest off."""
    off = scored.value - scored.truth
    rows = [
        [
            shorten(contents[row]),
            float(scored.truth[row]),
            float(scored.value[row]),
            float(off[row]),
        ]
        for row in np.argsort(-np.abs(off), kind="stable")[:limit]
    ]
    return Table(
        say("Largest errors", "误差最大的行"),
        [say("content", "内容"), say("truth", "真实值"), say("answer", "预测值"),
         say("error", "误差")],
        rows,
        say(
            "Look here for wrong values in the data as well as for what the model cannot do.",
            "这里既能看出模型的短板，也常能发现数据中的错误值。",
        ),
    )  # fmt: skip
