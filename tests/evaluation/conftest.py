"""A classifier's answers and a whole report, made here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from luodi.contracts import (
    Classified,
    Finding,
    Interval,
    Language,
    Table,
    Valued,
    say,
    use_language,
)
from luodi.evaluation.classification import sections
from luodi.evaluation.gate import judge, parse_rule
from luodi.evaluation.intervals import intervals
from luodi.evaluation.metrics import by_name
from luodi.evaluation.paired import compare
from luodi.evaluation.report import Baseline, Leak, Report


def _classified(
    rows: int = 300,
    labels: tuple[str, ...] = ("negative", "positive"),
    skill: float = 2.0,
    seed: int = 0,
    copies: int = 1,
) -> Classified:
    """Answers of a given skill; each `copies` rows that follow each other are one cluster."""
    generator = np.random.default_rng(seed)
    k = len(labels)
    truth = generator.integers(k, size=rows)
    logits = np.random.default_rng(seed + 1).normal(size=(rows, k))
    logits[np.arange(rows), truth] += skill
    # Rounded: real scores have ties, and ties are where ranking metrics go wrong.
    probability = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 2)
    probability /= probability.sum(axis=1, keepdims=True)
    return Classified(
        weight=np.ones(rows),
        cluster=np.arange(rows) // copies,
        truth=truth,
        predicted=probability.argmax(axis=1),
        probability=probability,
        labels=labels,
    )


@pytest.fixture
def classified() -> Callable[..., Classified]:
    return _classified


@pytest.fixture
def valued() -> Valued:
    generator = np.random.default_rng(3)
    truth = generator.normal(50, 10, size=200)
    return Valued(np.ones(200), np.arange(200), truth, truth + generator.normal(0, 4, size=200))


def _report(language: Language = "en", text: str = "很好 a fine thing", classes: int = 2) -> Report:
    """A report with every part filled; `text` stands wherever data can bring text."""
    use_language(language)
    labels = tuple(f"{text[:400]}{index}" for index in range(classes))
    model, plain = _classified(labels=labels), _classified(labels=labels, skill=0.5)
    metrics = [by_name(name) for name in ("accuracy", "macro_f1", "log_loss", "ece")]
    found = intervals(model, metrics, resamples=100)
    paired = compare(model, plain, metrics[0], resamples=100)
    rules = {"accuracy": ">= 0.7", "log_loss": "<= 0.9", "beats": "linear"}
    answers = [{"label": "", "truncated": row % 9 == 0} for row in range(model.rows)]
    interval = {"value": 1, "low": 0, "high": 2}
    example = {"row": 3, "text": text, "labels": {text: 2}, text[:60]: None}
    return Report(
        name=text,
        task="text-classification",
        language=language,
        created="2026-05-04T10:11:12+08:00",
        run="20260504-1",
        verdict=judge(
            [parse_rule(name, value) for name, value in rules.items()], found, {"linear": paired}
        ),
        metrics=found,
        digest="sha256:" + "ab" * 32,
        version="abababababab",
        model={"learner": "transformer", "base": text, "bundle_bytes": 24_000_000, "budget": 600},
        licences={text: "MIT"},
        openings=3,
        level=0.98,
        baselines={"linear": Baseline(intervals(plain, metrics, resamples=100), paired)},
        data={"rows": 400, "duplicates": 60, "train": 200, "valid": 40, "test": 300},
        dropped={"duplicates": 60, text: 2},
        findings=[
            Finding(text, "warning", 60, text, [example], [text], text, text),
            Finding("encoding", "info", 1, say("Read as UTF-8.", "按 UTF-8 读取。"), [example]),
        ],
        columns=[{"name": text, "kind": "text", "rows": 400, "missing": 3, "top": [[text, 4]]}],
        split={"seed": 7, "valid": 0.1, "group": text},
        leak=Leak("accuracy", Interval(0.96, 0.95, 0.97), Interval(0.86, 0.85, 0.87), text),
        candidates=[{"learner": text, "value": 0.8, "low": 0.7, "high": 0.9, "chosen": True}],
        history=[{"epoch": e, "train_loss": 1 / e, "valid_accuracy": e / 9} for e in (1, 2, 3)],
        sections=[
            *sections([text] * model.rows, answers, model),
            Table(text, [text, text], [[text, 1.5], [None, interval]], text),
        ],
        truncated=34,
        seconds={"train": 71.5, "evaluate": 3.25},
        environment={"numpy": "2.4.6"},
        next_command="luodi serve review-sentiment",
    )


@pytest.fixture
def report() -> Callable[..., Report]:
    return _report
