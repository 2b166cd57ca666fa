"""How a run ends: registered or refused, with its report and result.json."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import Finding, Interval, JsonValue, finite, say, worded
from luodi.lifecycle.augmenting import augmentation_findings, augmentation_sections
from luodi.lifecycle.crossed import Crossed, crossed_findings, crossed_sections
from luodi.lifecycle.distilled import Distilled, distilled_findings, distilled_sections
from luodi.lifecycle.forms import Formed, form_sections
from luodi.lifecycle.judging import Evaluation, LeakShown
from luodi.lifecycle.lineage import account
from luodi.lifecycle.place import RESULT, RunPlace
from luodi.lifecycle.rows import PARTS, Clean
from luodi.lifecycle.searching import search_findings, search_sections
from luodi.lifecycle.stages import write_json
from luodi.lifecycle.training import Cut, Packaged, Trained
from luodi.project.sources import hide_password

if TYPE_CHECKING:
    from luodi.evaluation.gate import Verdict
    from luodi.evaluation.report import Report

REPORT = "report.html"


@dataclass(frozen=True)
class Made:
    """The model that is judged, the one that was chosen and those that it was chosen from, the form
    that it is kept in, what came of teaching a smaller one, and what folds of the rows say."""

    model: Trained
    chosen: Trained
    candidates: Sequence[Trained]
    formed: Formed
    taught: Distilled
    crossed: Crossed | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    result: Mapping[str, Any]
    report: Report
    folder: Path

    @property
    def passed(self) -> bool:
        """Whether the gate let it through."""
        return self.report.verdict.passed


def conclude(
    run: RunPlace,
    clean: Clean,
    cut: Cut,
    made: Made,
    judged: tuple[Packaged, Evaluation, Verdict, LeakShown | None],
) -> Outcome:
    """Write the report, seal the evaluation into the bundle, register what passed."""
    from luodi.bundle import attach_evaluation
    from luodi.evaluation.page import render

    bundle, _, verdict, _ = judged
    report = make_report(run, clean, cut, made, judged)
    page = render(report)
    (run.folder / REPORT).write_text(page, "utf-8")
    write_json(run.folder / "report.json", report.to_json())
    result = make_result(run, report, bundle) | {"form": made.formed.to_json()}
    parts = {name: getattr(cut.parts, name).rows for name in PARTS}
    result["data"] |= account(clean.counts, parts, cut.dropped)
    if cut.augmentation:
        result["augmentation"] = dict(cut.augmentation)
    if found := _searches(made):
        result["search"] = found
    if made.taught.asked:
        result["distilled"] = made.taught.to_json()
    if made.crossed:
        result["cross_validation"] = made.crossed.to_json()
    attach_evaluation(
        bundle.folder,
        {"report.html": page.encode(), "report.json": run.folder / "report.json"},
    )
    if verdict.passed:
        _register(run, bundle, result)
    result = finite(result)
    write_json(run.folder / RESULT, result)
    run.finish()
    return Outcome(result, report, run.folder)


def _register(run: RunPlace, bundle: Packaged, result: Mapping[str, Any]) -> None:
    from luodi.registry import Registry

    Registry(run.home).add(bundle.folder, run=run.id, metrics=result["metrics"])


def make_result(run: RunPlace, report: Report, bundle: Packaged) -> dict[str, JsonValue]:
    """result.json, as DESIGN.md fixes it; keys may be added, none may go."""
    return {
        "run": run.id,
        "verdict": "passed" if report.verdict.passed else "refused",
        "bundle": str(bundle.folder),
        "digest": bundle.digest,
        "model": run.project.name,
        "version": report.version if report.verdict.passed else None,
        "metrics": _values(report.metrics),
        "baselines": {
            name: {
                **_values(baseline.metrics),
                "paired": baseline.paired.to_json() if baseline.paired else None,
            }
            for name, baseline in report.baselines.items()
        },
        "data": dict(report.data),
        "seconds": {stage: round(value, 3) for stage, value in report.seconds.items()},
        "report": str(run.folder / REPORT),
        "task": run.project.task,
        "learner": report.model["learner"],
        "base": report.model.get("base"),
        "openings": report.openings,
        "gate": report.verdict.to_json(),
        "leak": report.leak
        and {
            "metric": report.leak.metric,
            "careless": report.leak.careless.to_json(),
            "honest": report.leak.honest.to_json(),
        },
        "next": report.next_command,
    }


def _values(metrics: Mapping[str, Interval]) -> dict[str, JsonValue]:
    return {name: interval.to_json() for name, interval in metrics.items()}


def make_report(
    run: RunPlace,
    clean: Clean,
    cut: Cut,
    made: Made,
    judged: tuple[Packaged, Evaluation, Verdict, LeakShown | None],
) -> Report:
    """Everything that the page shows."""
    from luodi.bundle import version_of
    from luodi.evaluation.report import Baseline, Report, section

    model, candidates = made.model, made.candidates
    bundle, evaluation, verdict, leak = judged
    project = run.project
    return Report(
        name=project.name,
        task=project.task,
        language=run.language,
        created=time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        run=run.id,
        verdict=verdict,
        metrics=evaluation.metrics,
        digest=bundle.digest,
        version=version_of(bundle.digest),
        model=_model_facts(run, model, bundle),
        licences=model.facts["licences"],
        openings=evaluation.openings,
        level=evaluation.level,
        baselines={
            name: Baseline(metrics, evaluation.paired.get(name))
            for name, metrics in evaluation.baselines.items()
        },
        data=_counts(clean, cut),
        dropped={**clean.counts["dropped"], **cut.dropped},
        findings=[
            *clean.findings,
            *augmentation_findings(cut),
            *search_findings(_searches(made), _unsearched(run, made)),
            *distilled_findings(made.taught),
            *crossed_findings(made.crossed, evaluation.metrics, run.task.metrics[0].name),
            *(Finding(**f) for f in model.facts["findings"]),
        ],
        columns=clean.profile,
        split=_split_facts(run),
        leak=_leak(leak),
        candidates=[_candidate(run, one, one.recipe == made.chosen.recipe) for one in candidates],
        history=model.facts["history"],
        sections=[
            *run.task.sections(
                cut.parts.test, evaluation.answers, evaluation.scored, evaluation.level
            ),
            *(section(worded(item)) for item in model.facts.get("sections", ())),
            *evaluation.why,
            *augmentation_sections(cut),
            *search_sections(_searches(made)),
            *crossed_sections(made.crossed, evaluation.metrics),
            *distilled_sections(made.taught),
            *form_sections(made.formed),
        ],
        truncated=sum(bool(answer.get("truncated")) for answer in evaluation.answers),
        seconds=dict(run.stages.seconds),
        environment=_environment(),
        next_command=_next(run, verdict, bundle),
    )


def _searches(made: Made) -> dict[str, Any]:
    return {name: found for one in made.candidates for name, found in one.searches.items()}


def _unsearched(run: RunPlace, made: Made) -> list[str]:
    if run.project.model.search is None:
        return []
    return [one.recipe.learner for one in made.candidates if not one.searches]


def _counts(clean: Clean, cut: Cut) -> dict[str, int]:
    counts = {name: value for name, value in clean.counts.items() if isinstance(value, int)}
    return counts | {name: getattr(cut.parts, name).rows for name in PARTS}


def _model_facts(run: RunPlace, model: Trained, bundle: Packaged) -> dict[str, JsonValue]:
    facts: dict[str, JsonValue] = {
        "learner": model.recipe.learner,
        "base": model.recipe.base_name,
        "budget": model.recipe.budget,
        "seed": run.project.model.seed,
        "threads": run.threads,
        "bundle_bytes": sum(f.stat().st_size for f in bundle.folder.rglob("*") if f.is_file()),
        "train_seconds": round(model.seconds, 1),
    }
    return facts | dict(model.recipe.options)


def _split_facts(run: RunPlace) -> dict[str, JsonValue]:
    data = run.project.data
    facts = asdict(data.split) | {
        "limit": data.limit,
        "official_test": data.test and hide_password(str(data.test)),
        "official_valid": data.valid and hide_password(str(data.valid)),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _candidate(run: RunPlace, trained: Trained, chosen: bool) -> dict[str, JsonValue]:
    metric = run.task.metrics[0].name
    return {
        "learner": trained.recipe.learner,
        "metric": metric,
        **trained.valid[metric].to_json(),
        "seconds": trained.seconds,
        **({"trials": len(found["trials"])} if (found := trained.facts.get("search")) else {}),
        "chosen": chosen,
    }


def _leak(shown: LeakShown | None) -> Any:
    from luodi.evaluation.report import Leak

    if shown is None:
        return None
    gap = shown.careless.value - shown.honest.value
    told = say(
        f"A random split of the rows as they came would have claimed {shown.careless.value:.3f} "
        f"for the {shown.learner} learner; with copies kept on one side it is "
        f"{shown.honest.value:.3f}. ",
        f"若对原始数据随机切分，{shown.learner} 学习器会显示 {shown.careless.value:.3f}；"
        f"把副本放在同一侧后为 {shown.honest.value:.3f}。",
    )
    by_chance = shown.careless.low <= shown.honest.high and shown.honest.low <= shown.careless.high
    explanation = told + (
        say(
            "The two do not differ beyond chance: these rows leak little by copies.",
            "两者的差异在偶然范围内：这些数据几乎没有副本泄漏。",
        )
        if by_chance
        else say(
            f"The difference of {gap:+.3f} comes from the split alone.",
            f"{gap:+.3f} 的差距全部来自切分方式。",
        )
    )
    return Leak(shown.metric, shown.careless, shown.honest, explanation, shown.learner)


def _environment() -> dict[str, str]:
    from luodi.bundle.environment import environment

    packages: dict[str, str] = dict(environment().get("packages", {}))
    return packages


def _next(run: RunPlace, verdict: Verdict, bundle: Packaged) -> str:
    if verdict.passed:
        return f"luodi serve {run.project.name}"
    return f"luodi report {run.id}"
