"""Tabular classification: a row of columns in, one of a few labels out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from luodi.contracts import (
    Answer,
    Classified,
    CleanSettings,
    Dataset,
    Field,
    Finding,
    Learner,
    Metric,
    Parts,
    Role,
    RoleRule,
    Schema,
    Section,
    SplitSettings,
    say,
)
from luodi.data.weights import row_weights
from luodi.tasks.classes import favourable_place, inspect_labels, unseen_labels
from luodi.tasks.tabular.columns import request_fields
from luodi.tasks.tabular.labels import cost_matrix, ordered_labels
from luodi.tasks.tabular.target import (
    LABEL,
    SCORES,
    Classes,
    clusters_of,
)
from luodi.tasks.tabular.task import ROLES, TabularTask, general_findings


class TabularClassification(TabularTask):
    """Which of these labels belongs to these columns?"""

    name = "tabular-classification"
    roles: Mapping[Role, RoleRule] = {
        **ROLES,
        Role.LABEL: RoleRule(required=True, meaning="the label to be learnt"),
    }

    @cached_property
    def learners(self) -> Mapping[str, Learner]:
        """Their heavy libraries load when they fit."""
        from luodi.tasks.tabular.boosting import BoostingLearner
        from luodi.tasks.tabular.forest import ForestLearner
        from luodi.tasks.tabular.given import GivenLearner
        from luodi.tasks.tabular.linear import LinearLearner
        from luodi.tasks.tabular.naive import NaiveLearner
        from luodi.tasks.tabular.networks import MlpLearner, TransformerLearner
        from luodi.tasks.tabular.scorecard import ScorecardLearner

        every: tuple[Learner, ...] = (
            NaiveLearner(),
            LinearLearner(),
            ScorecardLearner(),
            BoostingLearner(),
            ForestLearner(),
            MlpLearner(),
            TransformerLearner(),
            GivenLearner(),
        )
        return {learner.name: learner for learner in every}

    @cached_property
    def metrics(self) -> Sequence[Metric[Any]]:
        """AUC is chosen on: it needs no threshold, and is not fooled by rare events."""
        from luodi.evaluation.fairness import FAIRNESS
        from luodi.evaluation.metrics import CLASSIFICATION

        first = [metric for metric in CLASSIFICATION if metric.name == "auc"]
        rest = [metric for metric in CLASSIFICATION if metric.name != "auc"]
        return (*first, *rest, *FAIRNESS)

    def inspect(self, data: Dataset, settings: CleanSettings) -> Sequence[Finding]:
        """One class, rare classes, labels that are no classes, an unknown event."""
        labels = data.table.get_column(data.column(Role.LABEL)).drop_nulls().to_list()
        found = inspect_labels(labels, data.column(Role.LABEL), settings)
        found += unseen_labels(labels, data.question)
        positive = data.question.positive
        if positive is not None and positive not in labels:
            found.append(
                Finding(
                    "no-such-label", "error", 0,
                    say(f"data.positive is {positive}, which no row carries.",
                        f"data.positive 为 {positive}，但没有任何行带此标签。"),
                    remedy=say(f"Labels: {', '.join(sorted(set(labels))[:20])}.",
                               f"现有标签：{'、'.join(sorted(set(labels))[:20])}。"),
                )
            )  # fmt: skip
        return [*found, *general_findings(data, settings)]

    def split(self, data: Dataset, settings: SplitSettings) -> Parts:
        """Stratified by label; copies and groups together."""
        from luodi.data.split import split

        return split(data, settings, stratify=data.column(Role.LABEL))

    def schema(self, data: Dataset) -> Schema:
        """A field a column in; the label and every label's probability out."""
        column = data.table.get_column(data.column(Role.LABEL)).drop_nulls()
        question = data.question
        labels = ordered_labels(column.to_list(), question.positive, question.labels)
        return Schema(
            request_fields(data),
            (
                Field(LABEL, "category", categories=labels),
                Field(SCORES, "scores", categories=labels),
            ),
        )

    def score(self, data: Dataset, answers: Sequence[Answer], schema: Schema) -> Classified:
        """Labels and probabilities beside the truth."""
        from luodi.data.groups import groups_of

        labels = schema.answer_field(LABEL).categories
        place = {label: index for index, label in enumerate(labels)}
        probability = [[answer[SCORES][name] for name in labels] for answer in answers]
        return Classified(
            weight=row_weights(data),
            cluster=clusters_of(data),
            truth=Classes(labels).truth(data),
            predicted=np.array([place[answer[LABEL]] for answer in answers], dtype=np.int64),
            probability=np.array(probability, dtype=np.float64).reshape(-1, len(labels)),
            labels=labels,
            groups=groups_of(data),
            costs=cost_matrix(labels, data.question.costs),
            favourable=favourable_place(labels, data.question),
        )

    def sections(
        self, data: Dataset, answers: Sequence[Answer], scored: Classified, level: float
    ) -> Sequence[Section]:
        """Per class, confusion, calibration, the most confident mistakes."""
        from luodi.data.privacy import Masked
        from luodi.evaluation.classification import sections

        return sections(Masked(self.content(data)), answers, scored, level)


task = TabularClassification()
