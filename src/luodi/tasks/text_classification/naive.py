"""The naive baseline: what is commonest, for every text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from luodi.contracts import (
    Answer,
    Estimate,
    Finding,
    FitSettings,
    Predictor,
    Progress,
    Request,
    Role,
    SearchSpace,
)
from luodi.tasks.classes import class_answers

if TYPE_CHECKING:
    from luodi.contracts import Dataset


class NaivePredictor:
    """The same answer to all: the training part's shares."""

    def __init__(self, labels: Sequence[str], shares: Sequence[float]) -> None:
        self.labels, self.shares = tuple(labels), np.asarray(shares, dtype=np.float64)

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read the shares."""
        head = json.loads((folder / "naive.json").read_text("utf-8"))
        return cls(head["labels"], head["shares"])

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        """The commonest label, once a request."""
        return class_answers(np.tile(self.shares, (len(requests), 1)), self.labels)

    def cost(self, request: Request) -> int:
        """Each request costs the same."""
        return 1


@dataclass(frozen=True)
class NaiveFitted:
    """Each label's share of the training part, never quite zero."""

    labels: tuple[str, ...]
    shares: tuple[float, ...]
    findings: Sequence[Finding] = ()
    history: Sequence[Mapping[str, float]] = ()

    @property
    def licences(self) -> Mapping[str, str]:
        """Nobody else's work is inside."""
        return {}

    def export(self, folder: Path) -> None:
        """One small JSON file."""
        folder.mkdir(parents=True, exist_ok=True)
        head = {"labels": self.labels, "shares": self.shares}
        (folder / "naive.json").write_text(json.dumps(head, ensure_ascii=False), "utf-8")


class NaiveLearner:
    """Counts labels."""

    name = "naive"
    version = 1
    predictor: type[Predictor] = NaivePredictor
    space: SearchSpace = {}

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """Nothing to speak of."""
        return Estimate(seconds=0.1, bytes=1_000_000)

    def fit(
        self, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
    ) -> NaiveFitted:
        """Shares with one row added to each label (Laplace), so that log loss stays finite."""
        labels = settings.schema.answer_field("label").categories
        counts = dict(
            train.table[train.column(Role.LABEL)].value_counts(name="__rows__").iter_rows()
        )
        total = train.rows + len(labels)
        return NaiveFitted(labels, tuple((counts.get(name, 0) + 1) / total for name in labels))
