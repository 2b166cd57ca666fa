"""The stage in which the chosen model teaches a smaller one, where the project asks for it.

The student takes its teacher's place where it costs no more of the score than is allowed and keeps
every line of the gate that the teacher keeps; all of that on the validation part.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from luodi.contracts import (
    BaseModelError,
    Distilling,
    Interval,
    JsonValue,
    Progress,
    TrainingError,
    pupil_of,
    say,
    worded,
)
from luodi.lifecycle.distilled import Distilled, Side
from luodi.lifecycle.forms import size_of
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.probing import Bench, allowed, held_against
from luodi.lifecycle.recipes import Recipe
from luodi.lifecycle.stages import code_version, read_json, write_json
from luodi.lifecycle.training import (
    CHECKPOINTS,
    FACTS,
    Cut,
    Trained,
    facts_of,
    fit_and_export,
    fit_inputs,
    measured,
    predict_part,
)

LEAST = 0.5
"""Of the time that a fit took, what a budget must leave for a student."""


def distil(run: RunPlace, cut: Cut, teacher: Trained, baselines: Sequence[Trained]) -> Distilled:
    """The model to go on with: the chosen one, or a smaller one that it has taught.

    Args:
        baselines: what the gate may want beaten, on the validation part too.
    """
    if run.project.model.distil is None:
        return Distilled(teacher)
    found = _distilled(run, cut, teacher, baselines)
    run.observer.tell(found.in_words())
    return found


def _distilled(
    run: RunPlace, cut: Cut, teacher: Trained, baselines: Sequence[Trained]
) -> Distilled:
    pupil = pupil_of(run.task, teacher.recipe.learner)
    if not pupil:
        return Distilled(teacher, True, _no_pupil(teacher.recipe.learner))
    budget, left = teacher.recipe.budget, None
    if budget is not None:
        left = budget - teacher.seconds
        if left < LEAST * teacher.seconds:
            return Distilled(
                teacher, True, say("the budget leaves no time", "训练预算没有余下时间")
            )
    recipe = replace(teacher.recipe, learner=pupil, budget=left)
    try:
        student = _taught(run, cut, teacher, recipe)
    except (TrainingError, BaseModelError) as error:
        return Distilled(teacher, True, str(worded(error.found)).rstrip(".。"))
    return _compared(run, cut, (teacher, student), baselines)


def _no_pupil(name: str) -> str:
    return say(f"the learner {name} has no smaller form", f"学习器 {name} 没有更小的形式")


def _taught(run: RunPlace, cut: Cut, teacher: Trained, recipe: Recipe) -> Trained:
    settings = run.project.model.distil
    assert settings is not None  # noqa: S101  # `distil` looked
    # What is left of the budget is no two runs' the same: the teacher stands for it.
    inputs = fit_inputs(run, replace(recipe, budget=teacher.recipe.budget), cut) | {
        "teacher": teacher.exported.parent.name,
        "layers": settings.layers,
    }
    work = partial(_teach, run, teacher, recipe, cut, settings.layers)
    folder = run.stages.run("distil", inputs, work)
    facts = read_json(folder / FACTS)
    valid = {name: Interval(**value) for name, value in facts["valid"].items()}
    seconds = teacher.seconds + run.stages.seconds["distil"]
    return Trained(recipe, folder / "export", valid, facts, seconds, teacher.searches)


def _teach(
    run: RunPlace, teacher: Trained, recipe: Recipe, cut: Cut, layers: int | None, folder: Path,
    progress: Progress,
) -> None:  # fmt: skip
    learner, taught = run.task.learners[recipe.learner], cut.taught
    assert isinstance(learner, Distilling)  # noqa: S101  # `pupil_of` chose it
    progress.say(say("Asking the teacher.", "正在询问教师模型。"))
    said = predict_part(run, teacher.recipe.learner, teacher.exported, taught.train, cut.inner)
    fitted = fit_and_export(
        run, recipe, cut, folder,
        lambda settings: learner.distil(
            taught.train, taught.valid, settings, progress, said, layers
        ),
    )  # fmt: skip
    answers = predict_part(run, recipe.learner, folder / "export", taught.valid, cut.inner)
    facts = facts_of(fitted) | {"taught_by": teacher.recipe.learner}
    valid = measured(run, cut.parts.valid, answers, cut.schema)
    write_json(folder / FACTS, {**facts, "valid": valid})
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)


def _compared(
    run: RunPlace, cut: Cut, pair: tuple[Trained, Trained], baselines: Sequence[Trained]
) -> Distilled:
    teacher, student = pair
    inputs: dict[str, JsonValue] = {
        "pair": [each.exported.parent.name for each in pair],
        **held_against(run, baselines),
        "code": code_version("luodi.lifecycle.distilling", "luodi.lifecycle.probing"),
    }
    folder = run.stages.run("student", inputs, partial(_compare, run, cut, pair, baselines))
    facts = worded(read_json(folder / "student.json"))
    sides = [Side(**side) for side in facts["sides"]]
    refused = _refused(run, sides, facts["drop"], facts["rows"])
    model = teacher if refused else student
    return Distilled(model, True, refused, sides, facts["changed"], facts["rows"])


def _compare(
    run: RunPlace, cut: Cut, pair: tuple[Trained, Trained], baselines: Sequence[Trained],
    folder: Path, progress: Progress,
) -> None:  # fmt: skip
    bench = Bench.of(run, pair[0], cut, baselines)
    names = [each.recipe.learner for each in pair]
    predictors = [
        run.task.learners[name].predictor.load(each.exported, 1)
        for name, each in zip(names, pair, strict=True)
    ]
    found = bench.faithful(predictors[1])
    paces = bench.timed(predictors)
    scores = (bench.score, found["score"])
    gates = (bench.judged(bench.expected), found["gate"])
    sides = [
        asdict(Side(name, pace, score, bench.weight(each.exported, progress, name),
                    size_of(each.exported), gate))
        for name, each, pace, score, gate in zip(names, pair, paces, scores, gates, strict=True)
    ]  # fmt: skip
    facts = {
        "sides": sides, "drop": found["score_drop"], "changed": found["changed"],
        "rows": len(bench.requests),
    }  # fmt: skip
    write_json(folder / "student.json", facts)


def _refused(run: RunPlace, sides: Sequence[Side], drop: float, rows: int) -> str:
    """Why the teacher is kept; empty when it need not be."""
    settings = run.project.model.distil
    assert settings is not None  # noqa: S101  # `distil` looked
    teacher, student = sides
    if drop > allowed(settings.cost, rows):
        name = run.task.metrics[0].name
        return say(
            f"it costs {drop:.4f} of {name}, more than {settings.cost:g}",
            f"{name} 下降 {drop:.4f}，超过 {settings.cost:g}",
        )
    kept = _lines(teacher.gate)
    lost = [line["reason"] for line in student.gate.get("lines", ())
            if not line["passed"] and kept.get(_line(line), True)]  # fmt: skip
    if lost:
        return say(
            f"on the validation part the gate would refuse it, and not its teacher: {lost[0]}",
            f"在验证部分上门槛会拒绝它，而不会拒绝教师模型：{lost[0]}",
        )
    return ""


def _lines(gate: Mapping[str, Any]) -> dict[str, bool]:
    return {_line(line): bool(line["passed"]) for line in gate.get("lines", ())}


def _line(line: Mapping[str, Any]) -> str:
    """What a line of the gate is known by."""
    return f"{line.get('metric')} {line.get('rule')}"
