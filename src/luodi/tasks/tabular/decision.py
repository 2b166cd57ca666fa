"""From a model's scores to its answers: what is learnt after the model, on the validation part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from luodi.contracts import Answer, JsonValue
from luodi.tasks.tabular.calibrators import (
    Calibrator,
    Unchanged,
    calibrator_from_json,
    calibrator_to_json,
)
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.target import LABEL, SCORES
from luodi.tasks.tabular.values import ValueDecision

FILE = "decision.json"


@dataclass(frozen=True)
class ClassDecision:
    """Calibrated probabilities, and the label that an answer names: the likeliest; of two the event
    from `threshold` on; with `costs` (truth by answer) the one of the least expected cost.
    """

    labels: tuple[str, ...]
    threshold: float | None = None
    calibrator: Calibrator = Unchanged()  # noqa: RUF009  # frozen, and holds nothing
    costs: tuple[tuple[float, ...], ...] = ()

    def answers(self, scores: Floats, matrix: Floats) -> list[Answer]:
        """(n, k) scores to n answers; the rows themselves tell nothing more."""
        chance = self.calibrator.apply(scores)
        best = (chance @ np.array(self.costs)).argmin(1) if self.costs else chance.argmax(axis=1)
        if self.threshold is not None:
            best = (chance[:, 1] >= self.threshold).astype(np.int64)
        return [
            {LABEL: self.labels[top], SCORES: dict(zip(self.labels, row, strict=True))}
            for top, row in zip(best.tolist(), chance.tolist(), strict=True)
        ]

    def to_json(self) -> dict[str, JsonValue]:
        """As plain values."""
        return {
            "labels": list(self.labels),
            "threshold": self.threshold,
            "calibrator": calibrator_to_json(self.calibrator),
            **({"costs": [list(row) for row in self.costs]} if self.costs else {}),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """What `to_json` wrote."""
        calibrator = calibrator_from_json(value["calibrator"])
        costs = tuple(tuple(row) for row in value.get("costs", ()))
        return cls(tuple(value["labels"]), value["threshold"], calibrator, costs)


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
