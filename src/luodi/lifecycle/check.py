"""A look before the leap: is the project right, are its rows, and what will a run take?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.contracts import Estimate, system_language, use_language
from luodi.lifecycle.mending import mend
from luodi.lifecycle.place import RunPlace, open_check
from luodi.lifecycle.recipes import Recipe, baseline_recipes, recipes
from luodi.lifecycle.rows import PARTS, Clean, collect, prepare, split
from luodi.lifecycle.stages import Observer
from luodi.lifecycle.training import Cut, fit_settings
from luodi.project.schema import Project


@dataclass(frozen=True)
class Checked:
    """What a run would meet.

    Attributes:
        estimates: each recipe with what it will take; a budget caps its seconds.
        seconds, bytes: of the whole run: the sum, and the largest.
    """

    project: Project
    clean: Clean
    rows: Mapping[str, int]
    estimates: Sequence[tuple[Recipe, Estimate]]

    @property
    def seconds(self) -> float:
        """All recipes one after another."""
        return sum(estimate.seconds for _, estimate in self.estimates)

    @property
    def bytes(self) -> int:
        """The most that one of them holds."""
        return max((estimate.bytes for _, estimate in self.estimates), default=0)

    def to_json(self) -> dict[str, Any]:
        """As `luodi check --json` prints it."""
        return {
            "project": self.project.name,
            "task": self.project.task,
            "ok": True,
            "data": {**self.clean.counts, **self.rows},
            "findings": [finding.to_json() for finding in self.clean.findings],
            "columns": list(self.clean.profile),
            "estimates": [
                {
                    "learner": recipe.learner,
                    "base": recipe.base,
                    "seconds": estimate.seconds,
                    "bytes": estimate.bytes,
                }
                for recipe, estimate in self.estimates
            ],
            "estimate": {"seconds": self.seconds, "bytes": self.bytes},
        }


def check_project(project: Project, observer: Observer) -> Checked:
    """Collect, inspect, prepare and split as a run would; train nothing."""
    language = project.language or system_language()
    use_language(language)
    place = open_check(project, observer, language)
    raw = collect(place)
    clean = prepare(place, raw)
    cut = mend(place, split(place, raw, clean))
    wanted = [*baseline_recipes(place.task), *recipes(project, place.task)]
    distinct = list({repr(recipe): recipe for recipe in wanted}.values())
    return Checked(
        project,
        clean,
        {name: getattr(cut.parts, name).rows for name in PARTS},
        [(recipe, _estimate(place, recipe, cut)) for recipe in distinct],
    )


def _estimate(place: RunPlace, recipe: Recipe, cut: Cut) -> Estimate:
    settings = fit_settings(place, recipe, cut, place.home)
    found = place.task.learners[recipe.learner].estimate(cut.taught.train, settings)
    if recipe.budget is None:
        return found
    return Estimate(min(found.seconds, recipe.budget), found.bytes)
