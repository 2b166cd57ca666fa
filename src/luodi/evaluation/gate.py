"""Whether a model may pass: the project's thresholds, held against intervals, failing closed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.contracts import BEATS, GateRule, Interval, JsonValue, parse_rule, say
from luodi.evaluation.figures import DASH, chance
from luodi.evaluation.measure import Measure
from luodi.evaluation.metrics import by_name, is_known, title
from luodi.evaluation.paired import Paired
from luodi.evaluation.plain import numbers, plain

__all__ = ["GateLine", "GateRule", "Verdict", "judge", "nearest_digits", "parse_rule"]


@dataclass(frozen=True)
class GateLine:
    """One line of the gate, judged.

    Attributes:
        rule: as written, such as `>= 0.85`; for a baseline, what must be beaten.
        used: the number that was held against the rule; NaN when there was none.
        on: which end it was; `low` for a baseline.
        reason: one sentence.
    """

    metric: str
    rule: str
    value: float
    low: float
    high: float
    used: float
    on: str
    passed: bool
    reason: str
    bound: float = math.nan


@dataclass(frozen=True)
class Verdict:
    """What the gate says: passed only when every line does.

    Attributes:
        reason: why, in a sentence or two.
        warnings: what did not decide, and should be known.
    """

    passed: bool
    lines: tuple[GateLine, ...]
    reason: str
    warnings: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The verdict with its reason."""
        word = say("Passed.", "通过。") if self.passed else say("Refused.", "未通过。")
        return word + say(" ", "") + self.reason

    def to_json(self) -> dict[str, JsonValue]:
        """The verdict as JSON; NaN becomes null."""
        return {**plain(self), "sentence": self.sentence}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Verdict:
        """The verdict that `to_json` wrote."""
        ends = ("value", "low", "high", "used", "bound")
        lines = tuple(GateLine(**numbers(item, ends)) for item in value["lines"])
        return cls(value["passed"], lines, value["reason"], tuple(value["warnings"]))


def judge(
    rules: Sequence[GateRule],
    metrics: Mapping[str, Interval],
    paired: Mapping[str, Paired],
) -> Verdict:
    """Hold every rule against the intervals, and the baselines against the paired tests.

    A metric that was not computed, or is NaN, fails. Without any rule, the plainest baseline must
    be beaten beyond chance.

    Args:
        metrics: name -> the bundle's interval on the test part.
        paired: baseline name -> the comparison with it, the plainest first.
    """
    if not rules:
        plainest = "naive" if "naive" in paired else next(iter(paired), "naive")
        rules = [GateRule(BEATS, beats=(plainest,))]
    lines: list[GateLine] = []
    for rule in rules:
        if rule.beats:
            lines.extend(_beats_line(name, paired) for name in rule.beats)
        else:
            lines.append(_threshold_line(rule, metrics))
    demanded = {name for rule in rules for name in rule.beats}
    warnings = [
        _not_beaten(name, result)
        for name, result in paired.items()
        if name not in demanded and not result.better
    ]
    warnings += [_wrong_way(rule) for rule in rules if _is_wrong_way(rule)]
    passed = bool(lines) and all(line.passed for line in lines)
    return Verdict(passed, tuple(lines), _reason(lines), tuple(warnings))


def _is_wrong_way(rule: GateRule) -> bool:
    """Whether a rule bounds a metric on its good side, as a mistyped sign would."""
    if rule.beats or not is_known(rule.metric):
        return False
    return by_name(rule.metric).higher_is_better != (rule.operator in (">=", ">"))


def _wrong_way(rule: GateRule) -> str:
    name, better = title(rule.metric), by_name(rule.metric).higher_is_better
    return say(
        f"{name} is better when {'higher' if better else 'lower'}, yet the gate asks for "
        f"{rule.text}: is the sign meant?",
        f"{name}（越{'高' if better else '低'}越好）的门槛写成了 {rule.text}，请确认符号是否写反。",
    )


def _threshold_line(rule: GateRule, metrics: Mapping[str, Interval]) -> GateLine:
    found = metrics.get(rule.metric)
    name = title(rule.metric)
    if found is None:
        known = ", ".join(metrics)
        reason = say(
            f"{name} was not measured; known here: {known}.",
            f"未测得{name}；本次可用指标：{known}。",
        )
        nan = math.nan
        return GateLine(
            rule.metric, rule.text, nan, nan, nan, nan, rule.on, False, reason, rule.threshold
        )
    used = {"low": found.low, "value": found.value, "high": found.high}[rule.on]
    passed = rule.holds(used)
    return GateLine(
        metric=rule.metric,
        rule=rule.text,
        value=found.value,
        low=found.low,
        high=found.high,
        used=used,
        on=rule.on,
        passed=passed,
        reason=_threshold_reason(rule, found, used, passed),
        bound=rule.threshold,
    )


