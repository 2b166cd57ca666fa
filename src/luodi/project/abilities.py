"""What a project asks of its learners that only some of them can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from luodi.contracts import Mistake, Monotone, Task, pupil_of, say
from luodi.project.places import Places


def monotone_mistakes(
    tasks: Sequence[Task], data: Mapping[str, Any], names: Sequence[str], places: Places
) -> list[Mistake]:
    """A direction is asked of learners that can keep to one; `auto` takes those alone."""
    if not data.get("monotone"):
        return []
    learners = {name: learner for task in tasks for name, learner in task.learners.items()}
    able = [name for name, learner in learners.items() if isinstance(learner, Monotone)]
    if not able:
        found = say("columns to be followed in one direction", "要求单调的列")
        expected = say(
            f"nothing: no learner of {_named(tasks)} keeps to a direction",
            f"不设置：{_named(tasks)} 的学习器都无法保持单调",
        )
        return [places.mistake("data.monotone", found, expected)]
    expected = say(
        f"one that does ({', '.join(able)}), or no data.monotone",
        f"能遵守它的学习器（{'、'.join(able)}），或不设置 data.monotone",
    )
    return [
        places.mistake(
            "model.learner",
            say(f"{name}, which does not keep to data.monotone", f"{name}，它不遵守 data.monotone"),
            expected,
        )
        for name in names
        if name in learners and name not in able
    ]


def distil_mistakes(
    tasks: Sequence[Task], model: Mapping[str, Any], names: Sequence[str], places: Places
) -> list[Mistake]:
    """A smaller model is asked of a learner that one can be taught of."""
    if not model.get("distil"):
        return []
    chosen = [
        name
        for task in tasks
        for name in (*names, *(task.auto if "auto" in names else ()))
        if name in task.learners
    ]
    if not chosen or any(pupil_of(task, name) for task in tasks for name in chosen):
        return []
    able = [name for task in tasks for name in task.learners if pupil_of(task, name)]
    found = say(
        f"asked of {', '.join(dict.fromkeys(chosen))}, which has no smaller form",
        f"学习器 {'、'.join(dict.fromkeys(chosen))} 没有更小的形式",
    )
    expected = say(
        f"nothing: no learner of {_named(tasks)} has one", f"不设置：{_named(tasks)} 的学习器都没有"
    )
    if able:
        expected = say(
            f"one of {', '.join(able)} as model.learner", f"model.learner 为 {'、'.join(able)} 之一"
        )
    return [places.mistake("model.distil", found, expected)]


def _named(tasks: Sequence[Task]) -> str:
    return ", ".join(task.name for task in tasks)
