"""The stage that asks how much a score owes to one deal of the rows: k folds, or nested ones.

The rows of the training and validation parts alone are dealt out again: the test part is opened
once, elsewhere. Everything that is learnt (what fills a gap, where an outlier begins, the model) is
learnt anew on the rows of each fold; near-copies and groups stand on one side, and with a time
column each fold is held against what came before it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    Adopting,
    Dataset,
    Finding,
    Interval,
    JsonValue,
    Parts,
    Progress,
    Quiet,
    Section,
    Table,
    say,
)
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.recipes import Recipe
from luodi.lifecycle.rows import class_column, split_settings
from luodi.lifecycle.stages import code_version, package_of, read_json, write_json
from luodi.lifecycle.training import (
    Cut,
    Trained,
    fit_and_export,
    predict_part,
    written,
)

if TYPE_CHECKING:
    from luodi.data.folds import Fold

_FACTS = "fold.json"
_SHOWN = 3


@dataclass(frozen=True)
class Crossed:
    """What the folds said.

    Attributes:
        folds: how many; `nested` inner ones to choose by in each, 0 for none.
        rows: that were dealt out to them.
        metrics: name -> the mean over the folds, with its interval.
        scores: a record a fold: learner, train, held (rows), metrics.
    """

    folds: int
    nested: int
    rows: int
    metrics: Mapping[str, Interval]
    scores: Sequence[Mapping[str, Any]]

    def to_json(self) -> dict[str, JsonValue]:
        """As it stands in result.json."""
        from luodi.evaluation.plain import plain

        found: dict[str, JsonValue] = plain(asdict(self))
        return found


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

    tried = [one.recipe for one in candidates] if wanted.nested else [chosen.recipe]
    data, folds = deal_folds(run, dealt)
    scores = []
    for number, fold in enumerate(folds, start=1):
        inputs: dict[str, JsonValue] = {
            **_inputs(run, dealt, tried),
            "fold": [number, wanted.folds, wanted.nested if len(tried) > 1 else None],
        }
        work = partial(_fold, run, dealt, tried, fold)
        scores.append(read_json(run.stages.run(f"fold-{number}", inputs, work) / _FACTS))
    shares = [score["held"] / score["train"] for score in scores]
    names = {metric.name: metric for metric in run.task.metrics}
    metrics = {
        name: over_folds(names[name], [_number(s["metrics"].get(name)) for s in scores], shares)
        for name in scores[0]["metrics"]
    }
    return Crossed(len(folds), wanted.nested or 0, data.rows, metrics, scores)


def deal_folds(run: RunPlace, dealt: Cut) -> tuple[Dataset, Sequence[Fold]]:
    """The rows but the test part's, and the folds that the project asks for, if it asks for any.

    Raises:
        DataError: fewer units of rows than folds.
    """
    from luodi.data.folds import k_folds

    data, count = _development(dealt), run.project.data.split.folds
    settings = split_settings(run, data)
    return data, k_folds(data, count, settings, class_column(data, run.task)) if count else []


def fold_seconds(folds: int | None, nested: int | None, candidates: Sequence[float]) -> float:
    """What cross-validation takes at the most, from the seconds of one fit of each candidate."""
    if folds is None or not candidates:
        return 0.0
    choosing = nested * sum(candidates) if nested and len(candidates) > 1 else 0.0
    return folds * (max(candidates) + choosing)


def _development(dealt: Cut) -> Dataset:
    import polars as pl

    parts = [dealt.parts.train, dealt.parts.valid]
    table = pl.concat([part.table for part in parts], how="diagonal_relaxed")
    return replace(dealt.parts.train, table=table)


def _inputs(run: RunPlace, dealt: Cut, recipes: Sequence[Recipe]) -> dict[str, JsonValue]:
    learners = [run.task.learners[recipe.learner] for recipe in recipes]
    return {
        "parts": dealt.key,
        "recipes": [[asdict(recipe), written(recipe.base)] for recipe in recipes],
        "clean": asdict(run.project.data.clean),
        "seed": [run.project.model.seed, run.project.data.split.seed],
        "shares": [run.project.data.split.valid, run.project.data.split.test],
        "threads": run.threads,
        "licence": run.project.model.licence,
        "question": asdict(run.project.question),
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
    recipes: Sequence[Recipe],
    fold: Fold,
    folder: Path,
    progress: Progress,
) -> None:
    """Choose among the recipes within the fold's own rows, learn the best from all of them."""
    data, work = _development(dealt), _Work(run, dealt, folder, progress)
    recipe = recipes[0]
    if len(recipes) > 1:
        recipe = _best(replace(work, progress=Quiet()), recipes, data.take(fold.train))
    progress.say(say(f"Learning {recipe.learner}.", f"训练 {recipe.learner}。"))
    metrics = _score(work, recipe, data, fold)
    shutil.rmtree(folder / "fit", ignore_errors=True)
    facts = {"learner": recipe.learner, "train": len(fold.train), "held": len(fold.held)}
    write_json(folder / _FACTS, {**facts, "metrics": metrics})


