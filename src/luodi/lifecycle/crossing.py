"""The stage that asks how much a score owes to one deal of the rows: k folds, or nested ones.

The rows of the training and validation parts alone are dealt out again: the test part is opened
once, elsewhere. Everything that is learnt (what fills a gap, where an outlier begins, the model) is
learnt anew on the rows of each fold; near-copies and groups stand on one side, and with a time
column each fold is held against what came before it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.contracts import (
    Adopting,
    Dataset,
    FitSettings,
    Fitted,
    JsonValue,
    Parts,
    Progress,
    Quiet,
    say,
)
from luodi.lifecycle.crossed import Crossed, Searched, number
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.recipes import Recipe, recipes
from luodi.lifecycle.rows import class_column, split_settings
from luodi.lifecycle.stages import code_version, package_of, read_json, write_json
from luodi.lifecycle.training import (
    Cut,
    Trained,
    fit_and_export,
    predict_part,
    reached,
    search_of,
    written,
)

if TYPE_CHECKING:
    from luodi.data.folds import Fold

_FACTS = "fold.json"


def cross_validate(
    run: RunPlace, dealt: Cut, chosen: Trained, candidates: Sequence[Trained]
) -> Crossed | None:
    """The chosen recipe's score over `data.split.folds`; None where the project asks for none.

    With `data.split.nested` the recipe is chosen anew in each fold, among all that were tried, by
    inner folds of its own rows: what the whole way of choosing is worth.

    Args:
        dealt: the parts before anything was learnt on them.

    Raises:
        DataError: fewer units of rows than folds.
    """
    wanted = run.project.data.split
    if wanted.folds is None:
        return None
    if isinstance(run.task.learners[chosen.recipe.learner], Adopting):
        run.observer.tell(
            say("No folds: the model was trained elsewhere.", "不做交叉验证：模型在别处训练。")
        )
        return None
    from luodi.evaluation.folds import over_folds

    tried = _asked(run, candidates) if wanted.nested else [chosen.recipe]
    data, folds = deal_folds(run, dealt)
    scores = []
    for place, fold in enumerate(folds, start=1):
        inputs: dict[str, JsonValue] = {
            **_inputs(run, dealt, tried),
            "fold": [place, wanted.folds, wanted.nested if len(tried) > 1 else None],
        }
        work = partial(_fold, run, dealt, tried, fold)
        scores.append(read_json(run.stages.run(f"fold-{place}", inputs, work) / _FACTS))
    shares = [score["held"] / score["train"] for score in scores]
    names = {metric.name: metric for metric in run.task.metrics}
    metrics = {
        name: over_folds(names[name], [number(s["metrics"].get(name)) for s in scores], shares)
        for name in scores[0]["metrics"]
    }
    search = _searched(run, chosen, tried)
    made = run.project.data.augment.asked
    return Crossed(len(folds), wanted.nested or 0, data.rows, metrics, scores, made, search)


def _asked(run: RunPlace, candidates: Sequence[Trained]) -> list[Recipe]:
    """The candidates as the project asks for them: what was searched is searched again."""
    asked = {recipe.learner: recipe for recipe in recipes(run.project, run.task)}
    tried = [one.recipe for one in candidates]
    return [asked[own.learner] if asked[own.learner].trials else own for own in tried]


def _searched(run: RunPlace, chosen: Trained, tried: Sequence[Recipe]) -> Searched:
    if any(recipe.trials for recipe in tried):
        return "anew"
    if not chosen.searches:
        return ""
    return "kept" if chosen.recipe.learner in chosen.searches else "defaults"


def deal_folds(run: RunPlace, dealt: Cut) -> tuple[Dataset, Sequence[Fold]]:
    """The rows but the test part's, and the folds that the project asks for, if it asks for any.

    Raises:
        DataError: fewer units of rows than folds.
    """
    from luodi.data.folds import k_folds

    data, count = _development(dealt), run.project.data.split.folds
    settings = split_settings(run, data)
    return data, k_folds(data, count, settings, class_column(data, run.task)) if count else []


def fold_seconds(
    folds: int | None, nested: int | None, candidates: Sequence[float], searches: float = 0.0
) -> float:
    """What cross-validation takes at the most, from the seconds of one fit of each candidate.

    Args:
        searches: seconds of all the searches that nested folds make anew.
    """
    if folds is None or not candidates:
        return 0.0
    choosing = nested * sum(candidates) if nested and len(candidates) > 1 else 0.0
    return folds * (max(candidates) + choosing + (searches if nested else 0.0))


def _development(dealt: Cut) -> Dataset:
    import polars as pl

    parts = [dealt.parts.train, dealt.parts.valid]
    table = pl.concat([part.table for part in parts], how="diagonal_relaxed")
    return replace(dealt.parts.train, table=table)


def _inputs(run: RunPlace, dealt: Cut, tried: Sequence[Recipe]) -> dict[str, JsonValue]:
    learners = [run.task.learners[recipe.learner] for recipe in tried]
    augment = run.project.data.augment
    return {
        "parts": dealt.key,
        "recipes": [[asdict(recipe), written(recipe.base)] for recipe in tried],
        "clean": asdict(run.project.data.clean),
        "seed": [run.project.model.seed, run.project.data.split.seed],
        "shares": [run.project.data.split.valid, run.project.data.split.test],
        "threads": run.threads,
        "licence": run.project.model.licence,
        "question": asdict(run.project.question),
        **({"augment": asdict(augment)} if augment.asked else {}),
        "learners": [[learner.name, learner.version] for learner in learners],
        "code": code_version(
            "luodi.data", "luodi.training", "luodi.evaluation", *map(package_of, learners)
        ),
    }


@dataclass(frozen=True)
class _Work:
    """One fold's place: what is learnt there is learnt in `folder`."""

    run: RunPlace
    dealt: Cut
    folder: Path
    progress: Progress = field(default_factory=Quiet)


