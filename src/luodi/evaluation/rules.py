"""The lines of a project's gate, as written and as read."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from luodi.contracts import JsonValue, say
from luodi.evaluation.metrics import ends_at_one

Sign = Literal[">=", ">", "<=", "<"]
End = Literal["low", "value", "high"]

_RULE = re.compile(r"(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)", re.IGNORECASE)
_PERCENT_LIKE = 2.0
"""From here on a bound for a metric that ends at 1 is a percentage written by mistake."""


@dataclass(frozen=True)
class Threshold:
    """A bound on one metric, held against one end of its interval."""

    metric: str
    sign: Sign
    bound: float
    on: End

    @property
    def text(self) -> str:
        """As the project file would say it."""
        return f"{self.sign} {self.bound:g}"

    def holds(self, value: float) -> bool:
        """Whether `value` keeps to the bound; NaN never does."""
        return {
            ">=": value >= self.bound,
            ">": value > self.bound,
            "<=": value <= self.bound,
            "<": value < self.bound,
        }[self.sign]


@dataclass(frozen=True)
class Beats:
    """Baselines that must be beaten beyond chance, by the paired test."""

    baselines: tuple[str, ...]
    metric: str = "beats"


GateRule = Threshold | Beats


def parse_rule(metric: str, value: JsonValue) -> GateRule:
    """One line of the project file's `gate`.

    Forms: `accuracy: ">= 0.85"`; `log_loss: "<= 0.4"`; `accuracy: {threshold: ">= 0.85", on:
    value}`; `beats: linear`; `beats: [naive, linear]`. Unless told otherwise a threshold is held
    against the interval's unfavourable end: the low one for `>=`, the high one for `<=`.

    Raises:
        ValueError: saying what was found and what was expected.
    """
    if metric == "beats":
        return _beats(value)
    on: JsonValue = None
    if isinstance(value, Mapping):
        if unknown := sorted(set(map(str, value)) - {"threshold", "on"}):
            raise ValueError(
                say(
                    f"{metric}: unknown key {unknown[0]!r}; expected threshold and on.",
                    f"{metric}:未知的键 {unknown[0]!r};应为 threshold 和 on。",
                )
            )
        on, value = value.get("on"), value.get("threshold")
    match = _RULE.fullmatch(_plain(value)) if isinstance(value, str) else None
    if match is None:
        raise ValueError(_no_rule(metric, value))
    sign, bound = cast(Sign, match[1]), float(match[2])
    if not math.isfinite(bound):
        raise ValueError(_no_rule(metric, value))
    if ends_at_one(metric) and bound >= _PERCENT_LIKE:
        raise ValueError(
            say(
                f"{metric}: {bound:g} is out of reach, the metric ends at 1; "
                f"expected a share such as {bound / 100:g}.",
                f"{metric}:{bound:g} 超出范围,该指标最大为 1;应写成比例,例如 {bound / 100:g}。",
            )
        )
    if on not in (None, "low", "value", "high"):
        raise ValueError(
            say(
                f"{metric}: on: {on!r}; expected low, value or high.",
                f"{metric}:on 的值为 {on!r};应为 low、value 或 high。",
            )
        )
    return Threshold(metric, sign, bound, on or ("low" if sign[0] == ">" else "high"))


def _plain(text: str) -> str:
    """Signs as typed on a Chinese keyboard, read as their plain forms."""
    wide = text.replace("≥", ">=").replace("≤", "<=").replace("≧", ">=").replace("≦", "<=")
    return unicodedata.normalize("NFKC", wide).strip()


def _no_rule(metric: str, value: JsonValue) -> str:
    hint = ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        hint = say(f' Did you mean ">= {value:g}"?', f'是否想写 ">= {value:g}"?')
    return (
        say(
            f'{metric}: found {value!r}; expected a bound such as ">= 0.85" or "<= 0.1".',
            f'{metric}:收到 {value!r};应为阈值,例如 ">= 0.85" 或 "<= 0.1"。',
        )
        + hint
    )


def _beats(value: JsonValue) -> Beats:
    names = [value] if isinstance(value, str) else value
    if (
        not isinstance(names, list | tuple)
        or not names
        or not all(isinstance(name, str) and name.strip() for name in names)
    ):
        raise ValueError(
            say(
                f"beats: found {value!r}; expected a baseline's name, or a list of names, "
                "such as linear or [naive, linear].",
                f"beats:收到 {value!r};应为基线名称或其列表,例如 linear 或 [naive, linear]。",
            )
        )
    return Beats(tuple(dict.fromkeys(name.strip() for name in names)))
