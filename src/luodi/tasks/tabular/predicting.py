"""What every predictor on tables does alike. What serves loads this, and nothing that trains."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np

from luodi.contracts import Answer, Reason, Request
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.columns import request_columns
from luodi.tasks.tabular.decision import ClassDecision, Decision, load_decision
from luodi.tasks.tabular.encoder import Encoder
from luodi.tasks.tabular.reasons import field_contributions, reasons_of
from luodi.tasks.tabular.target import LABEL

BACKGROUND = "background.npy"


class Scorer(Protocol):
    """A trained model: a matrix in, scores out. Reads no torch and no scikit-learn."""

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `export` wrote."""

    def export(self, folder: Path) -> None:
        """Write plain arrays, JSON, ONNX or LightGBM's text; never a pickle."""

    def score(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, k) probabilities, or (n,) values."""


class TabularPredictor:
    """Answers with an encoder, a scorer and a decision. A learner's own class names the scorer."""

    scorer_type: ClassVar[type[Scorer]]

    def __init__(
        self, encoder: Encoder, scorer: Scorer, decision: Decision, background: Floats
    ) -> None:
        self.encoder, self.scorer, self.decision = encoder, scorer, decision
        self.background = background

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `TabularFitted.export` wrote."""
        scorer = cls.scorer_type.load(folder, threads)
        background = np.load(folder / BACKGROUND, allow_pickle=False)
        return cls(Encoder.load(folder), scorer, load_decision(folder), background)

    def matrix(self, requests: Sequence[Request]) -> Floats:
        """(n requests, f)."""
        return self.encoder.encode(request_columns(requests, self.encoder.fields))

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request."""
        if not requests:
            return []
        matrix = self.matrix(requests)
        return self.decision.answers(self.scorer.score(matrix), matrix)

    def explain(self, requests: Sequence[Request], most: int = 5) -> list[list[Reason]]:
        """The fields that moved each answer most: see `reasons.py`."""
        if not requests:
            return []
        found, unit = field_contributions(
            self.scorer, self.encoder, self.matrix(requests), self.background
        )
        labels: tuple[str, ...] = ()
        if isinstance(self.decision, ClassDecision):
            labels = self.decision.labels
        elif self.decision.scale.log:
            unit = "log-value"
        tops = np.zeros(len(requests), np.int64)
        if len(labels) > 2:
            named = [answer[LABEL] for answer in self.predict(requests)]
            tops = np.array([labels.index(name) for name in named])
        towards = [labels[top] if len(labels) > 2 else labels[1] if labels else "" for top in tops]
        return [
            reasons_of(each[top], unit, request, self.encoder.fields, name, most)
            for each, top, request, name in zip(found, tops, requests, towards, strict=True)
        ]

    def cost(self, request: Request) -> int:
        """A row is a row."""
        return 1
