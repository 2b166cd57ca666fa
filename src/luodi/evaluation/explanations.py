"""What a report shows of why rows of a table were answered as they were.

Everything is asked of the packaged bundle, as a caller would: what stands here is what
`"explain": true` answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from luodi.contracts import (
    Answer,
    Answering,
    Bars,
    Field,
    JsonValue,
    Lines,
    Request,
    Schema,
    Section,
    Table,
    say,
)
from luodi.evaluation.local import local_weights
from luodi.evaluation.measure import Floats

EXPLAINED, LEAST_EXPLAINED, CELLS = 300, 20, 12_000
"""Rows whose reasons are asked for: fewer where a table has many fields, as each costs more."""
SHUFFLED = 25
"""Fields that are shuffled, the weightiest: in a wide table the others are not missed."""
SHUFFLES = 3
"""How often each field is shuffled."""
FOLLOWED = 6
"""Fields whose partial dependence is shown, the weightiest."""
GRID = 15
FOLLOWED_ROWS = 200
_TINY = 1e-6


@dataclass(frozen=True)
class Question:
    """A bundle, and the rows that it is asked about.

    Attributes:
        requests: rows of the test part, as a caller would send them.
        goodness: of answers to all of `requests`: higher is better.
        metric: what goodness is measured by.
        read: whether `requests` were read by the bundle already.
    """

    bundle: Answering
    requests: Sequence[Request]
    schema: Schema
    goodness: Callable[[Sequence[Answer]], float]
    metric: str
    seed: int
    read: bool = False

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of an answer; none where it is a number."""
        return next((f.categories for f in self.schema.answer if f.kind == "scores"), ())

    @property
    def towards(self) -> str:
        """What an outcome is about: the event's probability, the first label's, or the value."""
        if not self.labels:
            return say("answer", "预测值")
        label = self.labels[1] if len(self.labels) == 2 else self.labels[0]
        return say(f"probability of {label}", f"{label} 的概率")

    def answers(self, requests: Sequence[Request]) -> list[Answer]:
        """To rows made of the values of `requests`, whose reading is not done over and over."""
        if self.read:
            return self.bundle.answer(requests)
        return self.bundle.predict(list(requests))

    def outcomes(self, requests: Sequence[Request]) -> Floats:
        """(n,) what `towards` names, of each answer."""
        answers = self.answers(requests)
        if not self.labels:
            return np.array([answer["value"] for answer in answers], dtype=np.float64)
        label = self.labels[1] if len(self.labels) == 2 else self.labels[0]
        return np.array([answer["probabilities"][label] for answer in answers], dtype=np.float64)


def explain(question: Question) -> list[Section]:
    """Weights, shuffles, dependence, examples with LIME beside; nothing for a bundle that is mute
    or too small a part.
    """
    if len(question.requests) < 2:
        return []
    if question.bundle.by_field:
        requests = question.bundle.read(list(question.requests))
        question = replace(question, requests=requests, read=True)
    found: list[Section] = []
    weight = _weights(question) if question.bundle.explains else {}
    if weight and max(weight.values()) > _TINY:
        found.append(_weight_bars(question, weight))
    order = sorted(question.schema.request, key=lambda field: -weight.get(field.name, 0.0))
    found.append(shuffled(question, order[:SHUFFLED]))
    found += [s for field in order[:FOLLOWED] for s in dependence(question, field)]
    if weight and max(weight.values()) > _TINY:
        found.append(examples(question))
    return found


def _weights(question: Question) -> dict[str, float]:
    """Field -> the mean size of its contribution."""
    requests = list(question.requests[: _explained(question)])
    total = dict.fromkeys((field.name for field in question.schema.request), 0.0)
    for reasons in question.bundle.explain(requests, len(total)):
        for reason in reasons:
            # Mending makes fields that no caller sends, such as "income is missing".
            share = abs(reason.contribution) / len(requests)
            total[reason.field] = total.get(reason.field, 0.0) + share
    return total


def _explained(question: Question) -> int:
    wanted = CELLS // max(len(question.schema.request), 1)
    return min(len(question.requests), EXPLAINED, max(LEAST_EXPLAINED, wanted))


def _weight_bars(question: Question, weight: dict[str, float]) -> Bars:
    order = sorted(weight, key=lambda name: -weight[name])[:20]
    return Bars(
        say("What weighs in the answers", "各字段的影响"),
        order,
        [weight[name] for name in order],
        note=say(
            f"Mean size of each field's SHAP value over {_explained(question)} test rows.",
            f"{_explained(question)} 行测试数据上各字段 SHAP 值的平均绝对值。",
        ),
    )


