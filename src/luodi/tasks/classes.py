"""What tasks whose answers are labels share: from scores to answers, and labels looked over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from luodi.contracts import Answer, CleanSettings, Finding, QuestionSettings, say

if TYPE_CHECKING:
    from numpy.typing import NDArray


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of scores to rows of probabilities that sum to one: (n, k) -> (n, k)."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return result


def class_answers(probability: NDArray[np.float64], labels: Sequence[str]) -> list[Answer]:
    """(n, k) probabilities to n answers: the likeliest label, and every label's probability."""
    best = probability.argmax(axis=1)
    return [
        {"label": labels[top], "probabilities": dict(zip(labels, row, strict=True))}
        for top, row in zip(best.tolist(), probability.tolist(), strict=True)
    ]


_ADVERSE = (
    "bad", "default", "malignant", "fraud", "failure", "fail", "failed", "rejected", "denied",
    "churn", "attack", "abnormal", "坏", "违约", "欺诈", "故障", "拒绝", "恶性", "异常",
)  # fmt: skip
"""Names of labels that nobody wants to be answered with."""


def favourable_place(labels: Sequence[str], question: QuestionSettings) -> int:
    """The place of the label that people would rather be answered with, of two.

    What the project says; else the other one where the event's name is a bad thing, or where the
    project counts what wrong answers cost: those are costs of events that one would rather avoid.
    """
    if question.favourable is not None and question.favourable in labels:
        return list(labels).index(question.favourable)
    if len(labels) == 2 and (labels[1].strip().lower() in _ADVERSE or question.costs):
        return 0
    return 1 if len(labels) > 1 else 0


def inspect_labels(labels: Sequence[str], column: str, settings: CleanSettings) -> list[Finding]:
    """One class, rare classes, labels that are no classes."""
    counts = Counter(label for label in labels if label.strip())
    findings = [_shares(counts)]
    if len(counts) < 2:
        findings.append(_one_class(counts))
    elif len(counts) > max(50, len(labels) // 2):
        findings.append(_no_classes(counts, column))
    elif rare := {k: n for k, n in counts.items() if n < settings.min_rows_per_class}:
        findings.append(_rare(rare, settings))
    return findings


def unseen_labels(labels: Sequence[str], question: QuestionSettings) -> list[Finding]:
    """Labels that `data.labels` names and no row carries: they are answered, and never learnt."""
    unseen = sorted(set(question.labels) - set(labels))
    if not unseen:
        return []
    told = ", ".join(_shown(label, 40) for label in unseen[:10])
    carried = ", ".join(_shown(label, 40) for label in sorted(set(labels))[:10])
    return [
        Finding(
            "labels-without-rows",
            "warning",
            len(unseen),
            say(
                f"data.labels names {told}, which no row carries.",
                f"data.labels 中的 {told} 没有任何行带有。",
            ),
            remedy=say(
                f"The rows carry: {carried}. Add rows, or take the name out.",
                f"数据中的标签有：{carried}。请补充数据，或去掉该名称。",
            ),
            handled=say("Kept as a possible answer.", "仍作为可能的答案保留。"),
        )
    ]


def _shown(label: str, length: int = 80) -> str:
    """The label, short and masked. Loaded here: what serves has no use for it."""
    from luodi.data.examples import shorten

    return shorten(label, length)


def _shares(counts: Counter[str]) -> Finding:
    total = sum(counts.values())
    commonest = counts.most_common(10)
    told = ", ".join(
        f"{_shown(label, 40)} {count / max(total, 1):.1%}" for label, count in commonest
    )
    return Finding(
        code="classes",
        severity="info",
        count=len(counts),
        message=say(f"{len(counts)} classes: {told}.", f"{len(counts)} 个类别：{told}。"),
        details={"counts": dict(counts.most_common(200))},
    )


def _one_class(counts: Counter[str]) -> Finding:
    only = _shown(next(iter(counts), say("none", "无")))
    return Finding(
        code="one-class",
        severity="error",
        count=sum(counts.values()),
        message=say(
            f"All rows carry one label ({only}): there is nothing to tell apart.",
            f"所有行只有一个标签（{only}），没有可区分的内容。",
        ),
        remedy=say("Add rows of at least one other class.", "请补充至少另一个类别的数据。"),
    )


def _no_classes(counts: Counter[str], column: str) -> Finding:
    return Finding(
        code="label-is-no-class",
        severity="error",
        count=len(counts),
        columns=(column,),
        message=say(
            f"The label column {column} has {len(counts)} different values: these are no classes.",
            f"标签列 {column} 有 {len(counts)} 个不同取值，不像类别。",
        ),
        remedy=say(
            "Name the right column under data.columns.label.",
            "请在 data.columns.label 指定正确的列。",
        ),
    )


def _rare(rare: Mapping[str, int], settings: CleanSettings) -> Finding:
    told = ", ".join(f"{_shown(label, 40)} ({count})" for label, count in list(rare.items())[:10])
    least = settings.min_rows_per_class
    handled = {
        "keep": say("kept", "保留"),
        "drop": say("their rows are dropped", "删除这些行"),
        "refuse": "",
    }[settings.rare_classes]
    return Finding(
        code="rare-classes",
        severity="error" if settings.rare_classes == "refuse" else "warning",
        count=sum(rare.values()),
        message=say(
            f"{len(rare)} classes have fewer than {least} rows: {told}.",
            f"{len(rare)} 个类别少于 {least} 行：{told}。",
        ),
        examples=tuple(
            {"label": _shown(label), "rows": count} for label, count in list(rare.items())[:10]
        ),
        remedy=say(
            "Collect more rows, merge classes, or set data.clean.rare_classes.",
            "请收集更多数据、合并类别，或设置 data.clean.rare_classes。",
        ),
        handled=handled,
    )
