"""What a run tells of its tables: the task's own words, copies and conflicts, then every topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from luodi.contracts import CleanSettings, Dataset, Finding, say

if TYPE_CHECKING:
    from luodi.data.profile import ColumnProfile
    from luodi.lifecycle.rows import Raw

_RANK = {"error": 0, "warning": 1, "info": 2}


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """By severity; within one severity as they were found."""
    return sorted(findings, key=lambda finding: _RANK[finding.severity])


def noticed(
    raw: Raw, told: Sequence[Finding], cards: Sequence[ColumnProfile], clean: CleanSettings
) -> list[Finding]:
    """`told` and what every topic finds in the tables, the worst first.

    Args:
        told: by the source, the task and the cleaning; their words go before a topic's.
        cards: the profile of the training table.
    """
    from luodi.data.findings.survey import of_dataset

    known = {finding.code for finding in told}
    found = of_dataset(raw.data, cards, clean.min_rows_per_class)
    found += _skewed(
        raw.data, raw.test, ("the training table", "训练表"), ("the test table", "测试表")
    )
    return worst_first([*told, *(finding for finding in found if finding.code not in known)])


def _skewed(
    data: Dataset, other: Dataset | None, first: tuple[str, str], second: tuple[str, str]
) -> list[Finding]:
    from luodi.data.findings.skew import skew

    if other is None:
        return []
    names = (say(*first), say(*second))
    return [noticed.finding for noticed in skew(data.table, other.table, data.roles, names)]
