"""The lifecycle, on one page: from a company's data to a judged, registered model."""

from __future__ import annotations

from collections.abc import Sequence

from luodi.contracts import TrainingError, say, system_language, use_language
from luodi.lifecycle.adopting import adopted
from luodi.lifecycle.augmenting import augment
from luodi.lifecycle.crossing import cross_validate
from luodi.lifecycle.distilling import distil
from luodi.lifecycle.doubt import doubt
from luodi.lifecycle.forms import choose_form, in_form
from luodi.lifecycle.judging import evaluate, gate, show_leak
from luodi.lifecycle.mending import mend
from luodi.lifecycle.place import RunPlace, open_run
from luodi.lifecycle.recipes import baseline_recipes, recipes
from luodi.lifecycle.refitting import refit
from luodi.lifecycle.result import Made, Outcome, conclude
from luodi.lifecycle.rows import collect, prepare, split
from luodi.lifecycle.stages import Observer
from luodi.lifecycle.training import Cut, Trained, choose, package, promising, train
from luodi.project.schema import Project


def run_lifecycle(project: Project, observer: Observer) -> Outcome:
    """One trip through the stages; a killed one is resumed by calling again.

    Raises:
        LuodiError: when the data, a learner or the machine does not allow it; what was finished
            is kept.
    """
    language = project.language or system_language()
    use_language(language)
    run = open_run(adopted(project), observer, language)
    raw = collect(run)  # sources -> one table per name, fingerprinted
    clean = prepare(run, raw)  # inspect; mend, mask, drop; refuse what must be refused
    clean = doubt(run, raw, clean)  # labels that are probably wrong; refuse past the ceiling
    dealt = split(run, raw, clean)  # train / valid / test, leak-proof
    cut = mend(run, dealt)  # gaps, outliers, scales: learnt on the training part alone
    baselines = [train(run, recipe, cut) for recipe in baseline_recipes(run.task)]
    richer = augment(run, cut)  # rows made for learning alone, where asked; what they gain
    candidates = _train_until_promising(run, richer)  # all choosing is done on the valid part
    chosen = choose(run, candidates)
    taught = distil(run, richer, chosen, baselines)  # a smaller model taught by it, where asked
    formed = choose_form(run, taught.model, richer, baselines)  # float32, int8, bfloat16
    model, beside = refit(run, richer, taught.model, baselines)  # few rows: learnt from all of them
    formed = in_form(run, model, taught.model, formed, richer)
    crossed = cross_validate(run, dealt, chosen, candidates)  # k folds of the others, where asked
    bundle = package(run, model, formed, richer)  # golden answers, manifest
    evaluation = evaluate(run, bundle, richer, beside)  # the test part is opened here, once
    leak = show_leak(run, raw, clean, cut, evaluation)
    verdict = gate(run, evaluation)
    made = Made(model, chosen, candidates, formed, taught, crossed)
    return conclude(run, clean, richer, made, (bundle, evaluation, verdict, leak))


def _train_until_promising(run: RunPlace, cut: Cut) -> Sequence[Trained]:
    candidates: list[Trained] = []
    for recipe in recipes(run.project, run.task):
        try:
            candidates.append(train(run, recipe, cut))
        except TrainingError as error:
            if "auto" not in run.project.model.learner or not candidates:
                raise
            run.observer.tell(say(f"Left out: {error}", f"已跳过：{error}"))
            continue
        if promising(run, candidates[-1]):
            break
    return candidates
