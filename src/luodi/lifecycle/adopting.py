"""Models that were trained elsewhere: what one says of itself fills what the project leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeGuard

from luodi.contracts import Adopting, Foreign, ProjectError, Role, Task, say
from luodi.project.catalogue import find_task
from luodi.project.schema import Project


def adopted(project: Project) -> Project:
    """The project, told by the model under `model.base` what it reads and answers.

    As it is, where no learner of it takes over a model.

    Raises:
        BaseModelError: there is nothing that can be taken over.
        ProjectError: the project names other columns than the model reads.
    """
    task, learner = find_task(project.task), adopting(project)
    if learner is None:
        return project
    path = _path(project)
    foreign = learner.look(path)
    options: dict[str, Any] = dict(project.model.options)
    data: dict[str, Any] = {}
    labels = tuple(map(str, options.get("labels") or foreign.labels))
    if labels:
        options["labels"] = list(labels)
        data["labels"] = tuple(dict.fromkeys((*labels, *project.data.labels)))
    if foreign.columns:
        names = _columns(project, task, foreign)
        options["columns"] = list(names)
        kinds = dict(zip(names, (kind for _, kind in foreign.columns), strict=True))
        data["kinds"] = {**kinds, **project.data.kinds}
        data["columns"] = {**project.data.columns, Role.FEATURE.value: names}
    model = project.model.model_copy(update={"base": str(path), "options": options})
    told = {"data": project.data.model_copy(update=data), "model": model}
    return project.model_copy(update=told)


def adopting(project: Project) -> Adopting | None:
    """The project's learner that takes over a model; None when it has none."""
    learners = find_task(project.task).learners
    return next(filter(_adopts, map(learners.get, project.model.learner)), None)


def _adopts(learner: object) -> TypeGuard[Adopting]:
    return isinstance(learner, Adopting)


def _path(project: Project) -> Path:
    base = project.model.base
    if base is None:
        raise _mistaken(
            project,
            "model.base",
            say("missing", "缺失"),
            say("the file or folder of the model to take over", "要接管的模型文件或目录"),
        )
    beside = project.root / Path(base).expanduser()
    return beside if beside.exists() else Path(base).expanduser().absolute()


def _columns(project: Project, task: Task, foreign: Foreign) -> tuple[str, ...]:
    """The table's columns that the model reads, in its order."""
    asked = project.data.columns.get(Role.FEATURE.value)
    names = tuple(asked or (name for name, _ in foreign.columns))
    if len(names) == len(foreign.columns) and all(names):
        return names
    where = f"data.columns.{Role.FEATURE}"
    count = len(foreign.columns)
    if asked:
        found = say(f"{len(names)} columns", f"{len(names)} 列")
    else:
        found = say(
            f"the model ({foreign.kind}) reads {count} columns and does not name them",
            f"模型（{foreign.kind}）读取 {count} 列，但未命名",
        )
    raise _mistaken(
        project,
        where,
        found,
        say(f"the {count} columns, in the model's order", f"按模型顺序列出的 {count} 列"),
    )


def _mistaken(project: Project, where: str, found: str, expected: str) -> ProjectError:
    return ProjectError(str(project.path), [project.mistake(where, found, expected)])
