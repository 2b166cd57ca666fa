"""From a model's scores to its answers: what is learnt after the model, on the validation part."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Answer, JsonValue, QuestionSettings
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.target import LABEL, SCORES
from luodi.tasks.tabular.values import ValueDecision

FILE = "decision.json"


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

    def answers(self, scores: Floats, matrix: Floats) -> list[Answer]:
        """(n, k) scores to n answers; the rows themselves tell nothing more."""
        best = scores.argmax(axis=1)
        if self.threshold is not None:
            best = (scores[:, 1] >= self.threshold).astype(np.int64)
        return [
            {LABEL: self.labels[top], SCORES: dict(zip(self.labels, row, strict=True))}
            for top, row in zip(best.tolist(), scores.tolist(), strict=True)
        ]

    def to_json(self) -> dict[str, JsonValue]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """What `to_json` wrote."""
        return cls(tuple(value["labels"]), value["threshold"])


Decision = ClassDecision | ValueDecision
_KINDS: Mapping[str, Any] = {"class": ClassDecision, "value": ValueDecision}


def export_decision(decision: Decision, folder: Path) -> None:
    """Write `decision.json`."""
    kind = next(name for name, known in _KINDS.items() if isinstance(decision, known))
    text = json.dumps({"kind": kind, **decision.to_json()}, ensure_ascii=False)
    (folder / FILE).write_text(text, "utf-8")


def load_decision(folder: Path) -> Decision:
    """Read what `export_decision` wrote."""
    head = json.loads((folder / FILE).read_text("utf-8"))
    decision: Decision = _KINDS[head.pop("kind")].from_json(head)
    return decision
