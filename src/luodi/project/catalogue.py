"""The kinds of question that are installed, found through the entry points `luodi.tasks`.

Built-in tasks come in by the same door as a stranger's: nothing here names one.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from luodi.contracts import Task, UsageError, say


@cache
def task_names() -> tuple[str, ...]:
    """Every registered task's name, in order."""
    return tuple(sorted({entry.name for entry in entry_points(group="luodi.tasks")}))


@cache
def find_task(name: str) -> Task:
    """The task registered under `name`.

    Raises:
        UsageError: when there is none, with the nearest name.
    """
    for entry in entry_points(group="luodi.tasks"):
        if entry.name == name:
            task: Task = entry.load()
            return task
    import difflib

    near = difflib.get_close_matches(name, task_names(), n=1)
    raise UsageError(
        say(f"No task is named {name}.", f"没有名为 {name} 的任务。"),
        say(f"There are: {', '.join(task_names())}.", f"已有任务：{'、'.join(task_names())}。"),
        say(f"Did you mean {near[0]}?", f"是否想用 {near[0]}?") if near else "",
    )
