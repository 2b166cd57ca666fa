"""One line of the gate, as the project file writes it.

accuracy: ">= 0.85"                            # the interval's unfavourable end must hold
ece: {threshold: "<= 0.1", on: value}          # the point value must hold
beats: linear                                  # significantly better, by the paired test
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from luodi.contracts.json import JsonValue
from luodi.contracts.language import say

Operator = Literal[">=", "<=", ">", "<"]
End = Literal["low", "value", "high"]
BEATS = "beats"

_THRESHOLD = re.compile(
    r"\s*(>=|<=|>|<|≥|≤)\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(%?)\s*"
)
_PLAIN: dict[str, Operator] = {
    ">=": ">=", "≥": ">=", "<=": "<=", "≤": "<=", ">": ">", "<": "<",
}  # fmt: skip


@dataclass(frozen=True)
class GateRule:
    """A bound on a metric, or (`beats`) baselines that must be beaten.

    `on` is the end of the interval that must keep the bound.
    """

    metric: str
    operator: Operator = ">="
    threshold: float = math.nan
    on: End = "low"
    beats: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The rule as a reader would write it."""
        if self.beats:
            return f"{BEATS} {', '.join(self.beats)}"
        return f"{self.operator} {self.threshold:g}"

    def holds(self, value: float) -> bool:
        """Whether `value` keeps the bound; NaN never does."""
        return {
            ">=": value >= self.threshold,
            "<=": value <= self.threshold,
            ">": value > self.threshold,
            "<": value < self.threshold,
        }[self.operator]


def parse_rule(metric: str, value: JsonValue) -> GateRule:
    """The rule that `metric: value` means.

    Raises:
        ValueError: in words, when it means none.
    """
    if metric == BEATS:
        return _beats(value)
    ends: Sequence[End] = ("low", "value", "high")
    on: End | None = None
    if isinstance(value, Mapping):
        if unknown := set(value) - {"threshold", "on"}:
            raise ValueError(_unexpected(", ".join(sorted(map(str, unknown)))))
        chosen = value.get("on")
        if chosen is not None and chosen not in ends:
            raise ValueError(
                say(
                    f"on: {chosen}; expected low, value or high",
                    f"on: {chosen}；应为 low、value 或 high",
                )
            )
        on, value = chosen, value.get("threshold")
    match = (
        _THRESHOLD.fullmatch(unicodedata.normalize("NFKC", value))
        if isinstance(value, str)
        else None
    )
    if match is None:
        raise ValueError(_unexpected(repr(value)))
    operator = _PLAIN[match[1]]
    threshold = float(match[2]) / (100 if match[3] else 1)
    return GateRule(metric, operator, threshold, on or ("low" if ">" in operator else "high"))


def _beats(value: JsonValue) -> GateRule:
    names = (value,) if isinstance(value, str) else value
    if (
        not isinstance(names, list | tuple)
        or not names
        or not all(isinstance(name, str) for name in names)
    ):
        raise ValueError(
            say(
                f"found {value!r}; expected the name of a baseline, such as linear",
                f"收到 {value!r}；应为基线名称，例如 linear",
            )
        )
    return GateRule(BEATS, beats=tuple(names))


def _unexpected(found: str) -> str:
    return say(
        f'found {found}; expected a bound such as ">= 0.85" (in quotes)',
        f'收到 {found}；应为形如 ">= 0.85" 的界限（加引号）',
    )
