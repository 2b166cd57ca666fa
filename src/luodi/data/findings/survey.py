"""Every topic on one table, the worst first."""

from __future__ import annotations

import contextvars
import datetime as dt
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from luodi.contracts import Dataset, Finding, Progress, Quiet
from luodi.data.findings.classes import classes
from luodi.data.findings.column import (
    THREADS,
    Noticed,
    Sheet,
    sheet,
)
from luodi.data.findings.confusion import dates_as_text, numbers_as_text, spellings
from luodi.data.findings.constant import constant, near_constant
from luodi.data.findings.copies import duplicate_rows, label_conflicts, near_duplicates
from luodi.data.findings.encodings import hidden_signs, mojibake
from luodi.data.findings.identifiers import identifiers
from luodi.data.findings.languages import languages
from luodi.data.findings.missing import missing, stand_ins
from luodi.data.findings.order import row_order
from luodi.data.findings.outliers import outliers
from luodi.data.findings.tails import many_zeros, strong_skew
from luodi.data.findings.times import future_dates, time_gaps
from luodi.data.findings.twins import copied_columns, correlated_columns
from luodi.data.findings.types import mixed_truth, part_numbers
from luodi.data.profile import ColumnProfile

if TYPE_CHECKING:
    import polars as pl

_RANK = {"error": 0, "warning": 1, "info": 2}

Topic = Callable[[Sheet], list[Noticed]]

COLUMN_TOPICS: tuple[Topic, ...] = (
    missing,
    stand_ins,
    constant,
    near_constant,
    numbers_as_text,
    dates_as_text,
    spellings,
    part_numbers,
    mixed_truth,
    outliers,
    mojibake,
    hidden_signs,
    languages,
    identifiers,
    time_gaps,
    row_order,
    copied_columns,
    correlated_columns,
    many_zeros,
    strong_skew,
)
ROW_TOPICS: tuple[Topic, ...] = (duplicate_rows, label_conflicts, near_duplicates)


def survey(
    looked_at: Sheet,
    *,
    rows: bool = True,
    least: int = 5,
    now: dt.datetime | None = None,
    progress: Progress = Quiet(),  # noqa: B008
) -> list[Noticed]:
    """Everything that is noticed in a table, the worst first.

    Args:
        looked_at: from `sheet(table, roles)`.
        rows: also copies and conflicts among rows; a run counts those by itself.
        least: rows below which a class is rare.
        now: what dates are held against; the clock's time where it is not given.
        progress: told of each topic.
    """
    moment = now or dt.datetime.now(dt.UTC)
    topics: list[Topic] = [
        *COLUMN_TOPICS,
        partial(future_dates, now=moment),
        partial(classes, least=least),
        *(ROW_TOPICS if rows else ()),
    ]
    # A context each: the reader's language is the thread's own, and a context serves one at once.
    contexts = [contextvars.copy_context() for _ in topics]

    def run(number: int) -> list[Noticed]:
        return contexts[number].run(topics[number], looked_at)

    found: list[Noticed] = []
    with ThreadPoolExecutor(THREADS) as pool:
        for done, noticed in enumerate(pool.map(run, range(len(topics)))):
            progress.step(done + 1, len(topics))
            found += noticed
    return worst_first(found)


def worst_first(found: Sequence[Noticed]) -> list[Noticed]:
    """By severity, then in the order in which they were found."""
    return sorted(found, key=lambda noticed: _RANK[noticed.finding.severity])


def of_dataset(
    data: Dataset, cards: Sequence[ColumnProfile] | None = None, least: int = 5
) -> list[Finding]:
    """What a run tells of its table beside copies and conflicts, the worst first."""
    found = survey(sheet(data.table, data.roles, cards), rows=False, least=least)
    return [noticed.finding for noticed in found]


def of_table(table: pl.DataFrame) -> list[Finding]:
    """What is noticed in a bare table, the worst first."""
    return [noticed.finding for noticed in survey(sheet(table))]
