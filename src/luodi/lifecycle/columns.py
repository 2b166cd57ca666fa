"""What the project file says of columns, held against the tables that should have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from luodi.contracts import (
    Dataset,
    Finding,
    HistorySettings,
    Mistake,
    ProjectError,
    Role,
    say,
    worded,
)
from luodi.lifecycle.place import RunPlace
from luodi.project.mistakes import nearest, one_of
from luodi.project.schema import Project

if TYPE_CHECKING:
    import polars as pl

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
            one_of(there[:30]),
            nearest(name, there),
        )
        for where, name, there in asked
        if name not in there
    ]


def lost_headers(project: Project, findings: Sequence[Finding]) -> list[Mistake]:
    """Why columns may lack: a mistake for each file whose first line was no header."""
    from luodi.data.header import CODE

    expected = say(
        "false, a list of the columns' names, or the number of their line",
        "false、列名的列表，或列名所在的行号",
    )
    return [
        project.mistake("data.header", str(worded(finding.message)).rstrip(".。"), expected)
        for finding in findings
        if finding.code == CODE
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
    for name in history.remaining.until if history.remaining else ():
        yield f"data.history.remaining.until.{name}", name


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


def with_roles(run: RunPlace, table: pl.DataFrame, source: str) -> Dataset:
    """The table with the roles and kinds that the project file gives its columns.

    Args:
        table: that has every column which the file names: see `unknown_columns`.

    Raises:
        ProjectError: the file asks for kinds that no value of a column is of; all at once.
    """
    from luodi.data.roles import assign_roles

    project = run.project
    named = dict(project.data.columns)
    split = project.data.split
    for role, column in ((Role.GROUP, split.group), (Role.TIME, split.time)):
        if column is not None:
            named[role] = (column,)
    data = assign_roles(table, named, run.task.roles, project.question)
    if mistakes := _wrong_kinds(project, data, source):
        raise ProjectError(str(project.path), mistakes)
    return data


def _wrong_kinds(project: Project, data: Dataset, source: str) -> list[Mistake]:
    """Kinds that the project file asks for and that no value of the column is of."""
    from luodi.data.findings.reading import examples
    from luodi.data.formats import format_of, known
    from luodi.data.kinds import unreadable

    mistakes = []
    for name, kind in project.data.kinds.items():
        if name not in data.columns(Role.FEATURE):
            continue
        column = data.table.get_column(name)
        wrong = unreadable(column, kind, format_of(column, kind)).drop_nulls()
        if len(wrong) and len(wrong) == known(column).count():
            shown = ", ".join(examples(wrong.to_list()))
            found = say(f"no value of {name} in {source} is a {kind}: {shown}",
                        f"{source} 的列 {name} 中没有任何值是 {kind}：{shown}")  # fmt: skip
            expected = say(
                "the kind of what stands there, or ignore", "与内容相符的类型，或 ignore"
            )
            mistakes.append(project.mistake(f"data.kinds.{name}", found, expected))
    return mistakes
