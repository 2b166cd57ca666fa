"""From accuracies in time to ratios.

A contestant that never reached a target within its run needs more than the run took: its time is
known from below only. So every time is a pair of bounds, and so is every ratio and every median.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

Clock = Literal["train_seconds", "whole_seconds"]
CLOCKS: tuple[Clock, ...] = ("train_seconds", "whole_seconds")


@dataclass(frozen=True)
class Bounds:
    """A number known to lie between two ends, both included."""

    low: float
    high: float

    @property
    def exact(self) -> bool:
        """Whether the two ends meet."""
        return self.low == self.high

    @property
    def known(self) -> bool:
        """Whether anything is known at all."""
        return self.low > 0 or self.high < math.inf

    def __truediv__(self, other: Bounds) -> Bounds:
        """The quotient of two positive numbers."""
        low = 0.0 if other.high == math.inf else self.low / other.high
        return Bounds(low, math.inf if other.low == 0 else self.high / other.low)

    def to_json(self) -> dict[str, float | None]:
        """As JSON, which knows no infinity: null for an open end."""
        return {"low": self.low, "high": self.high if self.high < math.inf else None}


def time_to(curve: Sequence[Mapping[str, float]], target: float, clock: Clock) -> Bounds:
    """Seconds until the accuracy first reached `target`.

    Between the last look below the target and the first one at it, the accuracy is taken to rise
    evenly: looks at intervals would otherwise find every script late by half an interval.

    Args:
        curve: looks in order, each with `accuracy` and both clocks, evaluation not counted.
        target: the accuracy asked for.
        clock: which clock.
    """
    before: Mapping[str, float] | None = None
    for look in curve:
        if look["accuracy"] >= target:
            if before is None:
                return Bounds(look[clock], look[clock])
            share = (target - before["accuracy"]) / (look["accuracy"] - before["accuracy"])
            moment = before[clock] + share * (look[clock] - before[clock])
            return Bounds(moment, moment)
        before = look
    return Bounds(before[clock] if before else 0.0, math.inf)


def middle(values: Sequence[Bounds]) -> Bounds:
    """The median: it lies between the median of the lower and of the upper ends."""
    return Bounds(median(v.low for v in values), median(v.high for v in values))


def spread(values: Sequence[Bounds]) -> Bounds:
    """From the least to the greatest value that is possible."""
    return Bounds(min(v.low for v in values), max(v.high for v in values))


@dataclass(frozen=True)
class Compared:
    """One contestant beside ours at one target by one clock, over the seeds both have."""

    contestant: str
    target: float
    clock: Clock
    seconds: Mapping[int, Bounds]
    ratios: Mapping[int, Bounds]

    def to_json(self) -> dict[str, Any]:
        """As in the results file."""
        ratios = list(self.ratios.values())
        return {
            "contestant": self.contestant,
            "target": self.target,
            "clock": self.clock,
            "seconds": {str(seed): value.to_json() for seed, value in self.seconds.items()},
            "ratios": {str(seed): value.to_json() for seed, value in self.ratios.items()},
            "median": middle(ratios).to_json() if ratios else None,
            "spread": spread(ratios).to_json() if ratios else None,
        }


def compare(
    measurements: Sequence[Mapping[str, Any]], names: Sequence[str], target: float, clock: Clock
) -> Compared:
    """The time of the first of `names` that reached the target, over ours of the same seed.

    Where none of them did, the last one measured gives the lower bound: it was given longest.
    """
    ours = _times(measurements, "luodi", target, clock)
    theirs: dict[int, Bounds] = {}
    for name in names:
        for seed, time in _times(measurements, name, target, clock).items():
            if seed not in theirs or not theirs[seed].exact:
                theirs[seed] = time
    ratios = {seed: theirs[seed] / ours[seed] for seed in sorted(theirs) if seed in ours}
    return Compared(names[0], target, clock, dict(sorted(theirs.items())), ratios)


def _times(
    measurements: Sequence[Mapping[str, Any]], name: str, target: float, clock: Clock
) -> dict[int, Bounds]:
    return {
        m["seed"]: time_to(m["curve"], target, clock)
        for m in measurements
        if m["contestant"] == name
    }


Verdict = Literal["met", "missed", "not shown"]


def at_least(value: Bounds, goal: float) -> Verdict:
    """Whether `value` is surely `goal` or more, surely less, or neither."""
    if value.low >= goal:
        return "met"
    return "missed" if value.high < goal else "not shown"
