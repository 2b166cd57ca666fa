"""From a project file to a project, or to every mistake that can be told before it is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from luodi.contracts import RESERVED, BaseModelError, LuodiError, Mistake, ProjectError
from luodi.lifecycle.adopting import adopted, adopting
from luodi.lifecycle.columns import unknown_columns
from luodi.lifecycle.recipes import base_of
from luodi.project.catalogue import task_names
from luodi.project.file import read_project
from luodi.project.home import cache_folder
from luodi.project.schema import Project


def open_project(path: Path | None, overrides: Sequence[str] = ()) -> Project:
    """The project, when nothing is wrong with its file and with the base that it starts from.

    Of a wrong file also the columns are told that its tables do not have, where they can be read
    on this machine.

    Raises:
        UsageError: there is no such file, or an override is none.
        ProjectError: with every mistake.
    """
    reading = read_project(path, overrides)
    draft = reading.draft
    more = base_mistakes(draft) if draft is not None else []
    if draft is not None and (more or reading.mistakes):
        more += _column_mistakes(draft)
    return reading.project(more)


def base_mistakes(project: Project) -> list[Mistake]:
    """What keeps a run from starting with `model.base`; nothing is fetched to find out."""
    from luodi.training.bases import check_base, nearest_base

    base = base_of(project)
    try:
        if project.task in task_names() and adopting(project):
            adopted(project)
        elif base is not None:
            check_base(base, project.model.licence, cache_folder())
    except ProjectError as error:
        return list(error.mistakes)
    except BaseModelError as error:
        found, expected = error.found.rstrip(".。"), error.expected or error.remedy
        expected = expected.removeprefix("Expected ").removeprefix("应为").rstrip(".。")
        near = nearest_base(str(project.model.base))
        return [project.mistake("model.base", found, expected, near)]
    return []


def _column_mistakes(draft: Project) -> list[Mistake]:
    """Columns that the tables on this machine do not have; what cannot be read is told later."""
    from luodi.data.sources import collect
    from luodi.project.sources import hide_password, members

    data, mistakes = draft.data, []
    for name, source in (("data", data.source), ("test", data.test), ("valid", data.valid)):
        try:
            if source is None or any(one.remote for one in members(source)):
                continue
            sample = data.sample if name == "data" else None
            table = collect(source, draft.root, sample=sample, header=data.header).table
        except LuodiError:
            continue
        names = [column for column in table.columns if column not in RESERVED]
        mistakes += unknown_columns(draft, name, hide_password(str(source)), names)
    return mistakes
