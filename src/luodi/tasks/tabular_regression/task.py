"""Tabular regression: a row of columns in, a number and its interval out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from luodi.contracts import (
    Answer,
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
    Valued,
    say,
)
from luodi.data.weights import row_weights
from luodi.tasks.tabular.columns import request_fields
from luodi.tasks.tabular.target import VALUE, clusters_of
from luodi.tasks.tabular.task import ROLES, TabularTask, general_findings


class TabularRegression(TabularTask):
    """Which number belongs to these columns?"""

    name = "tabular-regression"
    roles: Mapping[Role, RoleRule] = {
        **ROLES,
        Role.LABEL: RoleRule(required=True, kind="number", meaning="the number to be learnt"),
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

        every: tuple[Learner, ...] = (
            NaiveLearner(),
            LinearLearner(),
            BoostingLearner(),
            ForestLearner(),
            MlpLearner(),
            TransformerLearner(),
            GivenLearner(),
        )
        return {learner.name: learner for learner in every}

    @cached_property
    def metrics(self) -> Sequence[Metric[Any]]:
        """RMSE is chosen on."""
        from luodi.evaluation.metrics import REGRESSION

        return REGRESSION

    def inspect(self, data: Dataset, settings: CleanSettings) -> Sequence[Finding]:
        """One number only; too few rows.

        Raises:
            DataError: the logarithm is to be learnt of numbers below 0.
        """
        from luodi.tasks.tabular.scale import Scale

        values = data.table.get_column(data.column(Role.LABEL)).drop_nulls()
        Scale.learn(values.to_numpy(), data.question.target)
        if values.n_unique() > 1:
            return general_findings(data, settings)
        return [
            Finding(
                "one-value",
                "error",
                len(values),
                say(
                    "All rows carry the same number: there is nothing to learn.",
                    "所有行的目标值都相同，没有可学习的内容。",
                ),
                remedy=say("Name another column under data.columns.label.",
                           "请在 data.columns.label 指定其他列。"),
            )
        ]  # fmt: skip

    def split(self, data: Dataset, settings: SplitSettings) -> Parts:
        """Copies and groups together."""
        from luodi.data.split import split

        return split(data, settings, stratify=None)

    def schema(self, data: Dataset) -> Schema:
        """A field a column in; the value and its interval out."""
        return Schema(
            request_fields(data),
            tuple(Field(name, "number") for name in (VALUE, "low", "high")),
        )

    def score(self, data: Dataset, answers: Sequence[Answer], schema: Schema) -> Valued:
        """Numbers beside the truth."""
        from luodi.data.groups import groups_of

        truth = data.table.get_column(data.column(Role.LABEL)).to_numpy()
        return Valued(
            weight=row_weights(data),
            cluster=clusters_of(data),
            truth=np.asarray(truth, dtype=np.float64),
            value=np.array([answer[VALUE] for answer in answers], dtype=np.float64),
            groups=groups_of(data),
            low=np.array([answer["low"] for answer in answers], dtype=np.float64),
            high=np.array([answer["high"] for answer in answers], dtype=np.float64),
            coverage=data.question.coverage,
        )

    def sections(
        self, data: Dataset, answers: Sequence[Answer], scored: Valued, level: float
    ) -> Sequence[Section]:
        """Answer against truth, residuals, the largest errors, the intervals' coverage."""
        from luodi.data.privacy import Masked
        from luodi.evaluation.regression import sections

        return sections(Masked(self.content(data)), scored, level)


task = TabularRegression()
