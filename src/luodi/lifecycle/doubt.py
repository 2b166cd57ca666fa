"""The stage that doubts the labels: how many are probably wrong, and which. It may stop a run."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    ROW,
    Dataset,
    Finding,
    FitSettings,
    JsonValue,
    NoiseError,
    Progress,
    Quiet,
    Role,
    SplitSettings,
    Task,
    say,
)
from luodi.lifecycle.noticing import worst_first
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.rows import Clean, Raw, class_column, split_settings
from luodi.lifecycle.stages import code_version, package_of, read_json, write_json
from luodi.lifecycle.training import missing_part

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from luodi.data.noise import LabelNoise

SUSPICIOUS = "suspicious.csv"
FOLDS = 5
UNASKED_ROWS, UNASKED_SECONDS = 3000, 15.0
"""Unless the project asks, labels are doubted on so many rows at the most, and only where that
takes no longer: a look that costs seconds, no judgement."""
MUCH = 0.1
"""The share of doubtful labels that is a warning where the project names no bound."""


def doubt(run: RunPlace, raw: Raw, clean: Clean) -> Clean:
    """Estimate the noise in the labels by the task's linear learner, out of fold.

    Returns:
        `clean` with the finding; over `data.noise.max` there is no returning.

    Raises:
        NoiseError: more noise than `data.noise.max`; the suspicious rows stand in a file of the
            run's folder that a person can correct and name under `data.corrections`.
    """
    wanted = run.project.data.noise
    label = class_column(clean.data, run.task)
    if wanted.check is False:
        return clean
    if label is None or len(run.task.baselines) < 2 or not _possible(run, clean.data):
        return _unknown(run, clean) if _asked(run) else clean
    data = clean.data if _asked(run) else _affordable(run, clean.data, label)
    if data is None:
        return clean
    learner = run.task.learners[run.task.baselines[1]]
    inputs: dict[str, JsonValue] = {
        "clean": dict(clean.key),
        "rows": data.rows,
        "corrections": raw.fingerprints.get("corrections"),
        "seed": run.project.data.split.seed,
        "learner": [learner.name, learner.version],
        "rounds": 2 if _asked(run) else 1,
        "code": code_version("luodi.data", package_of(learner)),
    }
    try:
        folder = run.stages.run("doubt", inputs, partial(_doubt, run, data, label))
    except ModuleNotFoundError as error:
        raise missing_part(learner.name, error) from error
    facts = read_json(folder / "noise.json")
    file = run.folder / SUSPICIOUS
    shutil.copyfile(folder / SUSPICIOUS, file)
    finding = _finding(run, facts, file)
    if wanted.max is not None and facts["share"] > wanted.max:
        raise _refused(run, facts, file)
    return replace(
        clean,
        findings=worst_first([*clean.findings, finding]),
        counts={**clean.counts, "suspicious": facts["suspicious"]},
    )


def _possible(run: RunPlace, data: Dataset) -> bool:
    """Whether there are classes with probabilities, and units enough for folds within folds."""
    from luodi.data.split import units_of

    answer = run.task.schema(data).answer
    units = int(units_of(data, _plain_split(run, data)).max(initial=-1)) + 1
    scores = any(field.kind == "scores" for field in answer)
    return scores and len(answer[0].categories) > 1 and units >= 10 * FOLDS


def _unknown(run: RunPlace, clean: Clean) -> Clean:
    """It was asked for and cannot be done: that is said, not passed over."""
    finding = Finding(
        "label-noise-unknown",
        "warning",
        clean.data.rows,
        say(
            f"Which of the labels are wrong cannot be told: {clean.data.rows} rows, "
            f"task {run.task.name}.",
            f"无法判断哪些标签有误：{clean.data.rows} 行，任务 {run.task.name}。",
        ),
        (),
        clean.data.columns(Role.LABEL),
        say(
            f"It takes classes with probabilities, and {10 * FOLDS} units of rows at least.",
            f"需要带概率的类别，且至少 {10 * FOLDS} 组数据。",
        ),
    )
    return replace(clean, findings=worst_first([*clean.findings, finding]))


def _asked(run: RunPlace) -> bool:
    return run.project.data.noise.max is not None or run.project.data.noise.check is True


def _affordable(run: RunPlace, data: Dataset, label: str) -> Dataset | None:
    """A sample that is looked at unasked; None where even that would take long."""
    from luodi.data.split import limit

    most = max(UNASKED_ROWS, data.table.get_column(label).n_unique())
    sample = limit(data, most, run.project.data.split.seed, label)
    learner = run.task.learners[run.task.baselines[1]]
    estimate = learner.estimate(sample, _settings(run, sample, run.home))
    return sample if FOLDS * estimate.seconds <= UNASKED_SECONDS else None


def _settings(run: RunPlace, data: Dataset, folder: Path) -> FitSettings:
    schema = run.task.schema(data)
    return FitSettings(schema, run.task.metrics[0], folder, run.project.model.seed, run.threads)


def _doubt(run: RunPlace, data: Dataset, label: str, folder: Path, progress: Progress) -> None:
    import numpy as np

    from luodi.data.corrections import (
        confirmed,
        content_key,
        known_labels,
        read_corrections,
        write_suspicious,
    )
    from luodi.data.noise import confident_learning, out_of_fold, second_round

    settings = _settings(run, data, folder / "scratch")
    split = _plain_split(run, data)
    predict = partial(held_out_answers, run.task, data, settings, split)
    rounds = 2 if _asked(run) else 1
    first = _Round(progress, 0, rounds)
    chance = out_of_fold(data, label, predict, FOLDS, split, first)
    classes = settings.schema.answer[0].categories
    place = {name: index for index, name in enumerate(classes)}
    labels = data.table.get_column(label).to_list()
    given = np.array([place.get(name, -1) for name in labels], np.int64)
    contents = list(run.task.content(data))
    decided = None
    if file := run.project.data.corrections:
        corrections = read_corrections(run.project.root / file, file, known_labels(data))
        decided = np.array(confirmed(contents, labels, corrections), np.bool_)
    noise = confident_learning(chance, given, decided)
    if rounds == 2 and len(noise.rows):
        last = _Round(progress, 1, rounds)
        chance = second_round(
            data, label, predict, chance, noise.rows, folds=FOLDS, settings=split, progress=last
        )
        noise = confident_learning(chance, given, decided)
    rows = data.table.get_column(ROW).to_list()
    records = [
        {
            "row": int(rows[at]) + 1,
            "key": content_key(contents[at]),
            "given": labels[at],
            "suggested": classes[better],
            "confidence": f"{sure:.3f}",
            "content": contents[at],
        }
        for at, better, sure in zip(
            noise.rows.tolist(), noise.suggested.tolist(), noise.confidence.tolist(), strict=True
        )
    ]
    write_suspicious(folder / SUSPICIOUS, records)
    shutil.rmtree(settings.folder, ignore_errors=True)
    write_json(folder / "noise.json", _facts(data, noise, classes, records))


@dataclass(frozen=True)
class _Round:
    """The progress of one round of several."""

    whole: Progress
    number: int
    rounds: int

    def step(self, done: float, total: float, note: str = "") -> None:
        self.whole.step(self.number * total + done, self.rounds * total, note)

    def say(self, message: str) -> None:
        self.whole.say(message)


def held_out_answers(
    task: Task,
    data: Dataset,
    settings: FitSettings,
    split: SplitSettings,
    train: NDArray[np.int64],
    held: NDArray[np.int64],
) -> NDArray[np.float64]:
    """(held, classes) the linear learner's probabilities after learning from `train`.

    `settings.folder` is its scratch folder, emptied first.
    """
    import numpy as np

    from luodi.data.folds import k_folds

    learner = task.learners[task.baselines[1]]
    # What it chooses by is a tenth of its own training rows, near-copies on one side.
    inner = k_folds(data.take(train), 10, split, data.column(Role.LABEL))[0]
    shutil.rmtree(settings.folder, ignore_errors=True)
    settings.folder.mkdir(parents=True)
    fitted = learner.fit(
        data.take(train[inner.train]), data.take(train[inner.held]), settings, Quiet()
    )
    fitted.export(settings.folder / "export")
    predictor = learner.predictor.load(settings.folder / "export", settings.threads)
    part = data.take(held)
    answers = predictor.predict(task.requests(part, settings.schema))
    scored: Any = task.score(part, answers, settings.schema)
    return np.asarray(scored.probability)


def _plain_split(run: RunPlace, data: Dataset) -> SplitSettings:
    """As the split's, without the time column: nothing is forecast here."""
    return replace(split_settings(run, data), time=None)


