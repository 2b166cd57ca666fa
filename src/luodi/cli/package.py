"""luodi package: a model that was trained elsewhere, judged, sealed and registered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from luodi.contracts import UsageError, say, use_language

if TYPE_CHECKING:
    from luodi.project.schema import Project


def command(
    path: Annotated[Path, typer.Argument(help="The model's file or folder.")],
    task: Annotated[
        str | None, typer.Option("--task", help="What it answers, such as text-classification.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="The table that it is judged on.")
    ] = None,
    train: Annotated[
        str | None,
        typer.Option(
            "--train",
            help="A table for the baselines to learn from; else half of --data is kept for them.",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", help="role=COLUMN[,COLUMN]; may be repeated."),
    ] = None,
    labels: Annotated[
        str | None, typer.Option("--labels", help="What its outputs stand for, in its order.")
    ] = None,
    gate: Annotated[
        list[str] | None,
        typer.Option("--gate", help='A bound, such as accuracy=">= 0.9"; may be repeated.'),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="What to register it as; else by its file.")
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option("--project", help="A luodi.yaml that says the rest, instead of --data."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="dotted.path=value of a project file; may be repeated."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Take over a model that was trained elsewhere: judge it on a table by the gate, seal it in a
    bundle, register it when it passes."""
    from luodi.cli.output import emit
    from luodi.cli.run import REFUSED, show
    from luodi.cli.watching import TerminalObserver
    from luodi.lifecycle.run import run_lifecycle

    asked = [*_set("data.columns", columns), *_set("gate", gate), *(settings or [])]
    asked += [f"name={name}"] if name else []
    asked += [f"model.options.labels=[{labels}]"] if labels else []
    loaded = _project(path, (task, data, train, project), asked)
    use_language(loaded.language)
    outcome = run_lifecycle(loaded, TerminalObserver(silent=quiet))
    emit(outcome.result, json_output, lambda: show(outcome))
    if not outcome.passed:
        raise typer.Exit(REFUSED)


def _project(
    path: Path, places: tuple[str | None, str | None, str | None, Path | None], asked: list[str]
) -> Project:
    """The project file that the options stand for."""
    from luodi.project.file import load_project, make_project

    task, data, train, project = places
    taken = ["model.learner=given", f"model.base={path.expanduser().absolute()}"]
    if project is not None:
        return load_project(project, [*taken, *asked])
    if task is None or data is None:
        raise UsageError(
            say("--task and --data are missing.", "缺少 --task 与 --data。")
            if task is None and data is None
            else say(
                f"--{'data' if data is None else 'task'} is missing.",
                f"缺少 --{'data' if data is None else 'task'}。",
            ),
            say(
                "A model is judged by its answers to a table's rows.",
                "模型须以一张表中的数据来评估。",
            ),
            "luodi package PATH --task text-classification --data rows.csv",
        )
    values: dict[str, Any] = {
        "name": re.sub(r"[^\w.-]+", "-", path.stem or path.name).strip("-._") or "given",
        "task": task,
        "data": {
            "source": train or data,
            "columns": _usual_columns(task, asked),
            # Half is enough for the baselines to learn from, and leaves much to judge on.
            "split": {"valid": 0.1, "test": 0.5},
        },
    }
    if train:
        values["data"]["test"] = data
    return make_project(values, Path.cwd(), [*taken, *asked])


def _usual_columns(task: str, asked: list[str]) -> dict[str, str]:
    """The roles that a task cannot do without, each by the column of its own name."""
    from luodi.project.catalogue import find_task

    named = {item.partition("=")[0].removeprefix("data.columns.") for item in asked}
    return {
        role.value: role.value
        for role, rule in find_task(task).roles.items()
        if rule.required and role.value not in named
    }


def _set(where: str, given: list[str] | None) -> list[str]:
    """`role=a,b` under a dotted path, as `--set` reads it."""
    found = []
    for item in given or []:
        name, equals, value = item.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise UsageError(
                say(f"{item!r} names nothing.", f"{item!r} 无效。"),
                say("Expected name=value.", "应为 名称=值。"),
            )
        listed = "," in value and where == "data.columns"
        found.append(f"{where}.{name.strip()}={f'[{value}]' if listed else value}")
    return found
