"""From a model's scores to its answers: what is learnt after the model, on the validation part."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Answer, QuestionSettings
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.target import LABEL, SCORES, VALUE, Classes, Target

FILE = "decision.json"
COVERAGE = 0.9
"""The chance with which an answer's interval is to hold the truth."""


@dataclass(frozen=True)
class ClassDecision:
    """Which label an answer names: the likeliest, or of two the event from `threshold` on."""

    labels: tuple[str, ...]
    threshold: float | None = None

    @classmethod
    def learn(
        cls, scores: Floats, truth: NDArray[np.int64], labels: Sequence[str],
        question: QuestionSettings,
    ) -> Self:  # fmt: skip
        """From (n, k) scores on the validation part and the project's costs.

        With the cost of a false alarm a and of a missed event m, the event is named from
        p >= a / (a + m) on: there both answers cost the same (Elkan 2001).
        """
        labels = tuple(labels)
        alarm = question.costs.get("false_positive", 0.0)
        missed = question.costs.get("false_negative", 0.0)
        if len(labels) != 2 or alarm + missed <= 0:
            return cls(labels)
        return cls(labels, alarm / (alarm + missed))

    def answers(self, scores: Floats) -> list[Answer]:
        """(n, k) scores to n answers."""
        best = scores.argmax(axis=1)
        if self.threshold is not None:
            best = (scores[:, 1] >= self.threshold).astype(np.int64)
        return [
            {LABEL: self.labels[top], SCORES: dict(zip(self.labels, row, strict=True))}
            for top, row in zip(best.tolist(), scores.tolist(), strict=True)
        ]


@dataclass(frozen=True)
class ValueDecision:
    """A number and the interval around it: split conformal prediction (Vovk et al. 2005).

    `half` is the distance that the share COVERAGE of the validation part's residuals keeps.
    """

    half: float

    @classmethod
    def learn(cls, scores: Floats, truth: Floats) -> Self:
        """From (n,) values on the validation part."""
        residuals = np.sort(np.abs(scores - truth))
        place = math.ceil((len(residuals) + 1) * COVERAGE) - 1
        if not len(residuals):
            return cls(0.0)
        return cls(float(residuals[min(place, len(residuals) - 1)]))

    def answers(self, scores: Floats) -> list[Answer]:
        """(n,) values to n answers."""
        return [
            {VALUE: value, "low": value - self.half, "high": value + self.half}
            for value in scores.tolist()
        ]


Decision = ClassDecision | ValueDecision
_KINDS: Mapping[str, Any] = {"class": ClassDecision, "value": ValueDecision}


def learn_decision(
    scores: Floats, truth: NDArray[np.int64] | Floats, target: Target, question: QuestionSettings
) -> Decision:
    """How the scores of a model become answers, learnt on the validation part alone."""
    if isinstance(target, Classes):
        return ClassDecision.learn(scores, truth.astype(np.int64), target.labels, question)
    return ValueDecision.learn(scores, truth.astype(np.float64))


def export_decision(decision: Decision, folder: Path) -> None:
    """Write `decision.json`."""
    kind = next(name for name, known in _KINDS.items() if isinstance(decision, known))
    text = json.dumps({"kind": kind, **asdict(decision)}, ensure_ascii=False)
    (folder / FILE).write_text(text, "utf-8")


def load_decision(folder: Path) -> Decision:
    """Read what `export_decision` wrote."""
    head = json.loads((folder / FILE).read_text("utf-8"))
    content = {n: tuple(v) if isinstance(v, list) else v for n, v in head.items() if n != "kind"}
    decision: Decision = _KINDS[head["kind"]](**content)
    return decision
