"""What is trained: a recipe is a learner with its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from luodi.contracts import Combining, JsonValue, Monotone, Task
from luodi.project.schema import Project
from luodi.training.bases import find_entry
from luodi.training.search import searched


@dataclass(frozen=True)
class Recipe:
    """A learner, what it starts from, and its options; with `trials`, so many settings of what the
    options leave open are tried, within the budget all together.
    """

    learner: str
    base: str | None = None
    budget: float | None = None
    options: Mapping[str, JsonValue] = field(default_factory=dict)
    trials: int = 0

    @property
    def base_name(self) -> str | None:
        """The base as a report and a bundle may tell it: of a path, the last part alone."""
        if self.base is not None and (path := Path(self.base).expanduser()).exists():
            return path.name
        return self.base


def baseline_recipes(task: Task) -> list[Recipe]:
    """The task's baselines in their default settings: what every model is held against."""
    return [Recipe(name) for name in task.baselines]


def recipes(project: Project, task: Task) -> list[Recipe]:
    """What the project file asks for, in its order; `auto` is the task's own list, cheapest first.

    The naive learner is a yardstick, not a candidate, unless it is asked for by name; one that
    cannot keep to a direction is no candidate where `data.monotone` asks for one.
    """
    usual = [
        name
        for name in task.auto
        if not project.data.monotone or isinstance(task.learners[name], Monotone)
    ]
    names: list[str] = []
    for name in project.model.learner:
        names += usual if name == "auto" else [name]
    return [recipe_of(name, project, task) for name in dict.fromkeys(names)]


def recipe_of(name: str, project: Project, task: Task) -> Recipe:
    """A learner with what the project file says of it.

    A baseline in its default settings is the very model that was trained already. What combines
    other learners' models is not searched itself: those are.
    """
    model, learner = project.model, task.learners[name]
    options = {key: value for key, value in model.options.items() if key in learner.space}
    trials = model.search.trials if model.search else 0
    if isinstance(learner, Combining) or not searched(learner.space, options):
        trials = 0
    if name in task.baselines and not options and not trials:
        return Recipe(name)
    return Recipe(name, base_of(project), model.budget, options, trials)


def base_of(project: Project) -> str | None:
    """What `model.base` names: a folder beside the project file by its whole path."""
    base = project.model.base
    if base is None or find_entry(base) is not None:
        return base
    beside = project.root / Path(base).expanduser()
    return str(beside) if beside.is_dir() else base


def member_recipes(recipe: Recipe, project: Project, task: Task) -> list[Recipe]:
    """What a learner that combines others' models needs trained; nothing for any other."""
    learner = task.learners[recipe.learner]
    if not isinstance(learner, Combining):
        return []
    return [recipe_of(name, project, task) for name in learner.members]
