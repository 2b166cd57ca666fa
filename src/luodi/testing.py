"""What any task must keep to, as tests that a stranger's package runs too.

from luodi.testing import check_task
check_task(my_task, my_dataset, folder=tmp_path)
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from luodi.contracts import (
    Adopting,
    Answer,
    CleanSettings,
    Dataset,
    Explainer,
    FitSettings,
    Learner,
    Parts,
    Predictor,
    Quiet,
    Request,
    RequestError,
    Schema,
    SplitSettings,
    Task,
)

TOLERANCE = 1e-4
"""How far numbers of two answers may lie apart and count as the same: float32 sums in another
order differ in the last digits."""
FORBIDDEN = ("torch", "transformers", "sklearn", "scipy", "onnx", "tensorflow")
"""What a serving process must not load."""
_PICKLED = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".npz.pkl")


@dataclass(frozen=True)
class Trial:
    """How a learner is tried: its base and options, kept small so that a test is quick."""

    base: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    budget: float | None = None


def check_task(
    task: Task,
    data: Dataset,
    folder: Path,
    learners: Sequence[str] | None = None,
    trials: Mapping[str, Trial] | None = None,
) -> None:
    """Hold a task and its learners to the contract.

    Args:
        task: the task.
        data: rows with roles, at least a few dozen that can be learnt from.
        folder: an empty folder for what is exported.
        learners: which learners to try; all when left out.
        trials: learner name -> how to try it.

    Raises:
        AssertionError: naming the learner and what it broke.
    """
    assert list(task.baselines), f"{task.name}: no baselines"
    assert all(name in task.learners for name in task.baselines), "a baseline is no learner"
    assert not [f for f in task.inspect(data, CleanSettings()) if f.severity == "error"]
    assert len(task.content(data)) == data.rows, "content: one text a row"
    parts = task.split(data, SplitSettings())
    rows = [part.rows for part in (parts.train, parts.valid, parts.test)]
    assert sum(rows) == data.rows, f"split: {rows} of {data.rows} rows"
    schema = task.schema(data)
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    for name in learners or task.learners:
        trial = (trials or {}).get(name, Trial())
        if isinstance(task.learners[name], Adopting) and trial.base is None:
            continue  # learns nothing: without a model of somebody's there is nothing to try
        check_learner(task, task.learners[name], parts, schema, (folder / name, trial))


def check_learner(
    task: Task, learner: Learner, parts: Parts, schema: Schema, where: tuple[Path, Trial]
) -> None:
    """Hold one learner to the contract; see `check_task`."""
    folder, trial = where
    requests = task.requests(parts.test, schema)
    first = _fit(task, learner, parts, schema, (folder / "first", trial))
    answers = first.predict(requests)
    _check_answers(task, parts, schema, answers, learner.name)
    again = _fit(task, learner, parts, schema, (folder / "again", trial))
    same(answers, again.predict(requests), f"{learner.name}: same seed, other answers")
    one_by_one = [first.predict([request])[0] for request in requests[:8]]
    same(answers[:8], one_by_one, f"{learner.name}: the size of a batch changes answers")
    turned = first.predict(requests[::-1])[::-1]
    same(answers, turned, f"{learner.name}: the order of requests changes answers")
    assert first.predict([]) == [], f"{learner.name}: no request, no answer"
    reloaded = learner.predictor.load(folder / "first" / "export", 2)
    same(answers, reloaded.predict(requests), f"{learner.name}: reloading changes answers")
    assert all(first.cost(request) > 0 for request in requests[:8])
    _check_reasons(first, requests[:4], schema, learner.name)
    _check_files(folder / "first" / "export", learner)
    _check_malformed(schema, requests[0])
    _check_light(task, learner, folder / "first" / "export", requests[:2])


def same(left: Any, right: Any, message: str) -> None:
    """Equal, numbers within TOLERANCE.

    Raises:
        AssertionError: with `message` and the first difference.
    """
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        assert left.keys() == right.keys(), f"{message}: {left.keys()} and {right.keys()}"
        for key in left:
            same(left[key], right[key], message)
    elif isinstance(left, list | tuple) and isinstance(right, list | tuple):
        assert len(left) == len(right), f"{message}: {len(left)} and {len(right)} items"
        for one, other in zip(left, right, strict=True):
            same(one, other, message)
    elif isinstance(left, float) and isinstance(right, float):
        assert math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=TOLERANCE), (
            f"{message}: {left} and {right}"
        )
    else:
        assert left == right, f"{message}: {left!r} and {right!r}"


def _fit(
    task: Task, learner: Learner, parts: Parts, schema: Schema, where: tuple[Path, Trial]
) -> Predictor:
    folder, trial = where
    (folder / "scratch").mkdir(parents=True)
    settings = FitSettings(
        schema=schema,
        metric=task.metrics[0],
        folder=folder / "scratch",
        threads=2,
        base=trial.base,
        budget=trial.budget,
        options=trial.options,
    )
    unknown = set(trial.options) - set(learner.space)
    assert not unknown, f"{learner.name}: options outside its space: {unknown}"
    estimate = learner.estimate(parts.train, settings)
    assert estimate.seconds > 0, f"{learner.name}: an estimate of no time"
    assert estimate.bytes > 0, f"{learner.name}: an estimate of no memory"
    fitted = learner.fit(parts.train, parts.valid, settings, Quiet())
    for finding in fitted.findings:
        json.dumps(finding.to_json())
    fitted.export(folder / "export")
    return learner.predictor.load(folder / "export", 2)


def _check_answers(
    task: Task, parts: Parts, schema: Schema, answers: Sequence[Answer], name: str
) -> None:
    assert len(answers) == parts.test.rows, f"{name}: one answer a request"
    for answer in answers:
        json.dumps(answer, allow_nan=False)
        for wanted in schema.answer:
            if wanted.required:
                assert wanted.name in answer, f"{name}: an answer without {wanted.name}"
            if wanted.kind == "category":
                assert answer[wanted.name] in wanted.categories, f"{name}: an unknown category"
            if wanted.kind == "scores":
                total = sum(answer[wanted.name].values())
                assert tuple(answer[wanted.name]) == wanted.categories
                assert abs(total - 1) < 1e-3, f"{name}: probabilities add up to {total}"
    scored = task.score(parts.test, answers, schema)
    import numpy as np

    ones = np.ones((1, scored.rows))
    for metric in task.metrics:
        assert metric.compute(scored, ones).shape == (1,), f"{metric.name}: one value a weighting"
    assert list(task.sections(parts.test, answers, scored, 0.95)), f"{name}: nothing to show"


def _check_reasons(
    predictor: Predictor, requests: Sequence[Request], schema: Schema, name: str
) -> None:
    """A predictor that gives reasons gives the same ones whatever else a call holds."""
    if not isinstance(predictor, Explainer):
        return
    assert predictor.explain([]) == [], f"{name}: no request, no reasons"
    together = predictor.explain(requests, 3)
    fields = {field.name for field in schema.request}
    for request, reasons in zip(requests, together, strict=True):
        alone = predictor.explain([request], 3)[0]
        told = ([r.to_json() for r in reasons], [r.to_json() for r in alone])
        same(*told, f"{name}: the size of a batch changes reasons")
        assert len(reasons) <= 3, f"{name}: more reasons than were asked for"
        for reason in reasons:
            assert reason.field in fields, f"{name}: a reason of no field: {reason.field}"
            assert math.isfinite(reason.contribution), f"{name}: {reason}"
            assert reason.text, f"{name}: a reason without words"
        json.dumps(told[0])


def _check_files(exported: Path, learner: Learner) -> None:
    files = [path for path in exported.rglob("*") if path.is_file()]
    assert files, f"{learner.name}: nothing was exported"
    for file in files:
        assert file.suffix not in _PICKLED, f"{learner.name}: {file.name} may be a pickle"
        with file.open("rb") as stream:
            # Protocols 2 and up begin with this byte pair; torch's old format does too.
            assert stream.read(2)[:1] != b"\x80" or file.suffix == ".npy", file


def _check_malformed(schema: Schema, request: Request) -> None:
    bad: list[Any] = [None, [], {}, {"no such field": 1}, {**request, "no such field": 1}]
    bad += [{**request, field.name: object()} for field in schema.request if field.required]
    bad += [{**request, field.name: "\ud800"} for field in schema.request if field.kind == "text"]
    bad += [
        {**request, field.name: value}
        for field in schema.request
        if field.kind == "number"
        for value in (math.nan, math.inf, "seven", True)
    ]
    if not any(field.required for field in schema.request):
        bad.remove({})
    for value in bad:
        try:
            schema.read(value)
        except RequestError:
            continue
        raise AssertionError(f"a malformed request passed: {value!r}")


_LIGHT = """
import json, sys
from importlib import import_module
from pathlib import Path
module, name = {module!r}, {name!r}
kind = import_module(module)
for part in name.split("."):
    kind = getattr(kind, part)
kind.load(Path({folder!r}), 1).predict(json.loads({requests!r}))
heavy = [name for name in {forbidden!r} if name in sys.modules]
sys.exit(f"loads {{heavy}}" if heavy else 0)
"""


def _check_light(task: Task, learner: Learner, exported: Path, requests: Sequence[Request]) -> None:
    """A process that only predicts loads nothing heavy."""
    kind = learner.predictor
    script = _LIGHT.format(
        module=kind.__module__,
        name=kind.__qualname__,
        folder=str(exported),
        requests=json.dumps([dict(request) for request in requests]),
        forbidden=FORBIDDEN,
    )
    done = subprocess.run(  # noqa: S603  # our own interpreter, our own script
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{task.name}/{learner.name}: {done.stderr.strip()[-500:]}"
