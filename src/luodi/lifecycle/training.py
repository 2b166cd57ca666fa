"""The stages that make a model: train, choose, package."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    Answer,
    Combining,
    Dataset,
    Finding,
    FitSettings,
    Fitted,
    Interval,
    JsonValue,
    Member,
    MissingPartError,
    Parts,
    Progress,
    Schema,
    Telling,
    TrainingError,
    recording,
    say,
    worded,
)
from luodi.lifecycle.forms import Formed
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.recipes import Recipe, member_recipes
from luodi.lifecycle.searching import Search
from luodi.lifecycle.stages import code_version, key_of, package_of, read_json, write_json

if TYPE_CHECKING:
    from luodi.data.preparation import Preparation

GOLDEN = 64
FACTS = "fitted.json"
CHECKPOINTS = "checkpoints"
_TOLERANCE, _LOSSY_TOLERANCE = 1e-4, 0.02
"""How far a golden answer's numbers may lie off on another machine. Processors round 8-bit and
bfloat16 products in ways of their own; some compute them in float32."""


@dataclass(frozen=True)
class Trained:
    """A model on the disk and what it reached on the validation part.

    Attributes:
        exported: the folder that its predictor reads.
        valid: metric name -> interval on the validation part.
        facts: findings, history and licences, as JSON, the words in both languages.
        recipe: with the best settings where they were searched.
        searches: learner -> what its search came to, of the model itself and of its members.
    """

    recipe: Recipe
    exported: Path
    valid: Mapping[str, Interval]
    facts: Mapping[str, Any]
    seconds: float
    searches: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """The parts, what one request and answer look like, and what the parts are known by.

    Attributes:
        parts: rows as a caller of the service would send them.
        schema: of what a caller sends.
        preparation: what is done to a request before it reaches the predictor.
        taught: the same rows after that: what a learner sees.
        inner: the schema of what reaches it.
        dropped: reason -> rows left out after cleaning.
        augmentation: what was made for `taught.train`, and what it gained; empty for nothing.
    """

    parts: Parts
    schema: Schema
    preparation: Preparation
    key: str
    fingerprints: Mapping[str, str]
    taught: Parts
    inner: Schema
    lineage: Mapping[str, Any] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    augmentation: Mapping[str, Any] = field(default_factory=dict)


def train(run: RunPlace, recipe: Recipe, cut: Cut) -> Trained:
    """Fit one recipe, or what its search finds best, export it, and measure the exported model on
    the validation part.

    What a learner combines is trained first, or found where this run has trained it already.
    """
    members = [train(run, each, cut) for each in member_recipes(recipe, run.project, run.task)]
    name = f"train-{recipe.learner}"
    inputs = fit_inputs(run, recipe, cut)
    inputs |= {"members": [each.exported.parent.name for each in members]} if members else {}
    work = partial(_search if recipe.trials else _fit, run, recipe, cut, members)
    folder = run.stages.run(name, inputs, work)
    facts = read_json(folder / FACTS)
    valid = {name: Interval(**value) for name, value in facts["valid"].items()}
    seconds = run.stages.seconds[name] + sum(each.seconds for each in members)
    searches = {name: found for each in members for name, found in each.searches.items()}
    if found := facts.get("search"):
        recipe = replace(recipe, options=found["options"], trials=0)
        searches[recipe.learner] = worded(found)
    return Trained(recipe, folder / "export", valid, facts, seconds, searches)


def fit_inputs(run: RunPlace, recipe: Recipe, cut: Cut) -> dict[str, JsonValue]:
    """What a fit depends on, and is found again by."""
    learner, model = run.task.learners[recipe.learner], run.project.model
    return {
        "parts": cut.key,
        "recipe": asdict(recipe),
        "base": written(recipe.base),
        "seed": model.seed,
        "threads": run.threads,
        "licence": model.licence,
        "question": asdict(run.project.question),
        "learner": [recipe.learner, learner.version],
        "code": code_version("luodi.training", "luodi.compression", package_of(learner)),
    }


def written(base: str | None) -> JsonValue:
    """What lies at the path that a base is named by, with its sizes and times: another model at the
    same path is another model. None for a base that is no path here.
    """
    if base is None or not (path := Path(base).expanduser()).exists():
        return None
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    return [
        [str(file.relative_to(path)), (status := file.stat()).st_size, status.st_mtime_ns]
        for file in files
    ]


def fit_and_export(
    run: RunPlace, recipe: Recipe, cut: Cut, folder: Path, fit: Callable[[FitSettings], Fitted]
) -> Fitted:
    """Fit by `fit`, with checkpoints under `folder`, and write the model to its `export`."""
    settings = fit_settings(run, recipe, cut, folder / CHECKPOINTS)
    settings.folder.mkdir(exist_ok=True)
    exported = folder / "export"
    try:
        fitted = fit(settings)
        shutil.rmtree(exported, ignore_errors=True)
        with recording(False):  # a bundle's files are read by others than ours
            fitted.export(exported)
    except ModuleNotFoundError as error:
        raise missing_part(recipe.learner, error) from error
    return fitted


def _fit(
    run: RunPlace, recipe: Recipe, cut: Cut, members: Sequence[Trained], folder: Path,
    progress: Progress,
) -> None:  # fmt: skip
    facts, answers = _fitted(run, recipe, cut, members, folder, progress)
    valid = measured(run, cut.parts.valid, answers, cut.schema)
    write_json(folder / FACTS, {**facts, "valid": valid})


def _search(
    run: RunPlace, recipe: Recipe, cut: Cut, members: Sequence[Trained], folder: Path,
    progress: Progress,
) -> None:  # fmt: skip
    """The model of the best trial takes the place of the one that is fitted."""

    def attempt(tried: Recipe, place: Path, watch: Progress) -> float:
        facts, answers = _fitted(run, tried, cut, members, place, watch)
        write_json(place / FACTS, facts)
        return reached(run, cut, answers)

    found = search_of(run, recipe).run(folder, attempt, progress)
    if (best := found.folder / "export").exists():  # else a killed call had moved it
        best.rename(folder / "export")
    answers = predict_part(run, recipe.learner, folder / "export", cut.taught.valid, cut.inner)
    valid = measured(run, cut.parts.valid, answers, cut.schema)
    facts = read_json(found.folder / FACTS)
    write_json(folder / FACTS, {**facts, "valid": valid, "search": found.to_json()})


def search_of(run: RunPlace, recipe: Recipe) -> Search:
    """The search that a recipe asks for, by the metric that all choosing goes by."""
    metric, space = run.task.metrics[0], run.task.learners[recipe.learner].space
    return Search(recipe, space, metric.name, metric.higher_is_better, run.project.model.seed)


def reached(run: RunPlace, cut: Cut, answers: list[Answer]) -> float:
    """What answers to the validation part reach, by that metric."""
    from luodi.evaluation.intervals import points

    metric = run.task.metrics[0]
    return points(run.task.score(cut.parts.valid, answers, cut.schema), [metric])[metric.name]


def _fitted(
    run: RunPlace, recipe: Recipe, cut: Cut, members: Sequence[Trained], folder: Path,
    progress: Progress,
) -> tuple[dict[str, JsonValue], list[Answer]]:  # fmt: skip
    """Fit and export; what is kept of the model, and its answers to the validation part."""
    learner, taught = run.task.learners[recipe.learner], cut.taught

    def fit(settings: FitSettings) -> Fitted:
        if isinstance(learner, Combining):
            return learner.combine([_member(each) for each in members], taught.valid, settings)
        return learner.fit(taught.train, taught.valid, settings, progress)

    fitted = fit_and_export(run, recipe, cut, folder, fit)
    answers = predict_part(run, recipe.learner, folder / "export", taught.valid, cut.inner)
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
    return facts_of(fitted), answers


def _member(trained: Trained) -> Member:
    facts = trained.facts
    findings = [Finding(**finding) for finding in facts["findings"]]
    name = trained.recipe.learner
    return Member(name, trained.exported, findings, facts["history"], facts["licences"])


def facts_of(fitted: Fitted) -> dict[str, JsonValue]:
    """What is kept of a fitted model beside its files."""
    return {
        "findings": [finding.to_json() for finding in fitted.findings],
        "history": [dict(record) for record in fitted.history],
        "licences": dict(fitted.licences),
        **_told(fitted),
    }


def _told(fitted: Fitted) -> dict[str, JsonValue]:
    """What a fitted model has to say beyond what its task knows."""
    from luodi.evaluation.report import section_to_json

    if not isinstance(fitted, Telling):
        return {}
    return {
        "sections": [section_to_json(section) for section in fitted.sections],
        "answers": [asdict(field) for field in fitted.answers],
    }


def fit_settings(run: RunPlace, recipe: Recipe, cut: Cut, folder: Path) -> FitSettings:
    """What the project and a recipe ask of a learner; `folder` takes its checkpoints."""
    model = run.project.model
    return FitSettings(
        schema=cut.inner,
        metric=run.task.metrics[0],
        folder=folder,
        seed=model.seed,
        threads=run.threads,
        budget=recipe.budget,
        base=recipe.base,
        licence=model.licence,
        options=recipe.options,
    )


def missing_part(learner: str, error: ModuleNotFoundError) -> MissingPartError:
    """The error for a library that a base install leaves out."""
    return MissingPartError(
        say(
            f"The learner {learner} needs {error.name}, which is not installed.",
            f"学习器 {learner} 需要 {error.name}，但未安装。",
        ),
        say("A base install predicts and serves.", "基础安装仅用于预测与服务。"),
        say("To train: pip install 'luodi[train]'", "如需训练：pip install 'luodi[train]'"),
    )


def predict_part(
    run: RunPlace, learner: str, exported: Path, part: Dataset, schema: Schema
) -> list[Answer]:
    """The exported model's answers to a part's rows, through its own predictor."""
    predictor = run.task.learners[learner].predictor.load(exported, run.threads)
    return predictor.predict(run.task.requests(part, schema))


def measured(
    run: RunPlace, part: Any, answers: Sequence[Answer], schema: Schema
) -> dict[str, JsonValue]:
    """Each metric of answers to a part, with its interval, as JSON."""
    from luodi.evaluation.intervals import intervals
    from luodi.evaluation.measure import applicable

    scored = run.task.score(part, answers, schema)
    metrics = applicable(run.task.metrics, scored)
    found = intervals(scored, metrics, resamples=400, seed=run.project.model.seed)
    return {name: interval.to_json() for name, interval in found.items()}


def choose(run: RunPlace, candidates: Sequence[Trained]) -> Trained:
    """The candidate that is best on the validation part."""
    if not candidates:
        raise TrainingError(say("No recipe was left to train.", "没有可训练的方案。"))
    metric = run.task.metrics[0]
    sign = 1 if metric.higher_is_better else -1
    return max(candidates, key=lambda trained: sign * trained.valid[metric.name].value)


def promising(run: RunPlace, trained: Trained) -> bool:
    """Whether the validation part already keeps every bound of the gate, by the safe end.

    With no bound there is nothing to be content with: every recipe gets its turn.
    """
    bounds = [rule for rule in run.project.gate.values() if not rule.beats]
    if not bounds:
        return False
    return all(
        rule.metric in trained.valid and rule.holds(getattr(trained.valid[rule.metric], rule.on))
        for rule in bounds
    )


@dataclass(frozen=True)
class Packaged:
    """A bundle on the disk, by its digest."""

    folder: Path
    digest: str


def package(run: RunPlace, trained: Trained, formed: Formed, cut: Cut) -> Packaged:
    """The bundle of a trained model, in the form that was chosen for it."""
    from luodi.bundle import version_of
    from luodi.bundle.write import BundleFacts, write_bundle

    learner = run.task.learners[trained.recipe.learner]
    predictor = learner.predictor.load(formed.exported, run.threads)
    requests = _golden_requests(run, cut)  # of parts: masked already, gaps and all
    answers = predictor.predict(cut.preparation.apply(requests))
    golden = list(zip(requests, answers, strict=True))
    facts = BundleFacts(
        name=run.project.name,
        task=run.project.task,
        learner=trained.recipe.learner,
        learner_version=learner.version,
        data={
            "fingerprints": dict(cut.fingerprints),
            "rows": {
                "train": cut.parts.train.rows,
                "valid": cut.parts.valid.rows,
                "test": cut.parts.test.rows,
            },
            "lineage": dict(cut.lineage),
            **({"made": cut.augmentation["counts"]} if cut.augmentation else {}),
        },
        licences=trained.facts["licences"],
        settings={
            "seed": run.project.model.seed,
            **{key: value for key, value in asdict(trained.recipe).items() if key != "trials"},
            "base": trained.recipe.base_name,
            **({"taught_by": by} if (by := trained.facts.get("taught_by")) else {}),
        },
        serving=run.project.serve.travelling()
        | ({"form": asdict(formed.form)} if formed.form else {}),
        tolerance=_TOLERANCE if formed.exact else _LOSSY_TOLERANCE,
    )
    folder = run.home / "bundles" / run.project.name / f"new-{key_of(str(formed.exported))}"
    shutil.rmtree(folder, ignore_errors=True)
    digest = write_bundle(
        folder, exported=formed.exported, facts=facts, schema=_schema(trained, cut), golden=golden,
        preparation=replace(cut.preparation, history=run.project.data.history),
    )  # fmt: skip
    final = folder.with_name(version_of(digest))
    if final.exists():  # the very same bundle, made before
        shutil.rmtree(folder)
    else:
        folder.rename(final)
    return Packaged(final, digest)


def _schema(trained: Trained, cut: Cut) -> Schema:
    """The task's schema, and what this model's answers carry beyond it."""
    more = Schema.from_json({"request": [], "answer": trained.facts.get("answers", [])})
    return replace(cut.schema, answer=(*cut.schema.answer, *more.answer))


def _golden_requests(run: RunPlace, cut: Cut) -> list[Any]:
    """Spread over the validation part, never the test part: a bundle must not carry its exam."""
    import numpy as np

    part = cut.parts.valid if cut.parts.valid.rows else cut.parts.train
    rows = np.unique(np.linspace(0, part.rows - 1, min(GOLDEN, part.rows)).astype(np.int64))
    return run.task.requests(part.take(rows), cut.schema)
