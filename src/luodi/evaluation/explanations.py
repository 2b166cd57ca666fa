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
    unit_name,
)
from luodi.evaluation.local import examples
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
    def told(self) -> tuple[str, ...]:
        """What outcomes are about: the event's probability, each label's, or the value."""
        if not self.labels:
            return (say("answer", "预测值"),)
        labels = self.labels[1:] if len(self.labels) == 2 else self.labels
        return tuple(say(f"probability of {label}", f"{label} 的概率") for label in labels)

    def answers(self, requests: Sequence[Request]) -> list[Answer]:
        """To rows made of the values of `requests`, whose reading is not done over and over."""
        if self.read:
            return self.bundle.answer(requests)
        return self.bundle.predict(list(requests))

    def outcomes(self, requests: Sequence[Request]) -> Floats:
        """(n, m) what `told` names, of each answer."""
        answers = self.answers(requests)
        if not self.labels:
            return np.array([[answer["value"]] for answer in answers], dtype=np.float64)
        labels = self.labels[1:] if len(self.labels) == 2 else self.labels
        rows = [[answer["probabilities"][label] for label in labels] for answer in answers]
        return np.array(rows, dtype=np.float64)


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
    weight, unit = _weights(question) if question.bundle.explains else ({}, "")
    if weight and max(weight.values()) > _TINY:
        found.append(_weight_bars(question, weight, unit))
    order = sorted(question.schema.request, key=lambda field: -weight.get(field.name, 0.0))
    found.append(shuffled(question, order[:SHUFFLED]))
    found += [s for field in order[:FOLLOWED] for s in dependence(question, field)]
    if weight and max(weight.values()) > _TINY:
        found.append(examples(question))
    return found


def _weights(question: Question) -> tuple[dict[str, float], str]:
    """Field -> the mean size of its contribution to the answer that was given; and the unit."""
    unit = ""
    requests = list(question.requests[: _explained(question)])
    total = dict.fromkeys((field.name for field in question.schema.request), 0.0)
    for reasons in question.bundle.explain(requests, len(total)):
        for reason in reasons:
            # Mending makes fields that no caller sends, such as "income is missing".
            share = abs(reason.contribution) / len(requests)
            total[reason.field] = total.get(reason.field, 0.0) + share
            unit = reason.unit
    return total, unit


def _explained(question: Question) -> int:
    wanted = CELLS // max(len(question.schema.request), 1)
    return min(len(question.requests), EXPLAINED, max(LEAST_EXPLAINED, wanted))


def _weight_bars(question: Question, weight: dict[str, float], unit: str) -> Bars:
    order = sorted(weight, key=lambda name: -weight[name])[:20]
    return Bars(
        say("What weighs in the answers", "各字段的影响"),
        order,
        [weight[name] for name in order],
        note=say(
            f"Mean size of each field's SHAP value over {_explained(question)} test rows; unit: "
            f"{unit_name(unit)}.",
            f"{_explained(question)} 行测试数据上各字段 SHAP 值的平均绝对值；"
            f"单位：{unit_name(unit)}。",
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
    """How the mean answer follows one field, all else as it is (Friedman 2001): a curve over
    numbers, a value each of categories and dates. There is no order of texts to follow.
    """
    requests = list(question.requests[:FOLLOWED_ROWS])
    there = [r[field.name] for r in requests if r.get(field.name) is not None]
    if len(there) < 2:
        return []
    title = say(f"How answers follow {field.name}", f"预测随 {field.name} 的变化")
    if field.kind == "text":
        return [_no_curve(title, field)]
    values = _grid(field, there)
    if len(values) < 2:
        return []
    means = [_mean_with(question, requests, field.name, value) for value in values]
    told = question.told
    if field.kind == "number":
        points = [[(float(v), m[n]) for v, m in zip(values, means, strict=True)]
                  for n in range(len(told))]  # fmt: skip
        names = told if len(told) > 1 else (say("mean", "平均"),)
        axis = told[0] if len(told) == 1 else say("probability", "概率")
        return [Lines(title, field.name, axis, dict(zip(names, points, strict=True)))]
    if len(told) == 1:
        return [Bars(title, [str(value) for value in values], [m[0] for m in means], note=told[0])]
    rows = [[str(value), *m] for value, m in zip(values, means, strict=True)]
    return [Table(title, [field.name, *told], rows)]


def _grid(field: Field, there: Sequence[JsonValue]) -> list[JsonValue]:
    """The values that the field is set to, one after the other."""
    if field.kind == "number":
        ends = np.quantile(np.array(there, float), np.linspace(0.02, 0.98, GRID))
        return list(np.unique(ends).tolist())
    if field.kind == "date":  # ISO texts: their order is that of time
        ordered = sorted(map(str, there))
        places = np.linspace(0, len(ordered) - 1, GRID).round().astype(int)
        return list(dict.fromkeys(ordered[place] for place in places))
    return [True, False] if field.kind == "boolean" else _commonest(there)


def _no_curve(title: str, field: Field) -> Table:
    return Table(
        title,
        [field.name, say("curve", "曲线")],
        [[say("text", "文本"), say("none", "无")]],
        say(
            "Texts have no order that answers could follow, and no few of them stand for all. What "
            "the field is worth, shuffling shows; what it did to an answer, the answer's reasons.",
            "文本没有可供遵循的顺序，也没有少数几条能代表全部。该字段的作用见打乱后的损失；"
            "对单个回答的影响见该回答的依据。",
        ),
    )


def _commonest(values: Sequence[JsonValue], most: int = 8) -> list[JsonValue]:
    from collections import Counter

    return [value for value, _ in Counter(values).most_common(most)]


def _mean_with(
    question: Question, requests: Sequence[Request], name: str, value: JsonValue
) -> list[float]:
    outcomes = question.outcomes([{**request, name: value} for request in requests])
    return [float(each) for each in outcomes.mean(axis=0)]