def _fold(
    run: RunPlace,
    dealt: Cut,
    asked: Sequence[Recipe],
    fold: Fold,
    folder: Path,
    progress: Progress,
) -> None:
    """Search and choose within the fold's own rows, learn the best from all of them."""
    data, work = _development(dealt), _Work(run, dealt, folder, progress)
    own = data.take(fold.train)
    cut = _cut(work, own, data.take(fold.held))
    quiet = replace(work, progress=Quiet())
    found = [_search(quiet, recipe, cut) if recipe.trials else recipe for recipe in asked]
    recipe = found[0] if len(found) == 1 else _best(quiet, found, own)
    progress.say(say(f"Learning {recipe.learner}.", f"训练 {recipe.learner}。"))
    metrics = _score(work, recipe, cut)
    shutil.rmtree(folder / "fit", ignore_errors=True)
    searched = any(one.trials for one in asked if one.learner == recipe.learner)
    facts = {
        "learner": recipe.learner,
        "train": len(fold.train),
        "held": len(fold.held),
        **({"options": dict(recipe.options)} if searched else {}),
    }
    write_json(folder / _FACTS, {**facts, "metrics": metrics})


def _search(work: _Work, recipe: Recipe, cut: Cut) -> Recipe:
    """The settings that are best on what the fold's own rows choose by."""
    run = work.run

    def attempt(tried: Recipe, place: Path, watch: Progress) -> float:
        _learn(replace(work, progress=watch), tried, cut, place)
        exported, valid = place / "export", cut.taught.valid
        return reached(run, cut, predict_part(run, recipe.learner, exported, valid, cut.inner))

    folder = work.folder / f"search-{recipe.learner}"
    folder.mkdir(exist_ok=True)
    asked = search_of(run, recipe)
    found = asked.run(folder, attempt, work.progress)
    shutil.rmtree(folder)
    return asked.tried(found.best.options)


def _best(work: _Work, tried: Sequence[Recipe], data: Dataset) -> Recipe:
    """By the mean over inner folds of the metric that is chosen on."""
    import numpy as np

    from luodi.data.folds import k_folds

    run = work.run
    settings, stratify = split_settings(run, data), class_column(data, run.task)
    inner = k_folds(data, run.project.data.split.nested or 2, settings, stratify)
    metric = run.task.metrics[0]
    found = np.empty((len(inner), len(tried)))
    for row, fold in zip(found, inner, strict=True):
        cut = _cut(work, data.take(fold.train), data.take(fold.held))
        row[:] = [_score(work, recipe, cut)[metric.name] for recipe in tried]
    sign = 1 if metric.higher_is_better else -1
    return tried[int(np.nanargmax(sign * found.mean(axis=0)))]


def _cut(work: _Work, rows: Dataset, held: Dataset) -> Cut:
    """A fold's rows to learn from and to choose by, and those held out, prepared as a run's parts
    are: what is learnt, and what is made, comes from the first alone."""
    from luodi.data.augment.rows import augment
    from luodi.data.folds import k_folds, most_folds
    from luodi.data.mending import mend
    from luodi.data.split import units_of

    run, project = work.run, work.run.project
    # What it chooses by is as large a share of its rows as the validation part's of the others.
    settings, split = split_settings(run, rows), project.data.split
    most = min(10, most_folds(units_of(rows, settings), settings))
    count = max(2, min(most, round((1 - split.test) / split.valid)))
    inner = k_folds(rows, count, settings, class_column(rows, run.task))[-1]
    own = Parts(rows.take(inner.train), rows.take(inner.held), held)
    mended = mend(own, work.dealt.schema, project.data.clean)
    taught = mended.parts
    if project.data.augment.asked:
        seed = project.model.seed
        made = augment(taught, project.data.augment, seed, project.root, Quiet())
        taught = Parts(made.train, taught.valid, taught.test)
    return replace(work.dealt, parts=mended.asked, taught=taught, inner=mended.schema)


def _learn(work: _Work, recipe: Recipe, cut: Cut, folder: Path) -> None:
    """A model, exported into the folder."""
    learner, taught = work.run.task.learners[recipe.learner], cut.taught

    def fit(settings: FitSettings) -> Fitted:
        return learner.fit(taught.train, taught.valid, settings, work.progress)

    fit_and_export(work.run, recipe, cut, folder, fit)


def _score(work: _Work, recipe: Recipe, cut: Cut) -> dict[str, float]:
    """Each metric on the rows held out, of a model that learnt from the others alone."""
    from luodi.evaluation.intervals import points
    from luodi.evaluation.measure import applicable

    run, scratch = work.run, work.folder / "fit"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    _learn(work, recipe, cut, scratch)
    answers = predict_part(run, recipe.learner, scratch / "export", cut.taught.test, cut.inner)
    scored = run.task.score(cut.parts.test, answers, cut.schema)
    return points(scored, applicable(run.task.metrics, scored))
