"""What classification and regression on tables have in common as tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from luodi.contracts import (
    Answer,
    Answering,
    CleanSettings,
    Dataset,
    Finding,
    JsonValue,
    Predictor,
    Request,
    Role,
    RoleRule,
    Schema,
    Section,
    Task,
    say,
)
from luodi.tasks.tabular.columns import row_texts, seen_fields, table_requests

_PREDICTORS = {
    "naive": "naive:NaivePredictor",
    "linear": "sums:LinearPredictor",
    "scorecard": "scorecard:ScorecardPredictor",
    "boosting": "trees:TreePredictor",
    "forest": "trees:TreePredictor",
    "mlp": "networks:NetworkPredictor",
    "transformer": "networks:NetworkPredictor",
}
"""Learner -> where the class is that reads what it exported."""
_EXPLAINED, _CELLS = 1000, 100_000
"""Rows of the test part that explanations are made from; fewer of a wide table, as each costs more
(a hundred at the least)."""

ROLES: Mapping[Role, RoleRule] = {
    Role.FEATURE: RoleRule(
        many=True, rest=True, meaning="what is learnt from; all other columns when none is named"
    ),
    Role.GROUP: RoleRule(meaning="rows of one group stay on one side of a split"),
    Role.TIME: RoleRule(meaning="when the row arose; the latest rows are judged on"),
    Role.WEIGHT: RoleRule(meaning="what the row counts for"),
    Role.SLICE: RoleRule(many=True, shared=True, meaning="measured by its values"),
    Role.PROTECTED: RoleRule(
        many=True, meaning="fairness is measured by its values; not learnt from unless a feature"
    ),
    Role.ID: RoleRule(many=True, meaning="names the row; never learnt from"),
}


class TabularTask(Task):
    """Rows of columns in; subclasses say what comes out."""

    baselines: Sequence[str] = ("naive", "linear")
    auto: Sequence[str] = ("linear", "boosting")

    def predictor(self, learner: str) -> type[Predictor]:
        """From its own module, without the learner's: a service is smaller by what trains."""
        if learner not in _PREDICTORS:
            return self.learners[learner].predictor
        module, _, name = _PREDICTORS[learner].partition(":")
        found: type[Predictor] = getattr(import_module(f"luodi.tasks.tabular.{module}"), name)
        return found

    @property
    def defaults(self) -> Mapping[str, JsonValue]:
        """Equal rows with different labels are no mistake in a table: the columns may not tell all.

        Copies are kept, and kept together, for the same reason: they carry weight.
        """
        return {"data.clean.duplicates": "keep", "data.clean.conflicts": "keep"}

    def content(self, data: Dataset) -> Sequence[str]:
        """All features as one text."""
        return row_texts(data)

    def seen(self, schema: Schema, train: Dataset) -> Schema:
        """Categories and examples of the training part; no field for a column empty there."""
        return Schema(seen_fields(schema.request, train), schema.answer)

    def requests(self, data: Dataset, schema: Schema) -> list[Request]:
        """A mapping of field to value a row."""
        return table_requests(data, schema.request)

    def explanations(
        self, bundle: Answering, data: Dataset, scored: Any, seed: int
    ) -> Sequence[Section]:
        """What weighs, what is missed when it is shuffled, how answers follow it, and examples."""
        from luodi.evaluation.explanations import Question, explain

        most = min(_EXPLAINED, max(100, _CELLS // max(len(bundle.schema.request), 1)))
        rows = np.sort(np.random.default_rng(seed).permutation(data.rows)[:most])
        part = data.take(rows)
        metric = self.metrics[0]
        sign = 1 if metric.higher_is_better else -1

        def goodness(answers: Sequence[Answer]) -> float:
            judged = self.score(part, answers, bundle.schema)
            return sign * float(metric.compute(judged, judged.weight[None, :])[0])

        question = Question(
            bundle, self.requests(part, bundle.schema), bundle.schema, goodness, metric.name, seed
        )
        return explain(question)


def general_findings(data: Dataset, settings: CleanSettings) -> list[Finding]:
    """What no task on tables can live with: too few rows, columns that give the label away; and
    how columns are read.
    """
    from luodi.data.findings.reading import told_reading
    from luodi.data.leaks import find_leaks

    if data.rows >= 3 * settings.min_rows_per_class:
        return [*find_leaks(data), *told_reading(data)]
    return [
        Finding(
            "too-few-rows",
            "error",
            data.rows,
            say(f"There are only {data.rows} rows.", f"只有 {data.rows} 行。"),
            remedy=say("Collect more rows.", "请收集更多数据。"),
        )
    ]
