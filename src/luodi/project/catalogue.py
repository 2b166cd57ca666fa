"""The kinds of question that are installed, found through the entry points `luodi.tasks`.

Built-in tasks come in by the same door as a stranger's: nothing here names one.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from pathlib import Path

from luodi.contracts import Task, UsageError, say

_GROUP = "luodi.tasks"


@cache
def task_names() -> tuple[str, ...]:
    """Every registered task's name, in order."""
    from importlib.metadata import entry_points

    return tuple(sorted({entry.name for entry in entry_points(group=_GROUP)}))


@cache
def find_task(name: str) -> Task:
    """The task registered under `name`.

    Raises:
        UsageError: when there is none, with the nearest name.
    """
    place = _written(name) or _registered(name)
    if place:
        module, _, attribute = place.partition(":")
        task: Task = getattr(import_module(module), attribute)
        return task
    import difflib

    near = difflib.get_close_matches(name, task_names(), n=1)
    raise UsageError(
        say(f"No task is named {name}.", f"没有名为 {name} 的任务。"),
        say(f"There are: {', '.join(task_names())}.", f"已有任务：{'、'.join(task_names())}。"),
        say(f"Did you mean {near[0]}?", f"是否想用 {near[0]}?") if near else "",
    )


def _registered(name: str) -> str:
    """Where a task is, by the library's word; empty when it knows none."""
    from importlib.metadata import entry_points

    return next((entry.value for entry in entry_points(group=_GROUP) if entry.name == name), "")


def _written(name: str) -> str:
    """Where a task is, as the files say that the library would read; empty when they do not.

    The library reads mail headers on its way, and takes 4 MB with what that loads: a tenth of what
    a process has that serves a table. What is installed in another way is left to it.
    """
    for folder in map(Path, sys.path):
        for path in sorted(folder.glob("*.dist-info/entry_points.txt")):
            group = ""
            for line in path.read_text("utf-8", "replace").splitlines():
                key, _, value = (part.strip() for part in line.partition("="))
                if key.startswith("["):
                    group = key.strip("[]").strip()
                elif group == _GROUP and key == name and value:
                    return value.partition("[")[0].strip()
    return ""
