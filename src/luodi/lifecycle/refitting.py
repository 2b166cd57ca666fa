"""The stage that learns a chosen model once more, from the rows that it was chosen by as well.

A tenth of two hundred rows tells little about a model and is missed in it. All choosing is over
when this stage begins; what the validation part said of the candidates stays what it was.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from luodi.contracts import Finding, Progress, Refitting, say
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.recipes import Recipe
from luodi.lifecycle.rows import split_settings
from luodi.lifecycle.stages import read_json, write_json
from luodi.lifecycle.training import (
    CHECKPOINTS,
    FACTS,
    Cut,
    Trained,
    facts_of,
    fit_and_export,
    fit_inputs,
    fit_settings,
)


def refit(
    run: RunPlace, cut: Cut, model: Trained, baselines: Sequence[Trained]
) -> tuple[Trained, Sequence[Trained]]:
    """The chosen model, and the baselines that it is held against, from all rows but the test's.

    A baseline is given the same rows: a model that beat it by having more of them would have beaten
    nothing. All come back as they are where `model.refit` is false, where it is not sound, the
    budget leaves no time or, left to us, it is not worth it.
    """
    wanted = run.project.model.refit
    if wanted is False:
        return model, baselines
    reason = (
        _taught(model)
        or _unsound(run, cut, model)
        or _too_late(run, model)
        or ("" if wanted is True else _not_worth_it(run, cut, model))
    )
    if reason:
        return (_left_out(model, reason) if wanted is True else model), baselines
    return _refitted(run, cut, model), [
        one if _unsound(run, cut, one) else _refitted(run, cut, one) for one in baselines
    ]


def _taught(trained: Trained) -> str:
    """That its teacher would have to be learnt once more before it; empty where it has none."""
    if not trained.facts.get("taught_by"):
        return ""
    return say(
        "a smaller model is served, whose teacher has not seen the other rows",
        "部署的是较小的模型，其教师模型未见过其余的行",
    )


def _unsound(run: RunPlace, cut: Cut, trained: Trained) -> str:
    """Why it must not be; empty when it may."""
    learner, data = run.task.learners[trained.recipe.learner], run.project.data
    if not isinstance(learner, Refitting):
        return say(
            f"the learner {learner.name} is stopped by the validation part, or has no use for more "
            "rows",
            f"学习器 {learner.name} 依靠验证集决定何时停止，或无需更多行",
        )
    if data.history is not None or split_settings(run, cut.parts.train).time is not None:
        return say(
            "the rows follow time, and what later rows are held out for would be lost",
            "数据按时间排列，留出较晚行的意义会丧失",
        )
    if cut.augmentation:
        return say(
            "made rows would stand on both sides of a fold with the rows that they are made from",
            "生成的行会与其来源行分处折的两侧",
        )
    clean = data.clean
    if "drop" in (clean.outliers, *(own.outliers for own in clean.columns.values())):
        return say(
            "outliers were dropped from the training part alone; the validation part may have some",
            "离群值只从训练集中删除，验证集中仍可能存在",
        )
    settings = fit_settings(run, trained.recipe, cut, run.folder)
    if not learner.refits(cut.taught.train, cut.taught.valid, settings):
        return say(
            "the question or the number of rows of a label does not allow it",
            "问题类型或某类别的行数不允许",
        )
    return ""


def _not_worth_it(run: RunPlace, cut: Cut, trained: Trained) -> str:
    """Why nobody asked for it and it is better left; empty when it is worth it."""
    if cut.parts.train.rows + cut.parts.valid.rows > _learner(run, trained).refit_rows:
        return say("there are rows enough", "行数已足够")
    if run.project.data.valid is not None:
        return say("the project names the rows to choose on", "项目指定了用于选择的行")
    return ""


def _too_late(run: RunPlace, trained: Trained) -> str:
    """That the budget has no room for it; empty where it has."""
    search = trained.facts.get("search")
    fit = search["trials"][search["best"]]["seconds"] if search else trained.seconds
    if leaves_time(_learner(run, trained), trained.recipe.budget, trained.seconds, fit):
        return ""
    return say("the budget does not allow it", "训练时间预算不允许")


def leaves_time(learner: Refitting, budget: float | None, spent: float, fit: float) -> bool:
    """Whether a budget has room for it, after so many seconds of training, of which one fit takes
    `fit`."""
    return budget is None or spent + learner.refit_fits * fit <= budget


def _learner(run: RunPlace, trained: Trained) -> Refitting:
    learner = run.task.learners[trained.recipe.learner]
    assert isinstance(learner, Refitting)  # noqa: S101  # `_unsound` says so
    return learner


def _refitted(run: RunPlace, cut: Cut, trained: Trained) -> Trained:
    name = f"refit-{trained.recipe.learner}"
    # What it goes by stands in the chosen model's files.
    inputs = fit_inputs(run, trained.recipe, cut) | {"chosen": trained.exported.parent.name}
    folder = run.stages.run(name, inputs, partial(_refit, run, trained, cut))
    facts = read_json(folder / FACTS)
    finding = Finding("refit", "info", cut.parts.valid.rows, _in_words(cut))
    for told in ("history", "sections"):  # what was seen where rows were held out still holds
        if not facts.get(told) and trained.facts.get(told):
            facts[told] = trained.facts[told]
    return replace(
        trained,
        exported=folder / "export",
        facts={**facts, "findings": [finding.to_json(), *facts["findings"]]},
        seconds=trained.seconds + run.stages.seconds[name],
    )


def _refit(run: RunPlace, trained: Trained, cut: Cut, folder: Path, progress: Progress) -> None:
    taught = cut.taught
    fitted = fit_and_export(
        run, _recipe(trained), cut, folder,
        lambda settings: _learner(run, trained).refit(
            taught.train, taught.valid, settings, progress, trained.exported
        ),
    )  # fmt: skip
    write_json(folder / FACTS, facts_of(fitted))
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)


def _recipe(trained: Trained) -> Recipe:
    """In what is left of the budget, with the settings that were found best: a learner that
    combines others is not searched itself, its members are."""
    recipe, options = trained.recipe, dict(trained.recipe.options)
    for found in trained.searches.values():
        options |= found["options"]
    left = None if recipe.budget is None else recipe.budget - trained.seconds
    return replace(recipe, options=options, budget=left)


def _in_words(cut: Cut) -> str:
    train, valid = cut.parts.train.rows, cut.parts.valid.rows
    return say(
        f"Once chosen, the model was learnt once more from all {train + valid} rows, the {valid} "
        "of the validation part among them; probabilities and threshold come from what was said of "
        "rows while they were held out.",
        f"选定之后，模型用全部 {train + valid} 行（含验证集 {valid} 行）重新学习；概率校准与阈值"
        "取自各行被留出时的预测。",
    )


def _left_out(model: Trained, reason: str) -> Trained:
    """It was asked for and is not done: that is said."""
    finding = Finding(
        "refit-left-out",
        "warning",
        0,
        say(
            f"The model was not learnt once more from all rows: {reason}.",
            f"未用全部行重新学习模型：{reason}。",
        ),
        remedy=say("Leave model.refit out.", "请去掉 model.refit。"),
    )
    findings = [*model.facts["findings"], finding.to_json()]
    return replace(model, facts={**model.facts, "findings": findings})
