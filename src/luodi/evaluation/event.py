"""What a report shows of a question with two labels, of which the second is the event (bad,
default, failure): whether its probability can be believed, how well it orders the rows, what is
gained by acting on the likeliest first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Bars, Classified, JsonValue, Lines, Section, Table, say
from luodi.evaluation import cost
from luodi.evaluation.intervals import resample_weights
from luodi.evaluation.measure import Floats, divide, sum_by
from luodi.evaluation.shares import counted, share_cells
from luodi.evaluation.shorten import NAME_LENGTH, shorten

BINS = 10
POINTS = 200
"""A curve is drawn through so many points at most."""
RESAMPLES = 400


def sections(scored: Classified, level: float) -> list[Section]:
    """Calibration, curves, gains; and costs where the project names them."""
    steps = descent(scored)
    if steps is None:
        return []
    return [
        *reliability(scored, level),
        roc(scored, steps),
        precision_recall(scored, steps),
        separation(scored, steps),
        gain_curve(scored, steps),
        gains(scored, level),
        *cost.sections(scored, level),
    ]


@dataclass(frozen=True)
class Descent:
    """The threshold lowered over all m distinct probabilities of the event.

    Attributes:
        threshold: (m,) the probabilities, the highest first.
        events, others: (m,) weight of the rows at or above each.
    """

    threshold: Floats
    events: Floats
    others: Floats

    @property
    def shown(self) -> NDArray[np.int64]:
        """Steps to draw: all, or POINTS of them spread over the rows, both ends included."""
        m = len(self.threshold)
        if m <= POINTS:
            return np.arange(m)
        flagged = self.events + self.others
        wanted = np.linspace(flagged[0], flagged[-1], POINTS)
        return np.unique(np.r_[0, np.searchsorted(flagged, wanted).clip(0, m - 1), m - 1])


def descent(scored: Classified) -> Descent | None:
    """The steps; None where one of the labels has no weight."""
    threshold, step = np.unique(-scored.probability[:, 1], return_inverse=True)
    is_event = scored.truth == 1
    weights = np.stack([scored.weight * is_event, scored.weight * ~is_event])
    events, others = np.cumsum(sum_by(step, len(threshold), weights), axis=1)
    if not len(threshold) or events[-1] <= 0 or others[-1] <= 0:
        return None
    return Descent(-threshold, events, others)


def like_sized(probability: Floats, bins: int = BINS) -> NDArray[np.int64]:
    """The bin of each row: about as many rows in each, equal probabilities together, from 0."""
    values, place = np.unique(probability, return_inverse=True)
    counts = np.bincount(place, minlength=len(values))
    middle = (np.cumsum(counts) - counts / 2) / max(len(probability), 1)
    wanted = np.minimum((middle * bins).astype(np.int64), bins - 1)
    return np.asarray(np.unique(wanted, return_inverse=True)[1][place], dtype=np.int64)


def reliability(scored: Classified, level: float, seed: int = 7) -> list[Section]:
    """The event's share by its stated probability, each with its interval, and the rows behind."""
    event = shorten(scored.labels[1], NAME_LENGTH)
    stated, true, cells, count = by_probability(scored, level, seed)
    name = say("as served", "线上所用")
    curve = list(zip(stated.tolist(), true.tolist(), strict=True))
    ends = [(float(cell["low"]), float(cell["high"])) for cell in cells if cell]
    edges = [f"{value:.3g}" for value in stated]
    return [
        Lines(
            say("Calibration", "校准曲线"),
            say(f"stated probability of {event}", f"给出的 {event} 概率"),
            say(f"share of {event}", f"{event} 的实际比例"),
            {name: curve},
            diagonal=True,
            diagonal_name=say("perfectly calibrated", "完全校准"),
            spread={name: ends},
            note=say(
                f"About as many rows in each group; whiskers hold at {100 * level:.4g}%. Above the "
                "diagonal the event comes oftener than stated.",
                f"每组行数相近；须线为 {100 * level:.4g}% 区间。高于对角线：事件比给出的更常发生。",
            ),
        ),
        Bars(
            say(f"Share of {event} by stated probability", f"各概率组中 {event} 的比例"),
            [say(f"{edge} ({n} rows)", f"{edge}（{n} 行）")
             for edge, n in zip(edges, count.tolist(), strict=True)],
            true.tolist(),
            tuple(low for low, _ in ends),
            tuple(high for _, high in ends),
        ),
    ]  # fmt: skip


def by_probability(
    scored: Classified, level: float, seed: int = 7
) -> tuple[Floats, Floats, list[JsonValue], NDArray[np.int64]]:
    """Of each group of like probability: mean stated, the event's share, that share with its
    interval as a table's cell, and the rows.
    """
    bins = like_sized(scored.probability[:, 1])
    size = int(bins.max()) + 1
    is_event = (scored.truth == 1).astype(float)
    parts = np.stack([np.ones(scored.rows), scored.probability[:, 1], is_event])
    weight, stated, true = sum_by(bins, size, scored.weight * parts)
    drawn = np.zeros((RESAMPLES, size))
    for part, weights in resample_weights(scored, RESAMPLES, seed):
        whole = sum_by(bins, size, weights)
        shares = divide(sum_by(bins, size, weights * is_event), whole)
        drawn[part] = np.where(whole > 0, shares, np.nan)
    count = np.bincount(bins, minlength=size)
    true = divide(true, weight)
    return divide(stated, weight), true, share_cells(true, drawn, count, level), count


