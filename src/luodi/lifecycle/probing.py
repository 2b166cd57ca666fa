"""What is found of a model's forms: speed, memory, score, faithfulness, and the gate's lines.

All of it on the validation part: the test part is opened once, for the form that was chosen.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import Answer, Dataset, Form, JsonValue, Predictor, Progress, Request, say
from luodi.lifecycle.place import RunPlace
from luodi.lifecycle.weighing import weigh

if TYPE_CHECKING:
    from luodi.compression.fidelity import Fidelity
    from luodi.evaluation.paired import Paired
    from luodi.lifecycle.training import Cut, Trained

CHANGED, SCORE, ALONE = 0.01, 0.005, 0.01
"""What a form may do on the validation part: the share of answers that it changes, what it costs of
the metric that is chosen on, and how far the other rows of a call may move a number."""
_CALIBRATED_ON, _COMPARED_ON, _TIMED_ON, _WEIGHED_ON = 256, 1024, 96, 64
_ROUNDS = 3
_RESAMPLES = 400


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
        score: the metric that is chosen on.
        memory: bytes of a process that holds this model alone and has answered with it; 0 where
            that could not be measured.
        gate: the gate's lines held against the validation part, as `Verdict.to_json` has them: to
            compare the forms. The run's verdict is the test part's.
    """

    form: Form
    rows_a_second: float
    changed: float
    score_drop: float
    alone: float
    bytes: int
    refused: str = ""
    score: float = 0.0
    memory: int = 0
    gate: Mapping[str, JsonValue] = field(default_factory=dict)


def calibration_requests(run: RunPlace, cut: Cut) -> Sequence[Request]:
    """Rows of the training part by which integers are scaled."""
    return run.task.requests(_spread(cut.taught.train, _CALIBRATED_ON), cut.inner)


@dataclass(frozen=True)
class Bench:
    """What every form is held against.

    Attributes:
        learner: that makes the forms.
        predictor: the class that reads them.
        valid: rows of the validation part, and as requests.
        expected: the exported model's answers to them, and their score.
        baselines: the baselines' answers to them, of those that the gate names.
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
    baselines: Mapping[str, Sequence[Answer]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, run: RunPlace, trained: Trained, cut: Cut, baselines: Sequence[Trained] = ()
    ) -> Bench:
        """Everything that does not depend on the form."""
        learner = run.task.learners[trained.recipe.learner]
        name = "valid" if cut.parts.valid.rows else "train"
        valid = _spread(getattr(cut.parts, name), _COMPARED_ON)
        # What a predictor is given is prepared; what it is judged by is not.
        requests = run.task.requests(_spread(getattr(cut.taught, name), _COMPARED_ON), cut.inner)
        expected = learner.predictor.load(trained.exported, run.threads).predict(requests)
        calibration = calibration_requests(run, cut)
        others = {
            each.recipe.learner: _answers(run, each, requests)
            for each in beaten(run, baselines)
            if each.recipe != trained.recipe
        }
        score = _score(run, valid, expected, cut)
        return cls(
            run, trained, cut, learner, learner.predictor, valid, requests, calibration, expected,
            score, others,
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
        score = _score(self.run, self.valid, answers, self.cut)
        drop = sign * (self.score - score)
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
            "score": score,
            "gate": self.judged(answers),
        }

    def judged(self, answers: Sequence[Answer]) -> dict[str, JsonValue]:
        """The gate's lines, held against these answers."""
        from luodi.evaluation.gate import judge
        from luodi.evaluation.intervals import intervals
        from luodi.evaluation.measure import applicable
        from luodi.evaluation.paired import compare

        rules = tuple(self.run.project.gate.values())
        named = {rule.metric for rule in rules}
        task, seed = self.run.task, self.run.project.model.seed
        scored = task.score(self.valid, answers, self.cut.schema)
        metrics = [each for each in applicable(task.metrics, scored) if each.name in named]
        paired: dict[str, Paired] = {
            name: compare(
                scored, task.score(self.valid, other, self.cut.schema), task.metrics[0],
                resamples=_RESAMPLES, seed=seed,
            )
            for name, other in self.baselines.items()
        }  # fmt: skip
        found = intervals(scored, metrics, resamples=_RESAMPLES, seed=seed) if metrics else {}
        return judge(rules, found, paired).to_json()

    def weight(self, folder: Path, progress: Progress, learner: str = "") -> int:
        """Bytes of a process that holds the model in `folder` alone; 0 where none would tell.

        Args:
            learner: whose predictor reads it, where that is another one.
        """
        some = self.requests[:_WEIGHED_ON]
        try:
            return weigh(self.run.project.task, learner or self.learner.name, folder, some)
        except (OSError, ValueError, RuntimeError) as error:
            progress.say(say(f"Memory was not measured: {error}", f"未能测量内存：{error}"))
            return 0

    def _refused(self, found: Fidelity, drop: float, alone: Fidelity) -> str:
        if found.changed > allowed(CHANGED, len(self.requests)):
            return say(
                f"changes {found.changed:.1%} of the answers, more than {CHANGED:.0%}",
                f"改变了 {found.changed:.1%} 的答案，超过 {CHANGED:.0%}",
            )
        if drop > allowed(SCORE, len(self.requests)):
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


def allowed(share: float, rows: int) -> float:
    """What may be lost of so many rows: on few a single answer is more than a hundredth, and one
    is always allowed."""
    return max(share, 1.5 / max(rows, 1))


def held_against(run: RunPlace, baselines: Sequence[Trained]) -> dict[str, JsonValue]:
    """What a bench's verdicts depend on beside the models: a stage's inputs."""
    return {
        "gate": [[rule.metric, rule.text, *rule.beats] for rule in run.project.gate.values()],
        "baselines": [each.exported.parent.name for each in beaten(run, baselines)],
    }


def beaten(run: RunPlace, baselines: Sequence[Trained]) -> list[Trained]:
    """The baselines that the gate wants beaten; without any line the plainest."""
    rules = run.project.gate.values()
    named = {name for rule in rules for name in rule.beats}
    return [each for each in baselines if each.recipe.learner in named] or (
        [] if rules else list(baselines[:1])
    )


def _answers(run: RunPlace, trained: Trained, requests: Sequence[Request]) -> list[Answer]:
    predictor = run.task.learners[trained.recipe.learner].predictor
    return predictor.load(trained.exported, run.threads).predict(requests)


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
