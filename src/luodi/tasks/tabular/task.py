"""What classification and regression on tables have in common as tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from luodi.contracts import (
    CleanSettings,
    Dataset,
    Finding,
    JsonValue,
    Request,
    Role,
    RoleRule,
    Schema,
    Task,
    say,
)
from luodi.tasks.tabular.columns import row_texts, table_requests

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
    auto: Sequence[str] = ("linear",)

    @property
    def defaults(self) -> Mapping[str, JsonValue]:
        """Equal rows with different labels are no mistake in a table: the columns may not tell all.

        Copies are kept, and kept together, for the same reason: they carry weight.
        """
        return {"data.clean.duplicates": "keep", "data.clean.conflicts": "keep"}

    def content(self, data: Dataset) -> Sequence[str]:
        """All features as one text."""
        return row_texts(data)

    def requests(self, data: Dataset, schema: Schema) -> list[Request]:
        """A mapping of field to value a row."""
        return table_requests(data, schema.request)


def general_findings(data: Dataset, settings: CleanSettings) -> list[Finding]:
    """What no task on tables can live with: too few rows, columns that give the label away."""
    from luodi.data.leaks import find_leaks

    if data.rows >= 3 * settings.min_rows_per_class:
        return find_leaks(data)
    return [
        Finding(
            "too-few-rows",
            "error",
            data.rows,
            say(f"There are only {data.rows} rows.", f"只有 {data.rows} 行。"),
            remedy=say("Collect more rows.", "请收集更多数据。"),
        )
    ]
