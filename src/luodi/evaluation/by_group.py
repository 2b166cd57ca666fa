"""What a report shows of the groups that a project measures by, each number with its interval.

Intervals are percentiles of the cluster bootstrap. Where every resample says the same (nobody of
five is answered so), they would have no width: a rate then gets Clopper and Pearson's exact end
(1934), by the independent rows that it rests on; what is no rate gets none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import (
    Bars,
    Classified,
    Grouping,
    JsonValue,
    Scored,
    Section,
    Table,
    Valued,
    say,
)
from luodi.evaluation.fairness import LEAST_ROWS, rates
from luodi.evaluation.intervals import resample_weights
from luodi.evaluation.measure import Floats, divide, sum_by
from luodi.evaluation.ranking import ranking
from luodi.evaluation.shares import share_cells

RESAMPLES = 400


def sections(scored: Scored, level: float, seed: int = 7) -> list[Section]:
    """For each grouping a table of its groups, and of two labels a picture of who is favoured."""
    found: list[Section] = []
    for name, group in scored.groups.items():
        if isinstance(scored, Classified) and len(scored.labels) == 2:
            found += _binary(scored, name, group, level, seed)
        elif isinstance(scored, Classified):
            found.append(_plain(scored, name, group, level, seed, _ACCURACY))
        elif isinstance(scored, Valued):
            found.append(_plain(scored, name, group, level, seed, _ERRORS))
    return found


def _resampled(
    scored: Scored, group: Grouping, level: float, seed: int, measure: _Measured
) -> tuple[Floats, list[list[JsonValue]]]:
    """Values (m, g) of m measures, and as many rows of cells with intervals."""
    value = measure(scored, group, scored.weight[None, :])[:, 0]
    drawn = np.full((value.shape[0], RESAMPLES, value.shape[1]), np.nan)
    for part, weights in resample_weights(scored, RESAMPLES, seed):
        drawn[:, part] = measure(scored, group, weights)
    cells = []
    for number, (values, resamples) in enumerate(zip(value, drawn, strict=True)):
        rests_on = measure.rests_on(scored, group, number)
        if number in measure.rates:
            shown = np.where(rests_on > 0, values, 0.0)
            cells.append(share_cells(shown, resamples, rests_on, level))
        else:
            columns = zip(values, resamples.T, rests_on, strict=True)
            cells.append([_cell(*column, level) for column in columns])
    return value, cells


def _cell(point: float, resamples: Floats, rests_on: int, level: float) -> JsonValue:
    """A number with its interval; without one where it was seldom known, or rests on one row."""
    known = resamples[np.isfinite(resamples)]
    if not np.isfinite(point):
        return None
    if len(known) < RESAMPLES / 2 or rests_on < 2:
        return float(point)
    tail = (1 - level) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return {"value": float(point), "low": min(float(low), float(point)),
            "high": max(float(high), float(point))}  # fmt: skip


def _independent(scored: Scored, group: Grouping, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(g,) clusters of each group that have one of these rows."""
    pairs = np.unique(
        np.stack([group.index, scored.cluster])[:, rows & (scored.weight > 0)], axis=1
    )
    return np.bincount(pairs[0].astype(np.int64), minlength=len(group.values))


class _Measured:
    """Several numbers of each group under (b, n) weights: (m, b, g); `rates` lie from 0 to 1."""

    rates: tuple[int, ...] = ()

    def __call__(self, scored: Scored, group: Grouping, weights: Floats) -> Floats:
        raise NotImplementedError

    def rests_on(self, scored: Scored, group: Grouping, number: int) -> NDArray[np.int64]:
        """(g,) independent rows that a group's number rests on."""
        return _independent(scored, group, np.ones(scored.rows, bool))


class _BinaryMeasures(_Measured):
    rates = (0, 1, 2, 4)

    def rests_on(self, scored: Scored, group: Grouping, number: int) -> NDArray[np.int64]:
        assert isinstance(scored, Classified)  # noqa: S101  # called for two labels only
        deserved = scored.truth == scored.favourable
        sides = [_independent(scored, group, rows) for rows in (deserved, ~deserved)]
        every = super().rests_on(scored, group, number)
        return (every, *sides, every, np.minimum(*sides))[number]

    def __call__(self, scored: Scored, group: Grouping, weights: Floats) -> Floats:
        assert isinstance(scored, Classified)  # noqa: S101  # called for two labels only
        found, size = rates(scored, group, weights), len(group.values)
        whole = sum_by(group.index, size, weights)
        stated = sum_by(group.index, size, weights * scored.probability[:, 1])
        true = sum_by(group.index, size, weights * (scored.truth == 1))
        gap = np.where(whole > 0, divide(stated - true, whole), np.nan)
        area = np.stack([_auc_of(scored, group.index == g, weights) for g in range(size)], axis=1)
        return np.stack([found.selected, found.deserving, found.undeserving, gap, area])


