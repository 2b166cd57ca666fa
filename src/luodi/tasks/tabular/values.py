"""From a model's scores to numbers with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Answer, Finding, JsonValue, say
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.conformal import conformal_factor, least_groups
from luodi.tasks.tabular.scale import Scale
from luodi.tasks.tabular.spread import Spread
from luodi.tasks.tabular.target import VALUE


@dataclass(frozen=True)
class Held:
    """Held rows and what a model said of them, on the scale that it learnt on.

    Attributes:
        matrix: (n, f).
        scores, truth, weight: (n,).
        cluster: (n,) rows of one number are no independent evidence.
    """

    matrix: Floats
    scores: Floats
    truth: Floats
    weight: Floats
    cluster: NDArray[np.int64]

    @property
    def errors(self) -> Floats:
        """(n,) truth less score."""
        return np.asarray(self.truth - self.scores)

    def take(self, rows: NDArray[np.int64]) -> Held:
        """The rows at these positions."""
        return Held(self.matrix[rows], self.scores[rows], self.truth[rows], self.weight[rows],
                    self.cluster[rows])  # fmt: skip


@dataclass(frozen=True)
class ValueDecision:
    """A number and the interval around it: see `conformal.py`.

    Attributes:
        factor: expected errors that an interval reaches to either side.
        scale: between scores and numbers.
        spread: what error to expect of a row; None when of all rows the same, 1.
    """

    factor: float
    scale: Scale
    spread: Spread | None = None

    @classmethod
    def learn(
        cls, chosen: Held, kept: Held, scale: Scale, coverage: float, seed: int
    ) -> tuple[Self, bool]:
        """The decision, and whether the kept rows suffice to promise `coverage`.

        Args:
            chosen: rows that training chose by: their errors tell which rows are harder.
            kept: rows that it never saw: their errors tell how wide intervals must be.
        """
        spread = Spread.learn(chosen.matrix, chosen.scores, np.abs(chosen.errors), seed)
        expected = spread.of(kept.matrix, kept.scores) if spread else np.ones(len(kept.truth))
        ratios = np.abs(kept.errors) / expected
        factor, enough = conformal_factor(ratios, kept.cluster, kept.weight, coverage)
        return cls(factor, scale.smeared(chosen.errors, chosen.weight), spread), enough

    def answers(self, scores: Floats, matrix: Floats) -> list[Answer]:
        """(n,) scores of (n, f) rows to n answers."""
        expected = self.spread.of(matrix, scores) if self.spread else np.ones(len(scores))
        half = self.factor * expected
        values = self.scale.mean(scores)
        low = np.minimum(self.scale.back(scores - half), values)
        high = np.maximum(self.scale.back(scores + half), values)
        return [
            {VALUE: value, "low": a, "high": b}
            for value, a, b in zip(values.tolist(), low.tolist(), high.tolist(), strict=True)
        ]

    def to_json(self) -> dict[str, JsonValue]:
        """As plain values."""
        spread = self.spread.to_json() if self.spread else None
        return {"factor": self.factor, "scale": self.scale.to_json(), "spread": spread}

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """What `to_json` wrote."""
        spread = value["spread"]
        return cls(value["factor"], Scale.from_json(value["scale"]),
                   Spread.from_json(spread) if spread else None)  # fmt: skip


def interval_findings(groups: int, apart: bool, enough: bool, coverage: float) -> list[Finding]:
    """What keeps the intervals from their promise.

    Args:
        groups: groups of rows that could be held.
        apart: whether rows were kept that training did not choose by.
        enough: whether they suffice for `coverage`.
    """
    if apart and enough:
        return []
    needed = least_groups(coverage)
    message = say(
        f"The validation part has {groups} independent rows or groups: intervals may hold the "
        f"truth less often than {coverage:g}.",
        f"验证部分只有 {groups} 个独立的行或组：区间包含真实值的比例可能低于 {coverage:g}。",
    )
    return [
        Finding(
            "intervals-weak", "warning", groups, message,
            remedy=say(
                f"At least {needed + max(2, needed // 2)} are needed: raise data.split.valid, or "
                "lower model.coverage.",
                f"至少需要 {needed + max(2, needed // 2)} 个：请调高 data.split.valid 或调低 "
                "model.coverage。",
            ),
        )
    ]  # fmt: skip
