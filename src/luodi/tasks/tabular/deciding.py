"""What is learnt after the model, on rows that it has not seen: calibration, then the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from luodi.contracts import Finding, JsonValue, Lines, QuestionSettings, Section, Table, say
from luodi.tasks.tabular.calibrating import Judged, Tried, calibrate
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.decision import ClassDecision
from luodi.tasks.tabular.labels import cost_matrix
from luodi.tasks.tabular.threshold import Threshold, choose

_NAMES = {
    "none": ("none", "不校准"),
    "temperature": ("temperature", "温度缩放"),
    "platt": ("Platt", "Platt"),
    "isotonic": ("isotonic", "保序回归"),
}


@dataclass(frozen=True)
class Decided:
    """A decision, and what is to be said and shown of how it came about."""

    decision: ClassDecision
    findings: Sequence[Finding] = ()
    sections: Sequence[Section] = ()


def decide(
    rows: Judged, labels: Sequence[str], question: QuestionSettings, seed: int = 7
) -> Decided:
    """From the model's scores on rows that it did not learn from: the validation part, or every
    row while it was held out.

    Without validation rows the scores stay as they are: rows that a model learnt from make it
    look surer than it may be.
    """
    labels = tuple(labels)
    calibrator, tried, name = calibrate(rows, question.calibration, seed)
    findings: list[Finding] = []
    sections: list[Section] = []
    if tried:
        findings.append(_calibrated(tried, name, rows.refit))
        sections += _shown(rows, tried, name, labels)
    elif question.calibration not in ("none", "auto"):
        findings.append(_too_few(question.calibration))
    matrix = cost_matrix(labels, question.costs)
    if matrix is None:
        return Decided(ClassDecision(labels, None, calibrator), findings, sections)
    if len(labels) != 2:
        findings.append(_by_cost(len(labels)))
        table = tuple(map(tuple, matrix.tolist()))
        return Decided(ClassDecision(labels, None, calibrator, table), findings, sections)
    costs = float(matrix[0, 1]), float(matrix[1, 0])
    held = next((one.held for one in tried if one.name == name), rows.scores)
    chance = held[:, 1] if len(held) else np.zeros(0)
    threshold = choose(chance, rows.truth, rows.weight, rows.cluster, costs)
    findings.append(_told(threshold, labels[1], costs, rows.refit))
    return Decided(ClassDecision(labels, threshold.value, calibrator), findings, sections)


def _by_cost(labels: int) -> Finding:
    """Of several labels no threshold is sought: the answer follows from the costs (Elkan 2001)."""
    return Finding(
        "answers-by-cost",
        "info",
        0,
        say(
            f"Of the {labels} labels the one is answered whose expected cost, by the project's "
            "costs and the probabilities, is the least; it need not be the likeliest.",
            f"在 {labels} 个类别中，按项目成本与概率选择期望成本最低者作为回答，"
            "不一定是概率最大者。",
        ),
    )


def _calibrated(tried: Sequence[Tried], name: str, refit: bool) -> Finding:
    by_name = {one.name: one for one in tried}
    before, after = by_name["none"], by_name[name]
    english, chinese = _NAMES[name]
    if name == "none":
        message = say(
            "The model's own probabilities are kept: no calibration improved them beyond chance.",
            "保留模型自身的概率：没有哪种校准方法显著更好。",
        )
    else:
        message = say(
            f"Probabilities are calibrated ({english}): log loss on held-out "
            f"{'' if refit else 'validation '}rows "
            f"{before.log_loss:.4f} before, {after.log_loss:.4f} after.",
            f"概率已校准（{chinese}）：{'' if refit else '验证集'}留出行上的对数损失由 "
            f"{before.log_loss:.4f} 变为 {after.log_loss:.4f}。",
        )
    details: dict[str, JsonValue] = {
        one.name: {"log_loss": one.log_loss, "brier": one.brier, "gain": one.gain,
                   "error": one.error}
        for one in tried
    }  # fmt: skip
    return Finding("calibration", "info", 0, message, details={"chosen": name, **details})


def _too_few(wanted: str) -> Finding:
    return Finding(
        "calibration-left-out",
        "warning",
        0,
        say(
            f"Probabilities are not calibrated ({wanted} was asked for): the validation part has "
            "fewer than ten independent rows of a label, or all scores are alike.",
            f"未作概率校准（要求 {wanted}）：验证集中某类别的独立行不足十行，或所有得分相同。",
        ),
        remedy=say(
            "Set a larger data.split.valid, or model.calibration: none.",
            "请增大 data.split.valid，或设置 model.calibration: none。",
        ),
    )


def _told(threshold: Threshold, event: str, costs: tuple[float, float], refit: bool) -> Finding:
    alarm, missed = costs
    message = say(
        f"{event} is answered from a probability of {threshold.value:.4g} on: a missed one costs "
        f"{missed:g}, a false one {alarm:g}.",
        f"概率达到 {threshold.value:.4g} 即判为 {event}：漏判成本 {missed:g}，误判成本 {alarm:g}。",
    )
    if np.isfinite(threshold.cheapest):
        other = threshold.value != threshold.by_costs
        message += say(
            f" On {'held-out rows' if refit else 'the validation part'} "
            f"{threshold.cheapest:.4g} was cheapest, by "
            f"{threshold.saved:.4g} ± {threshold.error:.4g} a row against "
            f"{threshold.by_costs:.4g}, where both answers cost the same: "
            + ("beyond doubt." if other else "within chance."),
            f"{'留出行' if refit else '验证集'}上 {threshold.cheapest:.4g} 成本最低，"
            f"比两种回答成本相等处 {threshold.by_costs:.4g} 每行省 "
            f"{threshold.saved:.4g} ± {threshold.error:.4g}："
            + ("差异确凿。" if other else "未超出随机波动。"),
        )
    details = {
        "value": threshold.value,
        "by_costs": threshold.by_costs,
        "cheapest": threshold.cheapest if np.isfinite(threshold.cheapest) else None,
        "saved": threshold.saved,
        "error": threshold.error,
    }
    return Finding("threshold", "info", 0, message, details=details)


def _shown(rows: Judged, tried: Sequence[Tried], name: str, labels: Sequence[str]) -> list[Section]:
    found: list[Section] = []
    if len(labels) == 2:
        found.append(_before_and_after(rows, tried, name, labels[1]))
    table: list[list[JsonValue]] = [
        [
            say(*_NAMES[one.name]),
            one.log_loss,
            one.brier,
            f"{one.gain:+.4f} ± {one.error:.4f}",
            one.name == name,
        ]
        for one in tried
    ]
    columns = [
        say("calibration", "校准方法"),
        say("log loss", "对数损失"),
        say("Brier score", "Brier 分数"),
        say("saved a row", "每行改善"),
        say("in use", "已采用"),
    ]
    place = _place(rows)
    note = say(
        "Each row was held out while the calibration was learnt. A calibration is used where it "
        "saves more than one standard error.",
        "均为留出结果：学习校准时未使用该行。改善超过一个标准误时才采用。",
    )
    title = say(f"Ways of calibrating, on {place}", f"校准方法对比（{place}）")
    found.append(Table(title, columns, table, note))
    return found


def _place(rows: Judged) -> str:
    if rows.refit:
        return say("rows held out of the model", "模型未见过的行")
    return say("the validation part", "验证集")


def _before_and_after(rows: Judged, tried: Sequence[Tried], name: str, event: str) -> Lines:
    from luodi.evaluation.shorten import NAME_LENGTH, shorten

    event = shorten(event, NAME_LENGTH)
    shown = {say("before", "校准前"): rows.scores}
    if name != "none":
        held = next(one.held for one in tried if one.name == name)
        shown[say("after", "校准后")] = held
    series, spread = {}, {}
    for title, chance in shown.items():
        series[title], spread[title] = _curve(chance[:, 1], rows)
    return Lines(
        say(f"Calibration on {_place(rows)}", f"校准曲线（{_place(rows)}）"),
        say(f"stated probability of {event}", f"给出的 {event} 概率"),
        say(f"share of {event}", f"{event} 的实际比例"),
        series,
        diagonal=True,
        diagonal_name=say("perfectly calibrated", "完全校准"),
        spread=spread,
        note=_note(name),
    )


def _note(name: str) -> str:
    whiskers = say("Whiskers: about 95 % (Wilson).", "须线：约 95%（Wilson）。")
    if name == "none":
        return say("Served as it is. ", "线上概率未作校准。") + whiskers
    return (
        say("After: each row as it was while held out. ", "校准后：每行均为留出时的结果。")
        + whiskers
    )


def _curve(
    chance: Floats, rows: Judged
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Mean stated probability and share of groups of like size, and Wilson's interval (1927)."""
    from luodi.evaluation.event import like_sized

    group = like_sized(chance)
    points, ends = [], []
    for place in range(int(group.max()) + 1):
        inside = group == place
        weight = rows.weight[inside]
        if weight.sum() <= 0:
            continue
        share = float(np.average(rows.truth[inside] == 1, weights=weight))
        points.append((float(np.average(chance[inside], weights=weight)), share))
        n, z = len(np.unique(rows.cluster[inside])), 1.96
        middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
        ends.append((float(middle - half), float(middle + half)))
    return points, ends
