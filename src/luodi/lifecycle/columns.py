"""Columns that a project names and its tables do not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from luodi.contracts import HistorySettings, Mistake, say
from luodi.project.mistakes import nearest
from luodi.project.schema import Project

MAIN = "data"
"""The table that is learnt from, beside official ones for validation and test."""


def unknown_columns(
    project: Project, table: str, source: str, columns: Sequence[str]
) -> list[Mistake]:
    """A mistake for each name that is no column of a table, with its line and the nearest.

    Args:
        table: `data`, `test` or `valid`.
        source: what a reader knows the table by.
        columns: those that were read.
    """
    history = project.data.history
    known = list(columns) if history is None else _with_history(columns, history)
    asked = [(where, name, known) for where, name in _asked(project, table)]
    if history is not None:
        asked += [(where, name, list(columns)) for where, name in _measured(history)]
    return [
        project.mistake(
            where,
            say(f"{source} has no column {name}", f"{source} 中没有列 {name}"),
            say("one of ", "以下之一：") + ", ".join(there[:30]),
            nearest(name, there),
        )
        for where, name, there in asked
        if name not in there
    ]


def _asked(project: Project, table: str) -> Iterator[tuple[str, str]]:
    """Each name of a column that the project file gives, under its dotted path."""
    data = project.data
    for role, names in data.columns.items():
        yield from _each(f"data.columns.{role}", names)
    for part, column in (("group", data.split.group), ("time", data.split.time)):
        if column is not None:
            yield f"data.split.{part}", column
    for part, mapping in (
        ("kinds", data.kinds),
        ("monotone", data.monotone),
        ("clean.columns", data.clean.columns),
    ):
        yield from ((f"data.{part}.{name}", name) for name in mapping)
    if table != MAIN:
        return
    yield from _each("data.leaks.allow", data.leaks.allow)
    if data.anonymity is not None:
        yield from _each("data.anonymity.quasi_identifiers", data.anonymity.quasi_identifiers)
        yield from _each("data.anonymity.sensitive", data.anonymity.sensitive)


def _measured(history: HistorySettings) -> Iterator[tuple[str, str]]:
    yield "data.history.group", history.group
    yield "data.history.time", history.time
    yield from _each("data.history.columns", history.columns)


def _each(where: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Of several names each has a line of its own."""
    for place, name in enumerate(names):
        yield f"{where}.{place}" if len(names) > 1 else where, name


def _with_history(columns: Sequence[str], history: HistorySettings) -> list[str]:
    """The columns once rows tell what was lately."""
    from luodi.data.histories import feature_names

    made = [history.remaining.column] if history.remaining else []
    kept = [name for name in columns if name not in history.columns]
    return list(dict.fromkeys([*kept, *made, *feature_names(history)]))
