"""The stages that judge a bundle: the leak shown, the evaluation, the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    Answer,
    Dataset,
    FitSettings,
    Interval,
    Progress,
    Quiet,
    Scored,
    Section,
    say,
    worded,
)
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.rows import Clean, Raw, class_column, split_settings
from luodi.lifecycle.stages import code_version, package_of, read_json, write_json
from luodi.lifecycle.training import Cut, Packaged, Trained, predict_part

if TYPE_CHECKING:
    from luodi.evaluation.gate import Verdict
    from luodi.evaluation.paired import Paired


_BLOCK = 512
"""Requests answered between two steps of the progress: a predictor sorts by length what it is given
at once, and small blocks cost it a quarter of its speed."""


@dataclass(frozen=True)
class Evaluation:
    """The bundle on the test part, beside the baselines.

    Attributes:
        openings: how often this test part has been opened, this time included.
        level: what each interval holds at, so that all openings together hold at 0.95.
        why: what the report shows of the bundle's reasons.
    """

    answers: Sequence[Answer]
    scored: Scored
    metrics: Mapping[str, Interval]
    baselines: Mapping[str, Mapping[str, Interval]]
    paired: Mapping[str, Paired]
    openings: int
    level: float
    why: Sequence[Section] = ()


def evaluate(run: RunPlace, bundle: Packaged, cut: Cut, baselines: Sequence[Trained]) -> Evaluation:
    """Judge the packaged bundle through its own predictor. The test part is opened here, once."""
    from luodi.registry import Registry

    registry = Registry(run.home)
    openings = registry.open_test(cut.fingerprints["part:test"], run.id, bundle.digest)
    inputs = {
        "digest": bundle.digest,
        "test": cut.fingerprints["part:test"],
        "parts": cut.key,
        "openings": openings,
        "baselines": [trained.exported.parent.name for trained in baselines],
        "code": code_version("luodi.evaluation", package_of(run.task)),
    }
    work = partial(_evaluate, run, bundle, cut, baselines, openings)
    folder = run.stages.run("evaluate", inputs, work)
    return _read_evaluation(run, folder, cut)


def _evaluate(
    run: RunPlace,
    bundle: Packaged,
    cut: Cut,
    baselines: Sequence[Trained],
    openings: int,
    folder: Path,
    progress: Progress,
) -> None:
    from luodi.bundle import open_predictor
    from luodi.evaluation.intervals import intervals, level_for
    from luodi.evaluation.measure import applicable
    from luodi.evaluation.paired import compare
    from luodi.evaluation.report import section_to_json

    level = level_for(openings)
    seed, test, metrics = run.project.model.seed, cut.parts.test, run.task.metrics
    loaded = open_predictor(bundle.folder, run.threads, expected_digest=bundle.digest)
    options = loaded.manifest.settings.get("options")
    answers = _in_blocks(loaded.predict, run.task.requests(test, cut.schema), progress)
    scored = run.task.score(test, answers, cut.schema)
    found: dict[str, Any] = {"level": level, "openings": openings, "baselines": {}, "paired": {}}
    progress.say(say("Resampling for the intervals.", "正在重采样以计算区间。"))
    metrics = applicable(metrics, scored)
    found["metrics"] = _plain(intervals(scored, metrics, level=level, seed=seed))
    for trained in baselines:
        name = trained.recipe.learner
        other = predict_part(run, name, trained.exported, cut.taught.test, cut.inner)
        other_scored = run.task.score(test, other, cut.schema)
        found["baselines"][name] = _plain(intervals(other_scored, metrics, level=level, seed=seed))
        itself = (name, dict(trained.recipe.options)) == (loaded.manifest.learner, options)
        if not itself or cut.augmentation:
            found["paired"][name] = asdict(
                compare(scored, other_scored, metrics[0], level=level, seed=seed)
            )
    progress.say(say("Asking the bundle for its reasons.", "正在向模型包询问依据。"))
    why = run.task.explanations(loaded, test, scored, seed)
    found["why"] = [section_to_json(section) for section in why]
    write_json(folder / "answers.json", answers, indent=None)
    write_json(folder / "evaluation.json", found)


def _in_blocks(predict: Any, requests: Sequence[Any], progress: Progress) -> list[Answer]:
    answers: list[Answer] = []
    for start in range(0, len(requests), _BLOCK):
        progress.step(start, len(requests))
        answers += predict(requests[start : start + _BLOCK])
    progress.step(len(requests), len(requests))
    return answers


def _plain(found: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: interval.to_json() for name, interval in found.items()}


def _intervals(value: Mapping[str, Any]) -> dict[str, Interval]:
    return {name: Interval(**item) for name, item in value.items()}


def _read_evaluation(run: RunPlace, folder: Path, cut: Cut) -> Evaluation:
    from luodi.evaluation.paired import Paired
    from luodi.evaluation.report import section

    answers = read_json(folder / "answers.json")
    found = worded(read_json(folder / "evaluation.json"))
    return Evaluation(
        answers=answers,
        scored=run.task.score(cut.parts.test, answers, cut.schema),
        metrics=_intervals(found["metrics"]),
        baselines={name: _intervals(value) for name, value in found["baselines"].items()},
        paired={name: Paired.from_json(value) for name, value in found["paired"].items()},
        openings=found["openings"],
        level=found["level"],
        why=[section(item) for item in found["why"]],
    )


def gate(run: RunPlace, evaluation: Evaluation) -> Verdict:
    """Hold the project's bounds against the intervals' safe ends."""
    from luodi.evaluation.gate import judge

    return judge(tuple(run.project.gate.values()), evaluation.metrics, evaluation.paired)


@dataclass(frozen=True)
class LeakShown:
    """The same plain learner on a careless split and on the honest one."""

    learner: str
    metric: str
    careless: Interval
    honest: Interval


def show_leak(
    run: RunPlace, raw: Raw, clean: Clean, cut: Cut, evaluation: Evaluation
) -> LeakShown | None:
    """What a random split of the rows as they came would have claimed.

    The honest score is the baseline's own where that learnt from all rows as they are; else the
    plain learner is fitted to them once more. None where there is no plain learner beside the
    naive one, or where the project brings its own test table: then nothing was split at random.
    """
    if len(run.task.baselines) < 2 or raw.test is not None:
        return None
    learner, metric = run.task.baselines[1], run.task.metrics[0].name
    plain = clean.valid is None and not cut.dropped and cut.taught is cut.parts
    known = evaluation.baselines.get(learner, {}).get(metric) if plain else None
    inputs = {
        "clean": dict(clean.key),
        "parts": cut.key,
        "learner": learner,
        "honest": known is None,
        "seed": run.project.data.split.seed,
        "code": code_version("luodi.evaluation", package_of(run.task)),
    }
    folder = run.stages.run("leak", inputs, partial(_leak, run, raw, clean, known is None))
    facts = read_json(folder / "leak.json")
    honest = known or Interval(**facts["honest"])
    return LeakShown(learner, metric, Interval(**facts["careless"]), honest)


def _leak(
    run: RunPlace, raw: Raw, clean: Clean, with_honest: bool, folder: Path, progress: Progress
) -> None:
    from luodi.contracts import Role
    from luodi.data.split import careless_split

    settings = split_settings(run, clean.data)
    label = raw.data.column(Role.LABEL)
    usable = raw.data.table[label].is_not_null().to_numpy().nonzero()[0]
    rows = raw.data.take(usable)
    classes = class_column(rows, run.task)
    labels = rows.table[classes].to_list() if classes else None
    train_rows, test_rows = careless_split(rows.rows, labels, settings)
    pairs = {"careless": (rows.take(train_rows), rows.take(test_rows))}
    if with_honest:
        parts = run.task.split(clean.data, settings)
        pairs["honest"] = parts.train, parts.test
    facts: dict[str, Any] = {}
    for done, (name, (train, test)) in enumerate(pairs.items()):
        progress.step(done, len(pairs), name)
        facts[name] = _plain_score(run, train, test, folder / name).to_json()
    write_json(folder / "leak.json", facts)


def _plain_score(run: RunPlace, train: Dataset, test: Dataset, folder: Path) -> Interval:
    """The plain learner's score after training on one part and answering another."""
    import polars as pl

    from luodi.evaluation.intervals import intervals

    learner = run.task.learners[run.task.baselines[1]]
    both = pl.concat([train.table, test.table], how="diagonal_relaxed")
    together = replace(train, table=both)
    schema = run.task.schema(together)
    metric = run.task.metrics[0]
    scratch = folder / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    settings = FitSettings(schema, metric, scratch, run.project.model.seed, run.threads)
    # What it chooses by must not be what it is judged on: a tenth of its own training rows.
    tenth = max(1, train.rows // 10)
    import numpy as np

    order = np.random.default_rng(settings.seed).permutation(train.rows)
    fitted = learner.fit(
        train.take(np.sort(order[tenth:])), train.take(np.sort(order[:tenth])), settings, Quiet()
    )
    fitted.export(folder / "export")
    answers = predict_part(run, learner.name, folder / "export", test, schema)
    return intervals(run.task.score(test, answers, schema), [metric], resamples=400)[metric.name]
