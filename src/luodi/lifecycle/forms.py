"""The stage that chooses a model's form: measured where it is packaged, held to the model it is
made from, and judged by the gate afterwards like everything else.

All of it happens on the validation part; what is calibrated is calibrated on the training part.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    Answer,
    Compressible,
    Dataset,
    Form,
    JsonValue,
    MissingPartError,
    Predictor,
    Progress,
    Request,
    TrainingError,
    say,
)
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.stages import code_version, package_of, read_json, write_json

if TYPE_CHECKING:
    from luodi.compression.fidelity import Fidelity
    from luodi.lifecycle.training import Cut, Trained

CHANGED, SCORE, ALONE = 0.01, 0.005, 0.01
"""What a form may do on the validation part: the share of answers that it changes, what it costs of
the metric that is chosen on, and how far the other rows of a call may move a number."""
WORTH = 1.2
"""How many times as fast a form must be than the simpler one before it."""
_CALIBRATED_ON, _COMPARED_ON, _TIMED_ON = 256, 1024, 96
_ROUNDS = 3


@dataclass(frozen=True)
class Probe:
    """What was found of one form.

    Attributes:
        rows_a_second: on one thread, like lengths together; only forms of one probe compare.
        changed: the share of validation answers that are others than the exported model's.
        score_drop: what it costs of the metric that is chosen on.
        alone: the greatest difference of a number between a row asked alone and among others.
        bytes: of its files.
        refused: why it may not be chosen; empty when it may.
    """

    form: Form
    rows_a_second: float
    changed: float
    score_drop: float
    alone: float
    bytes: int
    refused: str = ""


@dataclass(frozen=True)
class Formed:
    """The files that are packaged, the form that they are in, and what was measured."""

    exported: Path
    form: Form | None
    probes: Sequence[Probe] = ()

    @property
    def exact(self) -> bool:
        """Whether its numbers are whole ones, the same on every processor but for rounding."""
        return self.form is None or self.form.name == "float32"

    def to_json(self) -> dict[str, Any] | None:
        """As in result.json."""
        if self.form is None:
            return None
        return asdict(self.form) | {"probes": [asdict(probe) for probe in self.probes]}


def choose_form(run: RunPlace, trained: Trained, cut: Cut) -> Formed:
    """The fastest form that answers as the exported one does, of those that the project allows.

    Raises:
        TrainingError: when the project asks for a form that does not answer faithfully.
        MissingPartError: when it asks for a runtime that is not installed.
    """
    learner = run.task.learners[trained.recipe.learner]
    if not isinstance(learner, Compressible):
        return Formed(trained.exported, None)
    forms = _allowed(run, learner.forms())
    if forms == [learner.forms()[0]]:
        return Formed(trained.exported, forms[0])
    inputs: dict[str, JsonValue] = {
        "exported": trained.exported.parent.name,
        "forms": [str(form) for form in forms],
        "code": code_version("luodi.compression", "luodi.lifecycle.forms", package_of(learner)),
    }
    work = partial(_probe_all, run, trained, cut, forms)
    folder = run.stages.run("form", inputs, work)
    facts = read_json(folder / "form.json")
    probes = [Probe(**{**item, "form": Form(**item["form"])}) for item in facts["probes"]]
    exported = folder / "export" if facts["made"] else trained.exported
    formed = Formed(exported, Form(**facts["chosen"]), probes)
    run.observer.tell(_in_words(formed))
    return formed


def _in_words(formed: Formed) -> str:
    by_form = {probe.form: probe for probe in formed.probes}
    chosen, first = by_form[formed.form or formed.probes[0].form], formed.probes[0]
    times = chosen.rows_a_second / first.rows_a_second
    return say(
        f"Served as {chosen.form}: {times:.1f} times as fast as {first.form}, "
        f"{chosen.changed:.1%} of the validation answers changed.",
        f"以 {chosen.form} 部署：速度为 {first.form} 的 {times:.1f} 倍，"
        f"验证集上 {chosen.changed:.1%} 的答案有变化。",
    )


def _allowed(run: RunPlace, forms: Sequence[Form]) -> list[Form]:
    """The forms that the project file allows, of those that can be made here."""
    wanted = run.project.serve
    there = {form.runtime for form in forms}
    if wanted.runtime != "auto" and wanted.runtime not in there:
        raise MissingPartError(
            say(
                f"serve.runtime is {wanted.runtime}, which is not installed.",
                f"serve.runtime 为 {wanted.runtime}，但未安装。",
            ),
            say(f"There are: {', '.join(sorted(there))}.", f"已有：{'、'.join(sorted(there))}。"),
            f"pip install 'luodi[{wanted.runtime}]'",
        )
    found = [
        form
        for form in forms
        if wanted.form in ("auto", form.name) and wanted.runtime in ("auto", form.runtime)
    ]
    if not found:
        there_are = ", ".join(map(str, forms))
        raise MissingPartError(
            say(
                f"serve.form is {wanted.form}, which no runtime here can compute.",
                f"serve.form 为 {wanted.form}，此处没有运行时可以计算。",
            ),
            say(f"There are: {there_are}.", f"已有：{there_are}。"),
            "pip install 'luodi[openvino]'",
        )
    return found


def _probe_all(
    run: RunPlace,
    trained: Trained,
    cut: Cut,
    forms: Sequence[Form],
    folder: Path,
    progress: Progress,
) -> None:
    shutil.rmtree(folder / "tried", ignore_errors=True)
    shutil.rmtree(folder / "export", ignore_errors=True)
    bench = _Bench.of(run, trained, cut)
    tried: dict[Form, tuple[Path, Predictor]] = {}
    found: dict[Form, dict[str, Any]] = {}
    for done, form in enumerate(forms):
        progress.step(done, len(forms) + 1, str(form))
        try:
            path = bench.made(form, folder / "tried" / str(done))
            predictor = bench.predictor.load(path, 1)
            found[form] = bench.faithful(predictor)
            tried[form] = path, predictor
        except Exception as error:  # a library that cannot quantise this graph: a form less
            progress.say(say(f"{form} is left out: {error}", f"已跳过 {form}：{error}"))
    progress.step(len(forms), len(forms) + 1, say("timing", "计时"))
    paces = bench.timed([predictor for _, predictor in tried.values()])
    probes = [
        Probe(form, pace, **found[form], bytes=_size(path))
        for (form, (path, _)), pace in zip(tried.items(), paces, strict=True)
    ]
    chosen = _fastest(probes, run.project.serve.form)
    path = tried[chosen.form][0]
    made = path != trained.exported
    if made:
        shutil.move(path, folder / "export")
    shutil.rmtree(folder / "tried", ignore_errors=True)
    facts = {"chosen": asdict(chosen.form), "made": made, "probes": [asdict(p) for p in probes]}
    write_json(folder / "form.json", facts)


def _fastest(probes: Sequence[Probe], wanted: str) -> Probe:
    """The fastest that may be chosen; a later, less simple one only where it is worth it."""
    chosen: Probe | None = None
    for probe in probes:
        if probe.refused:
            continue
        if chosen is None or probe.rows_a_second > chosen.rows_a_second * WORTH:
            chosen = probe
    if chosen is None:
        tried = "; ".join(f"{probe.form}: {probe.refused}" for probe in probes)
        raise TrainingError(
            say(
                f"No model in the form {wanted} answers as it must. {tried}",
                f"没有 {wanted} 形式的模型达到要求。{tried}",
            ),
            "",
            say("Set serve.form to auto or float32.", "请将 serve.form 设为 auto 或 float32。"),
        )
    return chosen


@dataclass(frozen=True)
class _Bench:
    """What every form is held against.

    Attributes:
        learner: that makes the forms.
        predictor: the class that reads them.
        valid: rows of the validation part, and as requests.
        expected: the exported model's answers to them, and their score.
    """

    run: RunPlace
    trained: Trained
    cut: Cut
    learner: Any
    predictor: type[Predictor]
    valid: Dataset
    requests: Sequence[Request]
    calibration: Sequence[Request]
    expected: Sequence[Answer]
    score: float

    @classmethod
    def of(cls, run: RunPlace, trained: Trained, cut: Cut) -> _Bench:
        learner = run.task.learners[trained.recipe.learner]
        name = "valid" if cut.parts.valid.rows else "train"
        valid = _spread(getattr(cut.parts, name), _COMPARED_ON)
        # What a predictor is given is prepared; what it is judged by is not.
        requests = run.task.requests(_spread(getattr(cut.taught, name), _COMPARED_ON), cut.inner)
        expected = learner.predictor.load(trained.exported, run.threads).predict(requests)
        taught = _spread(cut.taught.train, _CALIBRATED_ON)
        calibration = run.task.requests(taught, cut.inner)
        score = _score(run, valid, expected, cut)
        return cls(
            run, trained, cut, learner, learner.predictor, valid, requests, calibration, expected,
            score,
        )  # fmt: skip

    def made(self, form: Form, folder: Path) -> Path:
        """The model in this form; as it was exported, where that is the form."""
        if form == self.learner.forms()[0]:
            return self.trained.exported
        self.learner.compress(self.trained.exported, form, self.calibration, folder)
        return folder

    def faithful(self, predictor: Predictor) -> dict[str, Any]:
        """How a form's answers differ, and whether that is too much."""
        from luodi.compression.fidelity import compare

        answers = predictor.predict(self.requests)
        found = compare(self.expected, answers)
        sign = 1 if self.run.task.metrics[0].higher_is_better else -1
        drop = sign * (self.score - _score(self.run, self.valid, answers, self.cut))
        some = range(0, len(self.requests), max(1, len(self.requests) // 24))
        alone = compare(
            [answers[place] for place in some],
            [predictor.predict([self.requests[place]])[0] for place in some],
        )
        return {
            "changed": found.changed,
            "score_drop": drop,
            "alone": alone.largest,
            "refused": self._refused(found, drop, alone),
        }

    def _refused(self, found: Fidelity, drop: float, alone: Fidelity) -> str:
        # On few rows a single answer is more than a hundredth: one is always allowed.
        if found.changed > max(CHANGED, 1.5 / len(self.requests)):
            return say(
                f"changes {found.changed:.1%} of the answers, more than {CHANGED:.0%}",
                f"改变了 {found.changed:.1%} 的答案，超过 {CHANGED:.0%}",
            )
        if drop > max(SCORE, 1.5 / len(self.requests)):
            name = self.run.task.metrics[0].name
            return say(
                f"costs {drop:.4f} of {name}, more than {SCORE}",
                f"{name} 下降 {drop:.4f}，超过 {SCORE}",
            )
        if alone.largest > ALONE or alone.changed:
            return say(
                f"an answer moves by {alone.largest:.3f} with the other rows of its call, more "
                f"than {ALONE}",
                f"同批其他行使答案变化 {alone.largest:.3f}，超过 {ALONE}",
            )
        return ""

    def timed(self, predictors: Sequence[Predictor]) -> list[float]:
        """Rows a second of each, the best of several rounds in which each has its turn."""
        some = self.requests[:: max(1, len(self.requests) // _TIMED_ON)]
        best = [float("inf")] * len(predictors)
        for _ in range(_ROUNDS):
            for place, predictor in enumerate(predictors):
                started = time.perf_counter()
                predictor.predict(some)
                best[place] = min(best[place], time.perf_counter() - started)
        return [len(some) / seconds for seconds in best]


def _score(run: RunPlace, part: Dataset, answers: Sequence[Answer], cut: Cut) -> float:
    import numpy as np

    scored = run.task.score(part, answers, cut.schema)
    metric = run.task.metrics[0]
    return float(metric.compute(scored, np.ones((1, part.rows)))[0])


def _spread(part: Dataset, count: int) -> Dataset:
    """Rows spread evenly over a part, at most `count`."""
    import numpy as np

    rows = np.unique(np.linspace(0, part.rows - 1, min(count, part.rows)).astype(np.int64))
    return part.take(rows)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
