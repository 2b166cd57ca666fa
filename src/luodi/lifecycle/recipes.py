"""What is trained: a recipe is a learner with its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from luodi.contracts import Combining, JsonValue, Task
from luodi.project.schema import Project
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

    The naive learner is a yardstick, not a candidate, unless it is asked for by name.
    """
    model = project.model
    names: list[str] = []
    for name in model.learner:
        names += task.auto if name == "auto" else [name]
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
    return Recipe(name, model.base, model.budget, options, trials)


def member_recipes(recipe: Recipe, project: Project, task: Task) -> list[Recipe]:
    """What a learner that combines others' models needs trained; nothing for any other."""
    learner = task.learners[recipe.learner]
    if not isinstance(learner, Combining):
        return []
    return [recipe_of(name, project, task) for name in learner.members]