def _threshold_reason(rule: GateRule, found: Interval, used: float, passed: bool) -> str:
    name = title(rule.metric)
    if math.isnan(used):
        why = by_name(rule.metric).undefined if is_known(rule.metric) else Measure.undefined
        return say(
            f"{name} cannot be judged here: it has no value or no interval ({why[0]}); "
            f"{rule.text} cannot be shown, so it is refused.",
            f"{name}在此无法判定：没有取值或没有区间（{why[1]}），无法证明 {rule.text}，"
            "因此不予通过。",
        )
    if is_known(rule.metric) and rule.operator[0] == ">":
        most = by_name(rule.metric).highest
        if rule.threshold > most:
            return say(
                f"{name} never exceeds {most:g}: {rule.text} cannot be reached.",
                f"{name}不会超过 {most:g}，{rule.text} 无法达到。",
            )
    end = {
        "low": say("the interval's low end", "区间下端"),
        "value": say("the value", "取值"),
        "high": say("the interval's high end", "区间上端"),
    }[rule.on]
    shown, verb = nearest_digits(used, rule.threshold), say("holds", "满足")
    if not passed:
        verb = say("misses", "未达到")
        if rule.on != "value" and rule.holds(found.value):
            return say(
                f"{name}: {end}, {shown}, misses {rule.text}. The value {found.value:.4f} alone "
                "would pass; the evidence is not enough.",
                f"{name}：{end} {shown} 未达到 {rule.text}。仅看取值 {found.value:.4f} "
                "可以通过，但证据不足。",
            )
    return say(
        f"{name}: {end}, {shown}, {verb} {rule.text}.",
        f"{name}：{end} {shown} {verb} {rule.text}。",
    )


def nearest_digits(value: float, bound: float) -> str:
    """`value` with as many digits as it takes to tell it from `bound`: at least four."""
    for digits in range(4, 16):
        text = f"{value:.{digits}f}"
        if float(text) != bound or value == bound:
            return text
    return repr(value)


def _beats_line(baseline: str, paired: Mapping[str, Paired]) -> GateLine:
    rule = say(f"better than {baseline}", f"优于基线 {baseline}")
    result = paired.get(baseline)
    if result is None:
        nan, known = math.nan, ", ".join(paired) or say("none", "无")
        reason = say(
            f"There is no comparison with {baseline}; compared here: {known}.",
            f"没有与基线 {baseline} 的比较；本次比较过的基线：{known}。",
        )
        return GateLine(BEATS, rule, nan, nan, nan, nan, "low", False, reason, 0.0)
    on = "low" if result.higher_is_better else "high"
    reason = _beaten(baseline, result) if result.better else _not_beaten(baseline, result)
    return GateLine(
        metric=result.metric,
        rule=rule,
        value=result.difference,
        low=result.low,
        high=result.high,
        used=result.low if result.higher_is_better else result.high,
        on=on,
        passed=result.better,
        reason=reason,
        bound=0.0,
    )


def _spread(result: Paired) -> str:
    if not math.isfinite(result.low + result.high):
        return f"{result.difference:+.4f}" if math.isfinite(result.difference) else DASH
    return f"{result.difference:+.4f} [{result.low:+.4f}, {result.high:+.4f}]"


def _beaten(baseline: str, result: Paired) -> str:
    name = title(result.metric)
    return say(
        f"{name} differs from the {baseline} baseline by {_spread(result)}: better, beyond chance.",
        f"{name}与基线 {baseline} 相差 {_spread(result)}：显著更优。",
    )


def _not_beaten(baseline: str, result: Paired) -> str:
    name = title(result.metric)
    return say(
        f"Not significantly better than the {baseline} baseline: {name} differs by "
        f"{_spread(result)} ({chance(result.p_value)}).",
        f"并未显著优于基线 {baseline}：{name}相差 {_spread(result)}（{chance(result.p_value)}）。",
    )


def _reason(lines: Sequence[GateLine]) -> str:
    failed = [line for line in lines if not line.passed]
    if not failed:
        return say(
            f"Every line of the gate holds ({len(lines)} of {len(lines)}).",
            f"门槛全部满足（{len(lines)}/{len(lines)}）。",
        )
    more = len(failed) - 1
    also = say(f" {more} more failed.", f"另有 {more} 项未满足。") if more else ""
    return failed[0].reason + also
