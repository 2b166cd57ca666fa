"""A look at one table, without a project: its columns, what is wrong, its worst rows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    CleanSettings,
    DataError,
    Dataset,
    Finding,
    Language,
    Progress,
    Role,
    current_language,
    say,
)

if TYPE_CHECKING:
    from luodi.data.findings.column import Noticed, Sheet
    from luodi.data.findings.worst import WorstRow

ROWS_SHOWN = 20
_LEAK_ROWS = 50_000
PERSONAL_ROWS, PERSONAL_SAMPLE = 50_000, 1000
"""Rows up to which all texts are searched for personal data; of longer tables so many rows are."""


@dataclass(frozen=True)
class Looked:
    """What a look at a table showed.

    Attributes:
        findings: the worst first.
        columns: a profile a column, with `distribution` and the codes of its `findings`.
        worst: the rows with the most against them, the worst first.
        seconds: that reading and looking took.
    """

    source: str
    rows: int
    files: Sequence[Mapping[str, Any]]
    findings: Sequence[Finding]
    columns: Sequence[Mapping[str, Any]]
    worst: Sequence[Mapping[str, Any]]
    language: Language
    created: str
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def missing(self) -> float:
        """The share of cells without a value."""
        cells = self.rows * len(self.columns)
        return sum(int(column["missing"]) for column in self.columns) / max(cells, 1)

    def to_json(self) -> dict[str, Any]:
        """As `luodi data profile --json` prints it."""
        findings = [finding.to_json() for finding in self.findings]
        return {**vars(self), "findings": findings, "missing": self.missing}


def look(
    source: str,
    root: Path,
    named: Mapping[Role, Sequence[str]],
    progress: Progress,
    header: bool | int | None = None,
) -> Looked:
    """Read a table and look at all of it; of one larger than memory, at as many rows as fit.

    Args:
        source: as in a project file's `data.source`, a mapping in braces; or a folder, of which
            it is told what it holds.
        root: where relative paths begin.
        named: columns whose role the reader knows: label, time, group, id.
        progress: told of each step.
        header: as `data.header`.

    Raises:
        DataError: the table cannot be read, or has no such column.
    """
    from luodi.data.findings.column import sheet
    from luodi.data.findings.survey import survey
    from luodi.data.findings.worst import worst_rows
    from luodi.data.folders import guess
    from luodi.data.sources import collect
    from luodi.project.sources import hide_password, written

    started = time.monotonic()
    meant = written(source)
    place = guess(meant, root) if isinstance(meant, str) else meant
    shown = hide_password(source if isinstance(meant, str) or not meant.remote else str(meant))
    collected = collect(place, root, progress, header=header, fitting=True)
    read = time.monotonic()
    _check(named, collected.table.columns)
    looked_at = sheet(collected.table, named)
    noticed = survey(looked_at, progress=progress)
    more = [*collected.findings, *_personal(looked_at), *_leaks(looked_at, named)]
    findings = _ordered(noticed, more)
    columns = _columns(looked_at, findings)
    worst = [_row(row) for row in worst_rows(looked_at, noticed, ROWS_SHOWN)]
    done = time.monotonic()
    return Looked(
        shown,
        collected.table.height,
        [asdict(file) for file in collected.files],
        findings,
        columns,
        worst,
        current_language(),
        time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        {"read": round(read - started, 3), "look": round(done - read, 3)},
    )


def _check(named: Mapping[Role, Sequence[str]], known: Sequence[str]) -> None:
    from difflib import get_close_matches

    for role, names in named.items():
        for name in names:
            if name in known:
                continue
            near = get_close_matches(name, known, n=1)
            raise DataError(
                say(f"There is no column {name} ({role}).", f"没有名为 {name} 的列（{role}）。"),
                say(
                    f"The columns are: {', '.join(known[:30])}.",
                    f"现有的列：{'、'.join(known[:30])}。",
                ),
                say(f"Did you mean {near[0]}?", f"是否想写 {near[0]}?") if near else "",
            )


def _ordered(noticed: Sequence[Noticed], more: Sequence[Finding]) -> list[Finding]:
    from luodi.lifecycle.noticing import worst_first

    return worst_first([*more, *(found.finding for found in noticed)])


def _personal(looked_at: Sheet) -> list[Finding]:
    from luodi.data.masking import searching
    from luodi.data.personal import FEWEST_DIGITS, mostly_personal, personal

    step = searching(CleanSettings())
    texts = tuple(
        c.name
        for c in looked_at.of_kind("text", "category", "identifier")
        if c.textual and (c.card.kind != "identifier" or mostly_personal(c.values, step))
    )
    numbers = tuple(
        c.name
        for c in looked_at.of_kind("number", "identifier")
        if not c.textual and isinstance(c.card.minimum, float) and c.card.minimum >= FEWEST_DIGITS
    )
    if not texts and not numbers:
        return []
    table, rows = looked_at.table, looked_at.table.height
    if rows > PERSONAL_ROWS:
        table = table.gather_every(-(-rows // PERSONAL_SAMPLE))
    found = personal(Dataset(table, {Role.TEXT: texts, Role.FEATURE: numbers}), CleanSettings())[0]
    if rows <= PERSONAL_ROWS:
        return found
    told = say(
        f"Looked for personal data in {table.height:,} of {rows:,} rows, evenly drawn.",
        f"在 {rows:,} 行中均匀抽取 {table.height:,} 行查找个人信息。",
    )
    if found:
        return [replace(one, message=f"{one.message} {told}") for one in found]
    return [Finding("personal-data-sample", "info", rows - table.height, told)]


def _leaks(looked_at: Sheet, named: Mapping[Role, Sequence[str]]) -> list[Finding]:
    """A warning here: nothing is trained yet, and nothing refused."""
    from luodi.data.leaks import find_leaks

    if looked_at.label is None:
        return []
    features = tuple(name for name, c in looked_at.columns.items() if c.role is None)
    label = looked_at.label.name
    step = max(1, looked_at.table.height // _LEAK_ROWS)
    table = looked_at.table.gather_every(step)
    data = Dataset(table, {Role.LABEL: (label,), Role.FEATURE: features})
    return [replace(finding, severity="warning") for finding in find_leaks(data)]


def _columns(looked_at: Sheet, findings: Sequence[Finding]) -> list[dict[str, Any]]:
    from luodi.data.distribution import distribution

    codes: dict[str, list[str]] = {}
    for finding in findings:
        for name in finding.columns:
            codes.setdefault(name, []).append(finding.code)
    found = []
    for name, column in looked_at.columns.items():
        spread = distribution(column)
        found.append(
            column.card.to_json()
            | {
                "role": column.role,
                "distribution": dict(vars(spread)) if spread else None,
                "findings": codes.get(name, []),
            }
        )
    return found


def _row(row: WorstRow) -> dict[str, Any]:
    return {"row": row.place + 1, "score": row.score, "faults": row.faults, "cells": row.cells}