def _best(work: _Work, recipes: Sequence[Recipe], data: Dataset) -> Recipe:
    """By the mean over inner folds of the metric that is chosen on."""
    import numpy as np

    from luodi.data.folds import k_folds

    run = work.run
    settings, stratify = split_settings(run, data), class_column(data, run.task)
    inner = k_folds(data, run.project.data.split.nested or 2, settings, stratify)
    metric = run.task.metrics[0]
    found = [
        float(np.mean([_score(work, recipe, data, fold)[metric.name] for fold in inner]))
        for recipe in recipes
    ]
    sign = 1 if metric.higher_is_better else -1
    return recipes[int(np.nanargmax(sign * np.array(found)))]


def _score(work: _Work, recipe: Recipe, data: Dataset, fold: Fold) -> dict[str, float]:
    """Each metric on the rows held out, of a model that learnt from the others alone."""
    from luodi.data.folds import k_folds
    from luodi.data.mending import mend
    from luodi.evaluation.intervals import points
    from luodi.evaluation.measure import applicable

    run, scratch = work.run, work.folder / "fit"
    learner, project = run.task.learners[recipe.learner], run.project
    # What it chooses by is as large a share of its rows as the validation part's of the others.
    count = min(10, max(2, round((1 - project.data.split.test) / project.data.split.valid)))
    rows = data.take(fold.train)
    inner = k_folds(rows, count, split_settings(run, rows), class_column(rows, run.task))[-1]
    own = Parts(rows.take(inner.train), rows.take(inner.held), data.take(fold.held))
    mended = mend(own, work.dealt.schema, project.data.clean)
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    cut = replace(work.dealt, inner=mended.schema)
    learnt = mended.parts.train, mended.parts.valid
    fit_and_export(
        run, recipe, cut, scratch, lambda settings: learner.fit(*learnt, settings, work.progress)
    )
    exported, part = scratch / "export", mended.parts.test
    answers = predict_part(run, recipe.learner, exported, part, mended.schema)
    scored = run.task.score(mended.asked.test, answers, work.dealt.schema)
    return points(scored, applicable(run.task.metrics, scored))


def crossed_findings(
    crossed: Crossed | None, held: Mapping[str, Interval], metric: str
) -> list[Finding]:
    """A held-out score that lies beyond what the folds give owes something to the deal."""
    if crossed is None or metric not in held or metric not in crossed.metrics:
        return []
    folds, value = crossed.metrics[metric], held[metric].value
    if not (value < folds.low or value > folds.high):
        return []
    return [
        Finding(
            "folds-differ",
            "warning",
            crossed.folds,
            say(
                f"{metric} is {value:.3f} on the test part and {folds.value:.3f} "
                f"[{folds.low:.3f}, {folds.high:.3f}] over {crossed.folds} folds of the others.",
                f"{metric} 在测试集上为 {value:.3f}，在其余数据的 {crossed.folds} 折上为 "
                f"{folds.value:.3f} [{folds.low:.3f}, {folds.high:.3f}]。",
            ),
            remedy=say(
                "The test part is easier or harder than the others: trust the worse of the two.",
                "测试集比其余数据更容易或更难：请以较差的一个为准。",
            ),
        )
    ]


def crossed_sections(crossed: Crossed | None, held: Mapping[str, Interval]) -> list[Section]:
    """The folds beside the held-out score, and one under another."""
    if crossed is None:
        return []
    import math
    import statistics

    rows: list[list[JsonValue]] = []
    for name, interval in crossed.metrics.items():
        values = [v for s in crossed.scores if math.isfinite(v := _number(s["metrics"].get(name)))]
        spread = statistics.stdev(values) if len(values) > 1 else None
        other = held[name].to_json() if name in held else None
        rows.append([name, interval.to_json(), spread, other])
    nested = say(
        f" In each, the learner was chosen anew by {crossed.nested} inner folds.",
        f"每折内用 {crossed.nested} 个内层折重新选择学习器。",
    )
    note = say(
        f"{crossed.rows} rows of the training and validation parts, dealt out to {crossed.folds} "
        "folds, near-copies and groups together; everything was learnt anew in each. The interval "
        "is that of the mean, corrected for folds that share rows (Nadeau and Bengio 2003). The "
        "gate judges the test part alone.",
        f"训练与验证部分的 {crossed.rows} 行分为 {crossed.folds} 折，近似重复与同组的行在同一折；"
        "每折都重新学习全部步骤。区间针对均值，并按各折共用数据作了修正（Nadeau 与 Bengio 2003）。"
        "门槛只看测试部分。",
    ) + (nested if crossed.nested else "")
    shown = list(crossed.metrics)[:_SHOWN]
    folds: list[list[JsonValue]] = [
        [str(n), s["learner"], s["train"], s["held"], *(s["metrics"].get(name) for name in shown)]
        for n, s in enumerate(crossed.scores, start=1)
    ]
    head = [say("Metric", "指标"), say("Mean over folds", "各折均值"),
            say("Standard deviation", "标准差"), say("Test part", "测试集")]  # fmt: skip
    each = [say("Fold", "折"), say("Learner", "学习器"), say("Learnt from", "训练行数"),
            say("Held out", "留出行数"), *shown]  # fmt: skip
    return [
        Table(say("Cross-validation", "交叉验证"), head, rows, note),
        Table(say("Fold by fold", "逐折结果"), each, folds),
    ]


def _number(value: JsonValue) -> float:
    return float("nan") if value is None else float(value)
