"""Keeping a fit within its seconds: fewer epochs, then shorter texts, then fewer rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from luodi.contracts import Finding, say
from luodi.training.batching import Ints

_LEAST_EPOCHS = 2
"""Below two passes a fine-tuned head is not yet settled; shorter texts lose less."""
_LEAST_LENGTH = 48
"""Tokens: below, a text's opening words are all that is left."""
_VALID_SHARE = 0.35
"""A forward pass without gradients, as a share of a training step on the same tokens."""
_MARGIN = 1.08
"""What a plan allows for: the optimiser's step, checkpoints, a noisy machine."""


class Clock:
    """Seconds of a fit, those before a kill included, against its budget (None: no limit)."""

    def __init__(self, budget: float | None, spent: float = 0.0) -> None:
        self.budget = budget
        self._start = time.monotonic() - spent

    @property
    def elapsed(self) -> float:
        """Seconds since the fit began."""
        return time.monotonic() - self._start

    def add(self, spent: float) -> None:
        """Count seconds that an earlier, killed process took."""
        self._start -= spent

    def left(self, reserve: float = 0.0) -> float:
        """Seconds until the budget ends, less a reserve for what comes after training."""
        if self.budget is None:
            return float("inf")
        return self.budget - reserve - self.elapsed


@dataclass(frozen=True)
class Plan:
    """What is trained: passes, tokens that a text may have, rows."""

    epochs: int
    length: int
    rows: int


def plan_seconds(plan: Plan, train: Ints, valid: Ints, pace: float) -> float:
    """What a plan takes, at `pace` seconds a token of a training step."""
    share = plan.rows / max(len(train), 1)
    tokens = float(np.minimum(train, plan.length).sum()) * share
    judged = float(np.minimum(valid, plan.length).sum()) * _VALID_SHARE
    return plan.epochs * (tokens + judged) * pace * _MARGIN


def fit_plan(
    wish: Plan, train: Ints, valid: Ints, pace: float, seconds: float
) -> tuple[Plan, list[Finding]]:
    """The largest plan within `seconds`, and what it gave up of the wish.

    Args:
        wish: what would be done with no limit.
        train, valid: (n,) tokens of each text.
        pace: measured seconds a token.
        seconds: what is left for training.
    """
    plan = wish
    while plan.epochs > _LEAST_EPOCHS and plan_seconds(plan, train, valid, pace) > seconds:
        plan = replace(plan, epochs=plan.epochs - 1)
    if plan_seconds(plan, train, valid, pace) > seconds:
        plan = replace(plan, length=_shorter(plan, train, valid, pace, seconds))
    needed = plan_seconds(plan, train, valid, pace)
    if needed > seconds:
        rows = int(plan.rows * max(seconds, 0.0) / needed)
        plan = replace(plan, rows=max(rows, min(plan.rows, 64)))
    return plan, _told(wish, plan, train)


def _shorter(plan: Plan, train: Ints, valid: Ints, pace: float, seconds: float) -> int:
    """The greatest length within `seconds`, by halving the interval; never below the least."""
    low, high = min(_LEAST_LENGTH, plan.length), plan.length
    while low < high:
        middle = (low + high + 1) // 2
        if plan_seconds(replace(plan, length=middle), train, valid, pace) <= seconds:
            low = middle
        else:
            high = middle - 1
    return low


def _told(wish: Plan, plan: Plan, train: Ints) -> list[Finding]:
    findings = []
    if plan.epochs < wish.epochs:
        findings.append(
            budget_finding(
                "budget-epochs",
                wish.epochs - plan.epochs,
                say(
                    f"To keep to the budget, training makes {plan.epochs} passes instead of "
                    f"{wish.epochs}.",
                    f"为不超出预算，训练轮数由 {wish.epochs} 减为 {plan.epochs}。",
                ),
            )
        )
    if plan.length < wish.length:
        findings.append(
            budget_finding(
                "budget-length",
                0,  # which texts that cuts short is counted once, where all are counted
                say(
                    f"To keep to the budget, texts are read up to {plan.length} tokens instead of "
                    f"{wish.length}.",
                    f"为不超出预算，文本最多读取 {plan.length} 个词元（原为 {wish.length}）。",
                ),
            )
        )
    if plan.rows < wish.rows:
        findings.append(
            budget_finding(
                "budget-rows",
                wish.rows - plan.rows,
                say(
                    f"To keep to the budget, {plan.rows} of {wish.rows} rows are learnt from.",
                    f"为不超出预算，只学习 {wish.rows} 行中的 {plan.rows} 行。",
                ),
            )
        )
    return findings


def budget_finding(code: str, count: int, message: str) -> Finding:
    """A finding about something given up for the budget."""
    return Finding(
        code,
        "warning",
        count,
        message,
        remedy=say("Raise model.budget.", "可调高 model.budget。"),
        handled=say("Done so.", "已如此处理。"),
    )


def slower_finding(share: float) -> Finding:
    """The finding that training ended early, after `share` of what was planned."""
    return budget_finding(
        "budget-slower",
        0,
        say(
            f"Training ran slower than was measured; to keep to the budget it ended after "
            f"{share:.0%} of what was planned.",
            f"训练比预先测得的慢；为不超出预算，完成计划的 {share:.0%} 后结束。",
        ),
    )


@dataclass
class Pace:
    """How fast this process trains, from its own steps.

    Attributes:
        epoch: tokens of one pass.
        judging: seconds that the validation part takes, once known.
        steps: steps so far.
    """

    epoch: int = 0
    judging: float = 0.0
    steps: int = 0
    _seconds: float = 0.0
    _tokens: int = 0

    def add(self, seconds: float, tokens: int) -> None:
        """Count a step."""
        self.steps += 1
        self._seconds += seconds
        self._tokens += tokens

    def seconds(self, tokens: int) -> float:
        """What so many tokens will take, the judging between them included; 0 while unknown."""
        if not self.steps:
            return 0.0
        return tokens * self._seconds / self._tokens + tokens / max(self.epoch, 1) * self.judging


def spread(batches: Sequence[Ints], count: int) -> list[Ints]:
    """`count` batches spread evenly over a list, for measuring a pace."""
    if len(batches) <= count:
        return list(batches)
    places = np.linspace(0, len(batches) - 1, count).round().astype(int)
    return [batches[i] for i in places]