def _facts(
    data: Dataset, noise: LabelNoise, classes: Sequence[str], records: list[dict[str, Any]]
) -> dict[str, Any]:
    from luodi.data.examples import SHOWN, shorten

    most = sorted(
        (
            (float(noise.joint[i, j]), classes[i], classes[j])
            for i in range(len(classes))
            for j in range(len(classes))
            if i != j and noise.joint[i, j] > 0
        ),
        reverse=True,
    )
    return {
        "share": noise.share,
        "rows": data.rows,
        "suspicious": len(records),
        "pairs": [{"given": i, "true": j, "share": round(s, 4)} for s, i, j in most[:10]],
        "examples": [
            {
                "row": r["row"],
                "text": shorten(r["content"]),
                "given": r["given"],
                "suggested": r["suggested"],
                "confidence": float(r["confidence"]),
            }
            for r in records[:SHOWN]
        ],
    }


def _finding(run: RunPlace, facts: dict[str, Any], file: Path) -> Finding:
    bound = run.project.data.noise.max
    sampled = (
        "" if _asked(run) else say(f" of {facts['rows']} looked at", f"（抽查 {facts['rows']} 行）")
    )
    place = Path(run.home.name) / file.relative_to(run.home)  # travels: it tells of no machine
    return Finding(
        "label-noise",
        "warning" if facts["share"] > (MUCH if bound is None else bound) else "info",
        facts["suspicious"],
        say(
            f"About {facts['share']:.1%} of the labels{sampled} are probably wrong; "
            f"{facts['suspicious']} rows are suspicious.",
            f"约 {facts['share']:.1%} 的标签可能有误{sampled}；{facts['suspicious']} 行可疑。",
        ),
        facts["examples"],
        run.project.data.columns.get("label", ()),
        say(
            f"Look at {place}; fill its column `corrected`, name it under data.corrections.",
            f"请查看 {place}，填写 `corrected` 列，并在 data.corrections 中指定该文件。",
        ),
        details={"share": facts["share"], "rows": facts["rows"], "pairs": facts["pairs"]},
    )


def _refused(run: RunPlace, facts: dict[str, Any], file: Path) -> NoiseError:
    bound = run.project.data.noise.max or 0.0
    return NoiseError(
        say(
            f"About {facts['share']:.1%} of the labels are probably wrong "
            f"({facts['suspicious']} of {facts['rows']} rows are suspicious). Nothing was trained.",
            f"约 {facts['share']:.1%} 的标签可能有误（{facts['rows']} 行中有 {facts['suspicious']} "
            "行可疑）。未进行训练。",
        ),
        say(f"data.noise.max is {bound:.1%}.", f"data.noise.max 为 {bound:.1%}。"),
        say(
            f"Fill the column `corrected` of {file}, name the file under data.corrections, and "
            "run again.",
            f"请填写 {file} 的 `corrected` 列，在 data.corrections 中指定该文件，然后重新运行。",
        ),
    )
