"""On which scale a number is learnt: as it is, or by its logarithm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np

from luodi.contracts import DataError, JsonValue, TargetScale, say
from luodi.tasks.tabular.codes import Floats, skew

_SKEWED = 1.5
"""From this skewness on a positive target is learnt by its logarithm, where that evens it out."""
_BEYOND = 0.5
"""How far beyond the training part's range an answer on the log scale may go, in its own spans."""


@dataclass(frozen=True)
class Scale:
    """Between numbers and what a model learns. `smear` turns typical values into means.

    Attributes:
        log: whether log(value + start) is learnt.
        low, high: the range of what is learnt, on which answers are kept when `log`: the
            exponential of a wild answer would be wilder.
        smear: the mean of exp(error) (Duan 1983): exp(mean of logs) alone would lie too low.
    """

    log: bool = False
    start: float = 0.0
    low: float = 0.0
    high: float = 0.0
    smear: float = 1.0

    @classmethod
    def learn(cls, truth: Floats, wanted: TargetScale) -> Self:
        """From the training part's numbers.

        Raises:
            DataError: when a logarithm is asked for and a number is below zero.
        """
        if wanted == "none" or not len(truth):
            return cls()
        least = float(truth.min())
        if least < 0:
            if wanted == "auto":
                return cls()
            raise DataError(
                say(
                    f"model.target is log, and the least number to be learnt is {least:g}.",
                    f"model.target 为 log，但目标值最小为 {least:g}。",
                ),
                say("A logarithm takes numbers from 0 on.", "取对数要求目标值不小于 0。"),
                say("Set model.target: none.", "请设置 model.target: none。"),
            )
        positive = truth[truth > 0]
        start = 0.0 if least > 0 or not len(positive) else float(np.quantile(positive, 0.05))
        if not len(positive):
            return cls()
        logs = np.log(truth + start)
        evens = skew(truth) > _SKEWED and abs(skew(logs)) < skew(truth) / 2
        if wanted == "auto" and not evens:
            return cls()
        span = float(np.ptp(logs))
        return cls(True, start, float(logs.min()) - _BEYOND * span,
                   float(logs.max()) + _BEYOND * span)  # fmt: skip

    def forward(self, values: Floats) -> Floats:
        """What a model learns."""
        if not self.log:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.nan_to_num(np.log(values + self.start), nan=self.low)
        return np.asarray(np.clip(logs, self.low, self.high))

    def back(self, scores: Floats) -> Floats:
        """The values that scores stand for; ends of intervals go this way."""
        if not self.log:
            return scores
        return np.exp(np.clip(scores, self.low, self.high)) - self.start

    def mean(self, scores: Floats) -> Floats:
        """The values to answer with."""
        if not self.log:
            return scores
        return np.exp(np.clip(scores, self.low, self.high)) * self.smear - self.start

    def smeared(self, errors: Floats, weight: Floats) -> Scale:
        """The scale with its smear, from the (n,) errors (truth less score) of held rows."""
        if not self.log or not len(errors) or not weight.sum() > 0:
            return self
        smear = float(np.average(np.exp(np.clip(errors, -5, 5)), weights=weight))
        return Scale(self.log, self.start, self.low, self.high, smear)

    def to_json(self) -> dict[str, JsonValue]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """What `to_json` wrote."""
        return cls(**value)
