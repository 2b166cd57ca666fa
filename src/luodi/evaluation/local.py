"""Single answers and their reasons: LIME beside SHAP.

LIME is a linear model fitted around one row (Ribeiro, Singh and Guestrin 2016). Written here: the
authors' package has not been kept since 2021, and what is needed of it, fields that keep their
value or take another row's, is a few lines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from luodi.contracts import JsonValue, Request, Table, say, unit_name
from luodi.evaluation.measure import Floats

if TYPE_CHECKING:
    from luodi.evaluation.explanations import Question

SAMPLES = 400
_RIDGE = 1.0
_TINY = 1e-6


def local_weights(
    outcomes: Callable[[Sequence[Request]], Floats],
    request: Request,
    others: Sequence[Request],
    seed: int,
) -> dict[str, float]:
    """Field -> what keeping its value, instead of another row's, adds to the outcome.

    Args:
        outcomes: (n,) of n requests, on a scale where contributions may add up.
        request: the row.
        others: rows that values are taken from.
        seed: of the neighbours.
    """
    generator = np.random.default_rng(seed)
    names = list(request)
    kept = generator.random((SAMPLES, len(names))) < 0.5
    kept[0] = True
    donors = generator.integers(len(others), size=kept.shape)
    neighbours = [
        {
            name: request[name] if kept[row, place] else others[donors[row, place]].get(name)
            for place, name in enumerate(names)
        }
        for row in range(SAMPLES)
    ]
    value = outcomes(neighbours)
    width = 0.75 * math.sqrt(len(names))
    distance = np.sqrt((~kept).sum(axis=1))
    nearness = np.exp(-((distance / width) ** 2))
    design = np.column_stack([np.ones(SAMPLES), kept])
    weighted = design * nearness[:, None]
    penalty = _RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    found = np.linalg.solve(design.T @ weighted + penalty, weighted.T @ value)
    return dict(zip(names, found[1:].tolist(), strict=True))


def examples(question: Question, most: int = 5) -> Table:
    """Three answers with SHAP and LIME reasons side by side, of the same label in the same unit:
    the lowest, the middle and the highest; of several labels by how sure the answer is.
    """
    outcome = question.outcomes(question.requests)
    several = outcome.shape[1] > 1
    order = np.argsort(outcome.max(axis=1), kind="stable")
    chosen = dict.fromkeys(int(order[place]) for place in (0, len(order) // 2, len(order) - 1))
    requests = [question.requests[place] for place in chosen]
    named = [str(answer["label"]) if several else "" for answer in question.answers(requests)]
    rows: list[list[JsonValue]] = []
    told, units = question.bundle.explain(list(requests), most), [""]
    for place, request, label, reasons in zip(chosen, requests, named, told, strict=True):
        about = question.labels.index(label) if several else 0
        units = [reason.unit for reason in reasons] or units
        outcomes = partial(_on_scale, question, about, units[0])
        surrogate = local_weights(outcomes, request, question.requests, question.seed)
        head = [label] * several + [float(outcome[place, about])]
        for reason in reasons:
            weight = float(surrogate.get(reason.field, 0.0))
            rows.append([*head, reason.text, float(reason.contribution), weight])
            head = [""] * len(head)
    other = "log-odds" if units[0] == "points" else units[0]
    return Table(
        say("Three answers and their reasons", "三个回答及其依据"),
        [
            *([say("answer", "回答"), say("its probability", "其概率")] if several else
              question.told),
            say("reason", "依据"), f"SHAP ({unit_name(units[0])})", f"LIME ({unit_name(other)})",
        ],
        rows,
        _note(several, units[0]),
    )  # fmt: skip


def _note(several: bool, unit: str) -> str:
    which = (
        say(
            "The least sure, the middle and the surest answer",
            "所取行中最不确定、居中与最确定的回答",
        )
        if several
        else say("The lowest, the middle and the highest answer", "所取行中最低、居中与最高的回答")
    )
    points = say(
        " Points run the other way: fewer points, more of the event.",
        "分数方向相反：分数越低，事件越可能发生。",
    )
    return (
        which
        + say(
            " among the rows; a request with explain: true gets the same reasons. Both columns are "
            "about the label that is named, in the unit above them. SHAP shares out the model's "
            "own score, before calibration; LIME: weights of a linear model fitted around the row "
            "to the bundle's answers, after it.",
            "；请求中带 explain: true 可得到同样的依据。两列都针对所示的类别，单位见列名。"
            "SHAP 分解校准前的模型得分；LIME 为在该行附近对模型包（校准后）的回答"
            "拟合的线性模型的权重。",
        )
        + (points if unit == "points" else "")
    )


def _on_scale(question: Question, about: int, unit: str, requests: Sequence[Request]) -> Floats:
    """(n,) outcomes where contributions of this unit add up."""
    outcome = question.outcomes(requests)
    if unit in ("log-odds", "points"):
        chance = np.clip(outcome[:, about], _TINY, 1 - _TINY)
        return np.asarray(np.log(chance / (1 - chance)))
    if unit == "log-ratio":
        logs = np.log(np.clip(outcome, _TINY, 1 - _TINY))
        return np.asarray(logs[:, about] - logs.mean(axis=1))
    if unit == "log-value":
        return np.log(np.maximum(outcome[:, about], _TINY))
    return outcome[:, about]