def shuffled(question: Question, fields: Sequence[Field]) -> Bars:
    """What is lost when a field's values change places among the rows (Breiman 2001)."""
    generator = np.random.default_rng(question.seed)
    requests = list(question.requests)
    best = question.goodness(question.answers(requests))
    lost: dict[str, list[float]] = {}
    for field in fields:
        for _ in range(SHUFFLES):
            order = generator.permutation(len(requests)).tolist()
            mixed = [
                {**request, field.name: requests[other].get(field.name)}
                for request, other in zip(requests, order, strict=True)
            ]
            drop = best - question.goodness(question.answers(mixed))
            lost.setdefault(field.name, []).append(drop if math.isfinite(drop) else 0.0)
    order_ = sorted(lost, key=lambda name: -float(np.mean(lost[name])))[:20]
    return Bars(
        say("What is missed when a field is shuffled", "打乱字段后的损失"),
        order_,
        [float(np.mean(lost[name])) for name in order_],
        [min(lost[name]) for name in order_],
        [max(lost[name]) for name in order_],
        note=say(
            f"Loss of {question.metric} on {len(requests)} test rows; whiskers: the least and the "
            f"most of {SHUFFLES} shuffles.",
            f"{len(requests)} 行测试数据上 {question.metric} 的损失；须线为 {SHUFFLES} "
            "次打乱的最小与最大值。",
        ),
    )


def dependence(question: Question, field: Field) -> list[Section]:
    """How the mean answer follows one field, all else as it is (Friedman 2001)."""
    requests = list(question.requests[:FOLLOWED_ROWS])
    there = [r[field.name] for r in requests if r.get(field.name) is not None]
    if len(there) < 2:
        return []
    title = say(f"How answers follow {field.name}", f"预测随 {field.name} 的变化")
    if field.kind == "number":
        grid = np.unique(np.quantile(np.array(there, float), np.linspace(0.02, 0.98, GRID)))
        curve = [
            (float(value), _mean_with(question, requests, field.name, float(value)))
            for value in grid
        ]
        if len(curve) < 2:
            return []
        return [Lines(title, field.name, question.towards, {say("mean", "平均"): curve})]
    if field.kind not in ("category", "boolean"):
        return []
    values: list[JsonValue] = [True, False] if field.kind == "boolean" else _commonest(there)
    means = [_mean_with(question, requests, field.name, value) for value in values]
    return [Bars(title, [str(value) for value in values], means, note=question.towards)]


def _commonest(values: Sequence[JsonValue], most: int = 8) -> list[JsonValue]:
    from collections import Counter

    return [value for value, _ in Counter(values).most_common(most)]


def _mean_with(
    question: Question, requests: Sequence[Request], name: str, value: JsonValue
) -> float:
    return float(question.outcomes([{**request, name: value} for request in requests]).mean())


def examples(question: Question, most: int = 5) -> Table:
    """The lowest, the middle and the highest answer, with SHAP and LIME reasons side by side."""
    outcome = question.outcomes(question.requests)
    order = np.argsort(outcome, kind="stable")
    chosen = dict.fromkeys(int(order[place]) for place in (0, len(order) // 2, len(order) - 1))
    requests = [question.requests[place] for place in chosen]
    rows: list[list[JsonValue]] = []
    told = question.bundle.explain(list(requests), most)
    for place, request, reasons in zip(chosen, requests, told, strict=True):
        surrogate = local_weights(
            question.outcomes, request, question.requests, bool(question.labels), question.seed
        )
        for number, reason in enumerate(reasons):
            first = number == 0
            rows.append(
                [
                    float(outcome[place]) if first else "",
                    reason.text,
                    float(reason.contribution),
                    float(surrogate.get(reason.field, 0.0)),
                ]
            )
    return Table(
        say("Three answers and their reasons", "三个回答及其依据"),
        [question.towards, say("reason", "依据"), "SHAP", "LIME"],
        rows,
        say(
            "The lowest, the middle and the highest answer among the rows; a request with "
            "explain: true gets the same reasons. LIME: weights of a linear model fitted around "
            "the row.",
            "所取行中最低、居中与最高的回答；请求中带 explain: true 可得到同样的依据。"
            "LIME：在该行附近拟合的线性模型的权重。",
        ),
    )
