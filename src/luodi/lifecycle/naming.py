"""What the project file says of columns, held against the table that has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import Dataset, Mistake, ProjectError, Role, say
from luodi.lifecycle.place import RunPlace
from luodi.project.mistakes import nearest

if TYPE_CHECKING:
    import polars as pl


def with_roles(run: RunPlace, table: pl.DataFrame, source: str) -> Dataset:
    """The table with the roles and kinds that the project file gives its columns.

    Raises:
        ProjectError: the file names columns that `source` has not, or asks for kinds that no value
            of a column is of; all of them at once.
    """
    from luodi.contracts import RESERVED
    from luodi.data.roles import assign_roles

    project = run.project
    columns = [name for name in table.columns if name not in RESERVED]
    named = dict(project.data.columns)
    split = project.data.split
    for role, column in ((Role.GROUP, split.group), (Role.TIME, split.time)):
        if column is not None:
            named[role] = (column,)
    asked = [(f"data.columns.{role}", name) for role, names in named.items() for name in names]
    asked += [(f"data.kinds.{name}", name) for name in project.data.kinds]
    asked += [(f"data.monotone.{name}", name) for name in project.data.monotone]
    asked += [(f"data.clean.columns.{name}", name) for name in project.data.clean.columns]
    mistakes = [
        Mistake(
            where,
            say(f"{source} has no column {name}", f"{source} 中没有列 {name}"),
            say("one of ", "以下之一：") + ", ".join(columns[:30]),
            project.line(where),
            nearest(name, columns),
        )
        for where, name in asked
        if name not in columns
    ]
    if mistakes:
        raise ProjectError(str(project.path), mistakes)
    data = assign_roles(table, named, run.task.roles, project.question)
    if mistakes := _wrong_kinds(run, data, source):
        raise ProjectError(str(project.path), mistakes)
    return data


def _wrong_kinds(run: RunPlace, data: Dataset, source: str) -> list[Mistake]:
    """Kinds that the project file asks for and that no value of the column is of."""
    from luodi.data.findings.reading import examples
    from luodi.data.formats import format_of, known
    from luodi.data.kinds import unreadable

    mistakes = []
    for name, kind in run.project.data.kinds.items():
        if name not in data.columns(Role.FEATURE):
            continue
        column = data.table.get_column(name)
        wrong = unreadable(column, kind, format_of(column, kind)).drop_nulls()
        if len(wrong) and len(wrong) == known(column).count():
            shown = ", ".join(examples(wrong.to_list()))
            where = f"data.kinds.{name}"
            found = say(f"no value of {name} in {source} is a {kind}: {shown}",
                        f"{source} 的列 {name} 中没有任何值是 {kind}：{shown}")  # fmt: skip
            expected = say(
                "the kind of what stands there, or ignore", "与内容相符的类型，或 ignore"
            )
            mistakes.append(Mistake(where, found, expected, run.project.line(where)))
    return mistakes
