"""A look before the leap: is the project right, are its rows, and what will a run take?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from luodi.contracts import (
    Combining,
    Dataset,
    Distilling,
    Estimate,
    Refitting,
    Role,
    Schema,
    pupil_of,
    system_language,
    use_language,
)
from luodi.lifecycle.adopting import adopted
from luodi.lifecycle.crossing import deal_folds, fold_seconds
from luodi.lifecycle.making import made_rows, making_seconds, with_made
from luodi.lifecycle.mending import mend
from luodi.lifecycle.place import RunPlace, open_check
from luodi.lifecycle.recipes import Recipe, baseline_recipes, member_recipes, recipes
from luodi.lifecycle.refitting import leaves_time
from luodi.lifecycle.rows import PARTS, Clean, collect, prepare, split
from luodi.lifecycle.stages import Observer
from luodi.lifecycle.training import Cut, fit_settings
from luodi.project.schema import Project

_ASKED = 0.01
"""Seconds in which the models that are combined answer a row of the validation part."""


@dataclass(frozen=True)
class Checked:
    """What a run would meet.

    Attributes:
        estimates: each recipe with what it will take; a budget caps its seconds.
        read_as: column -> how it is read: a field's kind, or the roles that it plays; columns
            that are left out have none.
        folds: seconds that cross-validation takes at the most, 0 where none is asked for.
        refit: seconds that learning the chosen model once more takes at the most, where it is
            asked for.
        distil: seconds that teaching a smaller model takes at the most, where it is asked for.
        making: seconds that making rows takes, in each fold as well, and measuring what they gain;
            its `making_bytes`.
        seconds, bytes: of the whole run: the sum, and the largest.
    """

    project: Project
    clean: Clean
    rows: Mapping[str, int]
    estimates: Sequence[tuple[Recipe, Estimate]]
    read_as: Mapping[str, str]
    folds: float = 0.0
    refit: float = 0.0
    distil: float = 0.0
    making: float = 0.0
    making_bytes: int = 0

    @property
    def seconds(self) -> float:
        """Made rows, all recipes one after another, the folds, and the chosen one once more: from
        more rows, or smaller."""
        fits = sum(estimate.seconds for _, estimate in self.estimates)
        return self.making + fits + self.folds + self.refit + self.distil

    @property
    def bytes(self) -> int:
        """The most that one of them holds."""
        return max((self.making_bytes, *(estimate.bytes for _, estimate in self.estimates)))

    def to_json(self) -> dict[str, Any]:
        """As `luodi check --json` prints it."""
        return {
            "project": self.project.name,
            "task": self.project.task,
            "ok": True,
            "data": {**self.clean.counts, **self.rows},
            "findings": [finding.to_json() for finding in self.clean.findings],
            "columns": [
                {**column, "read_as": self.read_as.get(str(column["name"]))}
                for column in self.clean.profile
            ],
            "estimates": [
                {
                    "learner": recipe.learner,
                    "base": recipe.base,
                    "seconds": estimate.seconds,
                    "bytes": estimate.bytes,
                }
                for recipe, estimate in self.estimates
            ],
            "estimate": {
                "seconds": self.seconds,
                "bytes": self.bytes,
                "folds": self.folds,
                "refit": self.refit,
                "distil": self.distil,
                "making": self.making,
            },
        }


def check_project(project: Project, observer: Observer) -> Checked:
    """Collect, inspect, prepare and split as a run would; train nothing."""
    language = project.language or system_language()
    use_language(language)
    project = adopted(project)
    place = open_check(project, observer, language)
    raw = collect(place)
    clean = prepare(place, raw)
    dealt = split(place, raw, clean)
    deal_folds(place, dealt)  # too few rows for them are told before anything is trained
    cut = mend(place, dealt)
    chosen: list[Recipe] = []
    for recipe in recipes(project, place.task):  # what is combined is trained first, and once
        chosen += [*member_recipes(recipe, project, place.task), recipe]
    made = made_rows(place, cut)
    larger = with_made(cut, made)
    # Baselines learn from real rows alone; one that is chosen too is told as what it becomes.
    trained = {repr(recipe): (recipe, cut) for recipe in baseline_recipes(place.task)}
    trained |= {repr(recipe): (recipe, larger) for recipe in chosen}
    estimates = [(recipe, _estimate(place, recipe, on)) for recipe, on in trained.values()]
    return Checked(
        project,
        clean,
        {name: getattr(cut.parts, name).rows for name in PARTS},
        estimates,
        _read_as(cut.parts.train, cut.schema),
        _folds(place, estimates),
        _refit(place, estimates),
        _distil(place, estimates),
        making_seconds(place, cut, larger, made),
        made.bytes if made else 0,
    )


def _folds(place: RunPlace, estimates: Sequence[tuple[Recipe, Estimate]]) -> float:
    known = {repr(recipe): each.seconds for recipe, each in estimates}
    wanted = recipes(place.project, place.task)
    candidates = [_fit_seconds(place, recipe, known) for recipe in wanted]
    searches = sum(known[repr(recipe)] for recipe in wanted if recipe.trials)
    split = place.project.data.split
    return fold_seconds(split.folds, split.nested, candidates, searches)


def _refit(place: RunPlace, estimates: Sequence[tuple[Recipe, Estimate]]) -> float:
    """Of the candidate that it takes longest for, and of the baselines; nothing of one for which
    the budget leaves no time."""
    if place.project.model.refit is not True:
        return 0.0
    known = {repr(recipe): each.seconds for recipe, each in estimates}

    def again(recipe: Recipe) -> float:
        learner = place.task.learners[recipe.learner]
        if not isinstance(learner, Refitting):
            return 0.0
        fit = _fit_seconds(place, recipe, known)
        there = leaves_time(learner, recipe.budget, fit * max(recipe.trials, 1), fit)
        return learner.refit_fits * fit if there else 0.0

    chosen = max(map(again, recipes(place.project, place.task)), default=0.0)
    return chosen + sum(map(again, baseline_recipes(place.task))) if chosen else 0.0


def _distil(place: RunPlace, estimates: Sequence[tuple[Recipe, Estimate]]) -> float:
    """Of the candidate that it takes longest for; within what its budget leaves."""
    if place.project.model.distil is None:
        return 0.0
    known = {repr(recipe): each.seconds for recipe, each in estimates}

    def taught(recipe: Recipe) -> float:
        pupil = pupil_of(place.task, recipe.learner)
        if not pupil:
            return 0.0
        learner = place.task.learners[pupil]
        assert isinstance(learner, Distilling)  # noqa: S101  # `pupil_of` chose it
        seconds = learner.distil_fits * _fit_seconds(place, recipe, known)
        if recipe.budget is None:
            return seconds
        return min(seconds, max(recipe.budget - _fit_seconds(place, recipe, known), 0.0))

    return max(map(taught, recipes(place.project, place.task)), default=0.0)


def _fit_seconds(place: RunPlace, recipe: Recipe, known: Mapping[str, float]) -> float:
    """What a candidate's own fit takes, and those of the models that it combines; of one that is
    searched, one of so many."""
    members = member_recipes(recipe, place.project, place.task)
    return sum(known[repr(each)] / max(each.trials, 1) for each in [recipe, *members])


def _read_as(data: Dataset, schema: Schema) -> dict[str, str]:
    kinds = {name: field.kind for field in schema.request for name in (field.name, *field.aliases)}
    told: dict[str, list[str]] = {}
    for role, names in data.roles.items():
        for name in names:
            learnt = role in (Role.FEATURE, Role.TEXT)
            if learnt and name in kinds:
                told.setdefault(name, []).insert(0, str(kinds[name]))
            elif not learnt:
                told.setdefault(name, []).append(str(role))
    return {name: ", ".join(words) for name, words in told.items()}


def _estimate(place: RunPlace, recipe: Recipe, cut: Cut) -> Estimate:
    settings = fit_settings(place, recipe, cut, place.home)
    learner = place.task.learners[recipe.learner]
    found = learner.estimate(cut.taught.train, settings)
    if isinstance(learner, Combining):  # its members stand in the list themselves
        return Estimate(1 + _ASKED * cut.parts.valid.rows, found.bytes)
    seconds = found.seconds * max(recipe.trials, 1)
    if recipe.budget is not None:
        seconds = min(seconds, recipe.budget)
    return Estimate(seconds, found.bytes)
