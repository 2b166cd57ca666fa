"""What answers cost by the project's cost table: at every threshold, and beside naive answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from luodi.contracts import Classified, JsonValue, Lines, Section, Table, say
from luodi.evaluation.intervals import intervals
from luodi.evaluation.measure import Floats, sum_by
from luodi.evaluation.metrics import EXPECTED_COST
from luodi.evaluation.shares import counted
from luodi.evaluation.shorten import NAME_LENGTH, shorten

POINTS = 200
LABELS = 8
"""Labels that might always be answered, the commonest."""


def sections(scored: Classified, level: float) -> list[Section]:
    """The policies compared, of two labels also the cost by threshold; nothing where no costs are
    named.
    """
    if scored.costs is None or not scored.rows:
        return []
    if len(scored.labels) != 2:
        return [policies_of_many(scored, level)]
    return [policies(scored, scored.costs, level), by_threshold(scored, scored.costs)]


def cost_curve(scored: Classified, costs: Floats) -> tuple[Floats, Floats]:
    """Thresholds (m + 1,), rising, and what a row costs when the event is named from each on.

    `costs` (2, 2): truth by answer. The last threshold lies above every row: none is named.
    """
    values, place = np.unique(scored.probability[:, 1], return_inverse=True)
    is_event = scored.truth == 1
    weights = np.stack([scored.weight * ~is_event, scored.weight * is_event])
    below = np.pad(np.cumsum(sum_by(place, len(values), weights), axis=1), ((0, 0), (1, 0)))
    above = below[:, -1:] - below
    # Below the threshold the answer is 0, from it on 1.
    cost = costs[:, 0] @ below + costs[:, 1] @ above
    beyond = max(1.0, float(np.nextafter(values[-1], 2)))
    return np.append(values, beyond), cost / scored.weight.sum()


def used_threshold(scored: Classified) -> float:
    """From which probability on the answers name the event: 1 where they never do."""
    named = scored.probability[scored.predicted == 1, 1]
    return float(named.min()) if len(named) else 1.0


def by_threshold(scored: Classified, costs: Floats) -> Lines:
    """The cost of a row at each threshold, and at the one in use."""
    threshold, cost = cost_curve(scored, costs)
    at = np.arange(len(threshold))
    if len(at) > POINTS:
        at = np.unique(np.linspace(0, len(at) - 1, POINTS).astype(np.int64))
    used = float(np.average(costs[scored.truth, scored.predicted], weights=scored.weight))
    return Lines(
        say("Cost by threshold", "不同阈值的成本"),
        say("threshold on the event's probability", "事件概率的阈值"),
        say("cost a row", "每行成本"),
        {
            say("model", "模型"): list(zip(threshold[at].tolist(), cost[at].tolist(), strict=True)),
            say("in use", "当前阈值"): [(used_threshold(scored), used)],
        },
        note=say(
            "The threshold in use was chosen on the validation part; this is the test part.",
            "当前阈值在验证集上选定；本图为测试集。",
        ),
    )  # fmt: skip


def policies(scored: Classified, costs: Floats, level: float) -> Table:
    """The model beside those who answer without looking, and beside the likelier label."""
    none, every = np.zeros_like(scored.predicted), np.ones_like(scored.predicted)
    likelier = (scored.probability[:, 1] >= 0.5).astype(np.int64)
    first, second = (shorten(label, NAME_LENGTH) for label in scored.labels)
    named = {
        say("the model, as served", "模型（线上阈值）"): scored.predicted,
        say("the model, the likelier label", "模型（取概率较大者）"): likelier,
        say(f"always {first}", f"一律 {first}"): none,
        say(f"always {second}", f"一律 {second}"): every,
    }
    rows: list[list[JsonValue]] = []
    for name, predicted in named.items():
        missed = scored.weight[(scored.truth == 1) & (predicted == 0)].sum()
        alarms = scored.weight[(scored.truth == 0) & (predicted == 1)].sum()
        cell = _cost_of(replace(scored, predicted=predicted), level)
        rows.append([name, cell, counted(missed), counted(alarms)])
    return Table(
        say("What answers cost", "回答的成本"),
        [
            say("answers", "回答方式"),
            say("cost a row", "每行成本"),
            say(f"{second} missed", f"漏掉的 {second}"),
            say(f"false {second}", f"误判为 {second}"),
        ],
        rows,
        say(
            f"A missed {second} costs {costs[1, 0]:g}, a false one {costs[0, 1]:g}; intervals at "
            f"{100 * level:.4g}%.",
            f"漏掉一个 {second} 的成本为 {costs[1, 0]:g}，误判一个为 {costs[0, 1]:g}；区间为 "
            f"{100 * level:.4g}%。",
        ),
    )


def policies_of_many(scored: Classified, level: float) -> Table:
    """Of several labels: the model, its likeliest label, and always the same one."""
    counts = np.bincount(scored.truth, weights=scored.weight, minlength=len(scored.labels))
    named = {
        say("the model, as served", "模型（线上回答）"): scored.predicted,
        say("the model, the likeliest label", "模型（取概率最大者）"): scored.probability.argmax(1),
    }
    for place in np.argsort(-counts, kind="stable")[:LABELS].tolist():
        label = shorten(scored.labels[place], NAME_LENGTH)
        named[say(f"always {label}", f"一律 {label}")] = np.full_like(scored.predicted, place)
    return Table(
        say("What answers cost", "回答的成本"),
        [say("answers", "回答方式"), say("cost a row", "每行成本")],
        [
            [name, _cost_of(replace(scored, predicted=predicted), level)]
            for name, predicted in named.items()
        ],
        say(
            "By the project's costs: the model answers the label of the least expected cost.",
            "按项目成本计算；模型选择期望成本最低的类别作答。",
        ),
    )


def _cost_of(scored: Classified, level: float) -> JsonValue:
    found = intervals(scored, [EXPECTED_COST], level=level, resamples=400)["expected_cost"]
    return {"value": found.value, "low": found.low, "high": found.high}