def roc(scored: Classified, steps: Descent) -> Lines:
    """Events caught against false alarms, over all thresholds."""
    caught = np.r_[0.0, steps.events[steps.shown]] / steps.events[-1]
    alarms = np.r_[0.0, steps.others[steps.shown]] / steps.others[-1]
    return Lines(
        say("ROC curve", "ROC 曲线"),
        say("false alarms among the others", "误报率（非事件中）"),
        say("events caught", "事件检出率"),
        {say("model", "模型"): list(zip(alarms.tolist(), caught.tolist(), strict=True))},
        diagonal=True,
        diagonal_name=say("by chance", "随机"),
    )


def precision_recall(scored: Classified, steps: Descent) -> Lines:
    """How many of those named are events, against how many events are named."""
    at = steps.shown
    caught = steps.events[at] / steps.events[-1]
    right = divide(steps.events[at], steps.events[at] + steps.others[at])
    rate = float(steps.events[-1] / (steps.events[-1] + steps.others[-1]))
    return Lines(
        say("Precision and recall", "精确率与召回率"),
        say("recall", "召回率"),
        say("precision", "精确率"),
        {
            say("model", "模型"): list(zip(caught.tolist(), right.tolist(), strict=True)),
            say("by chance", "随机"): [(0.0, rate), (1.0, rate)],
        },
    )


def separation(scored: Classified, steps: Descent) -> Lines:
    """Both labels' shares at or above each probability, and where they lie farthest apart (KS)."""
    caught, alarms = steps.events / steps.events[-1], steps.others / steps.others[-1]
    widest = int(np.abs(caught - alarms).argmax())
    at = np.union1d(steps.shown, [widest])
    where = float(steps.threshold[widest])
    ks = float(abs(caught - alarms)[widest])
    x = steps.threshold[at].tolist()
    return Lines(
        say("Separation (KS)", "区分度（KS）"),
        say("probability of the event at least", "事件概率不低于"),
        say("share of the label's rows", "占该类别的比例"),
        {
            scored.labels[1]: list(zip(x, caught[at].tolist(), strict=True)),
            scored.labels[0]: list(zip(x, alarms[at].tolist(), strict=True)),
            f"KS {ks:.3f}": [(where, float(alarms[widest])), (where, float(caught[widest]))],
        },
    )


def gain_curve(scored: Classified, steps: Descent) -> Lines:
    """Events caught against rows looked at, the likeliest first."""
    flagged = steps.events + steps.others
    x = np.r_[0.0, flagged[steps.shown]] / flagged[-1]
    y = np.r_[0.0, steps.events[steps.shown]] / steps.events[-1]
    return Lines(
        say("Gains", "增益曲线"),
        say("rows looked at, likeliest first", "按概率从高到低查看的比例"),
        say("events caught", "事件检出比例"),
        {say("model", "模型"): list(zip(x.tolist(), y.tolist(), strict=True))},
        diagonal=True,
        diagonal_name=say("in any order", "随机顺序"),
    )


def gains(scored: Classified, level: float) -> Table:
    """Tenths of the rows, the likeliest first: events in each, caught so far, and the lift."""
    tenth = like_sized(-scored.probability[:, 1])
    size = int(tenth.max()) + 1
    is_event = (scored.truth == 1).astype(float)
    weight, events = sum_by(tenth, size, scored.weight * np.stack([np.ones(scored.rows), is_event]))
    drawn = np.zeros((RESAMPLES, size))
    for part, weights in resample_weights(scored, RESAMPLES, 7):
        whole = sum_by(tenth, size, weights)
        shares = divide(sum_by(tenth, size, weights * is_event), whole)
        drawn[part] = np.where(whole > 0, shares, np.nan)
    count = np.bincount(tenth, minlength=size)
    rate = divide(events, weight)
    cells = share_cells(rate, drawn, count, level)
    overall = events.sum() / weight.sum()
    seen, caught = np.cumsum(weight), np.cumsum(events) / events.sum()
    alarms = np.cumsum(weight - events) / (weight - events).sum()
    rows: list[list[JsonValue]] = []
    for place in range(size):
        inside = scored.probability[tenth == place, 1]
        rows.append(
            [
                f"{place + 1}",
                f"{inside.min():.3f}–{inside.max():.3f}",
                int(count[place]),
                counted(events[place]),
                cells[place],
                float(rate[place] / overall),
                {"share": float(caught[place])},
                float(caught[place] / (seen[place] / seen[-1])),
                float(caught[place] - alarms[place]),
            ]
        )
    columns = [
        say("group", "组"), say("probability", "概率"), say("rows", "行数"),
        say("events", "事件数"), say("share of events", "事件比例"), say("lift", "提升度"),
        say("caught so far", "累计检出"), say("lift so far", "累计提升度"), "KS",
    ]  # fmt: skip
    note = say(
        "The likeliest rows first, about a tenth of all in each group; rows of equal probability "
        "stay together. Lift: how many times as many events as in any group of rows.",
        "按概率从高到低，每组约占十分之一，概率相同的行在同一组。提升度：事件比例是总体的多少倍。",
    )
    return Table(say("Gains and lift", "增益与提升度"), columns, rows, note)
