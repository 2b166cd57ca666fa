"""A search: settings of one learner tried one after the other, compared on the validation part."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from luodi.contracts import (
    Finding,
    JsonValue,
    Lines,
    Progress,
    SearchSpace,
    Section,
    Table,
    TrainingError,
    say,
)
from luodi.lifecycle.recipes import Recipe
from luodi.lifecycle.stages import read_json, write_json
from luodi.training.budget import Clock
from luodi.training.search import Trial, best, propose, searched

_TRIALS = "trials.json"
_SHOWN = 10
"""Trials that the report's table holds, the best first."""


Attempt = Callable[[Recipe, Path, Progress], float]
"""Trains a recipe into a folder; what it reached on the validation part."""


@dataclass(frozen=True)
class Search:
    """One learner's search.

    Attributes:
        recipe: with the number of trials; its budget is that of all of them together.
        space: the learner's; what the recipe's options leave open of it is searched.
        metric: what trials are compared by.
    """

    recipe: Recipe
    space: SearchSpace
    metric: str
    higher_is_better: bool
    seed: int

    def run(self, folder: Path, attempt: Attempt, progress: Progress) -> Found:
        """Try settings until there are trials enough, none is left to try, or the budget is spent.

        Each trial gets an equal share of what is left of the budget. Trials that an earlier,
        killed call came to stand in `folder` and are not done again.
        """
        tried = _kept(folder)
        clock = Clock(self.recipe.budget, sum(trial.seconds for trial in tried))
        wanted, space = self.recipe.trials, searched(self.space, self.recipe.options)
        while len(tried) < wanted and (not tried or clock.left() > 0):
            number = len(tried)
            options = propose(space, tried, self.higher_is_better, self.seed)
            if options is None:
                break
            place, watch = _folder(folder, number), _Watch(self, tried, progress)
            place.mkdir(exist_ok=True)
            watch.step(0, 1)
            share = None if self.recipe.budget is None else clock.left() / (wanted - number)
            recipe = replace(self.tried(options), budget=share)
            tried.append(self._try(recipe, options, place, attempt, watch))
            write_json(folder / _TRIALS, [asdict(trial) for trial in tried])
            for old in range(len(tried)):
                if old != best(tried, self.higher_is_better):
                    shutil.rmtree(_folder(folder, old), ignore_errors=True)
        progress.step(wanted, wanted)
        return Found(self, tried, _folder(folder, best(tried, self.higher_is_better)))

    def _try(
        self, recipe: Recipe, options: Mapping[str, JsonValue], place: Path, attempt: Attempt,
        progress: Progress,
    ) -> Trial:  # fmt: skip
        started = time.monotonic()
        try:
            value = attempt(recipe, place, progress)
        except TrainingError as error:
            if recipe.options == self.recipe.options:  # not even the defaults: no search helps
                raise
            return Trial(options, None, time.monotonic() - started, str(error))
        known = value if math.isfinite(value) else None
        return Trial(options, known, time.monotonic() - started)

    def tried(self, options: Mapping[str, JsonValue]) -> Recipe:
        """The recipe of a trial: the defaults stay unsaid."""
        own = {k: v for k, v in options.items() if v != self.space[k].default}
        return replace(self.recipe, options={**self.recipe.options, **own}, trials=0)


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        folder: where the best trial's model lies.
    """

    search: Search
    tried: Sequence[Trial]
    folder: Path

    @property
    def best(self) -> Trial:
        """The trial that reached most."""
        return self.tried[best(self.tried, self.search.higher_is_better)]

    def to_json(self) -> dict[str, JsonValue]:
        """As result.json tells it; the first trial is of the defaults."""
        return {
            "metric": self.search.metric,
            "higher_is_better": self.search.higher_is_better,
            "wanted": self.search.recipe.trials,
            "options": dict(self.search.tried(self.best.options).options),
            "best": best(self.tried, self.search.higher_is_better),
            "trials": [asdict(trial) for trial in self.tried],
        }


class _Watch:
    """Tells a trial's progress as a share of all trials'."""

    def __init__(self, search: Search, tried: Sequence[Trial], progress: Progress) -> None:
        self.search, self.progress, self.number = search, progress, len(tried)
        self.note = say(
            f"trial {len(tried) + 1} of {search.recipe.trials}",
            f"第 {len(tried) + 1}/{search.recipe.trials} 次试验",
        )
        top = tried[best(tried, search.higher_is_better)].value if tried else None
        if top is not None:
            self.note += say(
                f", best {search.metric} {top:.4g}", f"，目前最优 {search.metric} {top:.4g}"
            )

    def step(self, done: float, total: float, note: str = "") -> None:
        """So much of this trial."""
        share = min(done / total, 1.0) if total else 0.0
        self.progress.step(
            self.number + share, self.search.recipe.trials, f"{self.note}; {note}" if note else
            self.note,
        )  # fmt: skip

    def say(self, message: str) -> None:
        """As it is."""
        self.progress.say(message)


def _folder(folder: Path, number: int) -> Path:
    return folder / f"trial-{number}"


def _kept(folder: Path) -> list[Trial]:
    path = folder / _TRIALS
    return [Trial(**trial) for trial in read_json(path)] if path.exists() else []


@dataclass(frozen=True)
class _Told:
    """A search in words, from what result.json holds of it."""

    learner: str
    facts: Mapping[str, Any]

    @property
    def trials(self) -> list[Mapping[str, Any]]:
        return list(self.facts["trials"])

    @property
    def words(self) -> str:
        done, wanted, metric = len(self.trials), self.facts["wanted"], self.facts["metric"]
        first = self.trials[0]["value"]
        top = self.trials[self.facts["best"]]["value"]
        shown = ", ".join(f"{k} {v}" for k, v in self.facts["options"].items())
        told = say(
            f"{done} settings of {self.learner} were tried"
            f"{'' if done == wanted else f' ({wanted} were asked for)'}. ",
            f"共尝试 {self.learner} 的 {done} 组设置"
            f"{'' if done == wanted else f'（要求 {wanted} 组）'}。",
        )
        if top is None or first is None or self.facts["best"] == 0:
            return told + say(
                "None did better than the defaults on the validation part.",
                "验证集上没有一组优于默认设置。",
            )
        return told + say(
            f"The best reached {metric} {top:.4f} on the validation part, the defaults "
            f"{first:.4f}: {shown}. The best of many looks at the same rows flatters itself; what "
            "it is worth, the test part tells.",
            f"最优一组在验证集上的 {metric} 为 {top:.4f}，默认设置为 {first:.4f}：{shown}。"
            "在同样的行上多次比较取最优，结果会偏乐观；真实水平以测试集为准。",
        )


def search_findings(
    searches: Mapping[str, Mapping[str, Any]], left_out: Sequence[str] = ()
) -> list[Finding]:
    """A sentence a search, and one for learners that have nothing to be searched."""
    found = [
        Finding("search", "info", 0, _Told(learner, facts).words)
        for learner, facts in searches.items()
    ]
    if left_out:
        names = ", ".join(left_out)
        message = say(
            f"Not searched: {names}. They choose their settings themselves, or model.options sets "
            "all there are.",
            f"未搜索：{names}。这些学习器自行选择设置，或设置已全部由 model.options 给定。",
        )
        found.append(Finding("search-left-out", "info", 0, message))
    return found


def search_sections(searches: Mapping[str, Mapping[str, Any]]) -> list[Section]:
    """Of each search the best trials, and how the best so far rose."""
    found: list[Section] = []
    for learner, facts in searches.items():
        told = _Told(learner, facts)
        found += [_table(told), _curve(told)]
    return found


def _table(told: _Told) -> Table:
    sign = 1 if told.facts["higher_is_better"] else -1
    names = list(told.trials[0]["options"])
    order = sorted(
        range(len(told.trials)),
        key=lambda n: (told.trials[n]["value"] is None, -sign * (told.trials[n]["value"] or 0), n),
    )
    shown = order[:_SHOWN] if 0 in order[:_SHOWN] else [*order[: _SHOWN - 1], 0]
    rows: list[list[JsonValue]] = [
        [
            say("defaults", "默认设置") if number == 0 else number + 1,
            told.trials[number]["value"],
            round(told.trials[number]["seconds"], 1),
            *(_shown(told.trials[number]["options"][name]) for name in names),
        ]
        for number in shown
    ]
    return Table(
        say(f"Settings tried: {told.learner}", f"尝试过的设置：{told.learner}"),
        [say("trial", "试验"), told.facts["metric"], say("seconds", "秒"), *names],
        rows,
        told.words,
    )


def _shown(value: JsonValue) -> JsonValue:
    return say("by the rows", "按行数") if value is None else value


def _curve(told: _Told) -> Lines:
    better = max if told.facts["higher_is_better"] else min
    curve: list[tuple[float, float]] = []
    for number, trial in enumerate(told.trials, 1):
        if trial["value"] is not None:
            so_far = better(trial["value"], curve[-1][1]) if curve else trial["value"]
            curve.append((float(number), so_far))
    return Lines(
        say(f"The best so far: {told.learner}", f"目前最优：{told.learner}"),
        say("trials", "试验次数"),
        told.facts["metric"],
        {say("validation part", "验证集"): curve},
    )