def _auc_of(scored: Classified, rows: NDArray[np.bool_], weights: Floats) -> Floats:
    inside = np.flatnonzero(rows)
    if len(np.unique(scored.truth[inside])) < 2:
        return np.full(len(weights), np.nan)
    part = Classified(
        scored.weight[inside], scored.cluster[inside], scored.truth[inside],
        scored.predicted[inside], scored.probability[inside], scored.labels,
    )  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        return ranking(part, weights[:, inside]).auc


def _binary(
    scored: Classified, name: str, group: Grouping, level: float, seed: int
) -> list[Section]:
    value, cells = _resampled(scored, group, level, seed, _BinaryMeasures())
    counts = np.bincount(group.index, minlength=len(group.values))
    events = np.bincount(group.index, weights=scored.truth == 1, minlength=len(group.values))
    wanted, other = scored.labels[scored.favourable], scored.labels[1 - scored.favourable]
    event = scored.labels[1]
    columns = [
        name,
        say("rows", "行数"),
        say(f"truly {event}", f"实际为 {event}"),
        say(f"answered {wanted}", f"回答 {wanted}"),
        say(f"… of the {wanted} (TPR)", f"…实际 {wanted} 者中（TPR）"),
        say(f"… of the {other} (FPR)", f"…实际 {other} 者中（FPR）"),
        say("stated less true", "预测概率减实际比例"),
        "AUC",
    ]
    rows = [
        [
            shown,
            int(counts[g]),
            {"share": float(events[g] / counts[g])},
            *(cells[m][g] for m in range(5)),
        ]
        for g, shown in enumerate(group.values)
        if counts[g]
    ]
    note = say(
        f"Groups under {LEAST_ROWS} rows decide nothing at the gate. Where all or none of a "
        "group's rows are answered so, the interval's far end is the exact binomial one (Clopper "
        "and Pearson); a number without an interval rests on too few rows for one.",
        f"少于 {LEAST_ROWS} 行的组不参与门槛判定。全部或无一如此回答时，区间远端取精确二项区间"
        "（Clopper–Pearson）；没有区间的数值行数太少。",
    )
    table = Table(say(f"By {name}", f"按 {name} 分组"), columns, rows, note)
    there = [g for g in range(len(group.values)) if counts[g]]
    ends = [cells[0][g] for g in there]
    whiskers = [end if isinstance(end, dict) else None for end in ends]
    bars = Bars(
        say(f"Answered {wanted}, by {name}", f"各组回答 {wanted} 的比例：{name}"),
        [group.values[g] for g in there],
        [float(value[0][g]) for g in there],
        [w["low"] if w else float(value[0][g]) for w, g in zip(whiskers, there, strict=True)],
        [w["high"] if w else float(value[0][g]) for w, g in zip(whiskers, there, strict=True)],
    )
    return [table, bars]


class _Accuracy(_Measured):
    heads = (("accuracy", "准确率"),)
    rates = (0,)

    def __call__(self, scored: Scored, group: Grouping, weights: Floats) -> Floats:
        assert isinstance(scored, Classified)  # noqa: S101  # called for labels only
        size = len(group.values)
        whole = sum_by(group.index, size, weights)
        right = sum_by(group.index, size, weights * (scored.truth == scored.predicted))
        return np.where(whole > 0, divide(right, whole), np.nan)[None]


class _Errors(_Measured):
    heads = (("mean absolute error", "平均绝对误差"), ("mean error", "平均误差"))

    def __call__(self, scored: Scored, group: Grouping, weights: Floats) -> Floats:
        assert isinstance(scored, Valued)  # noqa: S101  # called for numbers only
        size, off = len(group.values), scored.value - scored.truth
        whole = sum_by(group.index, size, weights)
        found = [sum_by(group.index, size, weights * error) for error in (np.abs(off), off)]
        divided = [np.divide(f, whole, out=np.full_like(f, np.nan), where=whole > 0) for f in found]
        return np.stack(divided)


_ACCURACY, _ERRORS = _Accuracy(), _Errors()


def _plain(
    scored: Scored, name: str, group: Grouping, level: float, seed: int,
    measure: _Accuracy | _Errors,
) -> Table:  # fmt: skip
    _, cells = _resampled(scored, group, level, seed, measure)
    counts = np.bincount(group.index, minlength=len(group.values))
    rows = [
        [shown, int(counts[g]), *(row[g] for row in cells)]
        for g, shown in enumerate(group.values)
        if counts[g]
    ]
    heads = [say(*head) for head in measure.heads]
    return Table(say(f"By {name}", f"按 {name} 分组"), [name, say("rows", "行数"), *heads], rows)
