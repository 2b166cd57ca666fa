"""Why a model on tables answered as it did: how far each field moved the answer, in words.

A scorer that knows its own sums (trees, weights, points) gives exact Shapley values; any other is
asked: fields are swapped one after another, in random orders, between the row and rows of the
training part, and each field gets the mean of what its swap changed (Strumbelj and Kononenko
2014, sampled Shapley values). Either way the contributions of all fields add up to what sets the
answer apart from the average one.

Of more than two labels the scores behind a softmax are known up to what is added to all of them
alike. So they are told as log-ratios: how far a label's logarithm of probability lies above the
mean of all labels' (Aitchison 1982). Models that average probabilities tell these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import JsonValue, Reason, Request, say, unit_name
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.encoder import Encoder

ORDERS = 16
"""Random orders a row, each used forwards and backwards."""
_TINY = 1e-6


@runtime_checkable
class Contributing(Protocol):
    """A scorer that knows how far each column of the matrix moved its score."""

    @property
    def unit(self) -> str:
        """What contributions add up to: `log-odds`, `points` or `value`."""

    def contributions(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, f + 1), or (n, k, f + 1) for more than two labels; the base comes last."""


class Scoring(Protocol):
    """What turns a matrix into scores."""

    def score(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, k) probabilities, or (n,) values."""


def field_contributions(
    scorer: Scoring, encoder: Encoder, matrix: Floats, background: Floats
) -> tuple[Floats, str]:
    """How far each field moved each answer: (n, k, fields), and the unit.

    k is 1 for numbers and for two labels (towards the second, the event).

    Args:
        matrix: (n, f) the encoded rows.
        background: (m, f) encoded rows of the training part, for scorers that must be asked.
    """
    fields = len(encoder.codes)
    if isinstance(scorer, Contributing):
        found = scorer.contributions(matrix)
        found = found[:, None, :-1] if found.ndim == 2 else found[:, :, :-1]
        joined = np.zeros((*found.shape[:2], fields))
        for place in range(fields):
            joined[:, :, place] = found[:, :, encoder.field_of == place].sum(axis=2)
        if joined.shape[1] > 2 and scorer.unit == "log-odds":
            return joined - joined.mean(axis=1, keepdims=True), "log-ratio"
        return joined, scorer.unit
    return sampled(scorer, encoder.field_of, matrix, background)


def sampled(
    scorer: Scoring, field_of: NDArray[np.int64], matrix: Floats, background: Floats
) -> tuple[Floats, str]:
    """Sampled Shapley values of the fields: (n, k, fields), and the unit. Same rows, same values.

    Each row is worked through by itself: what other rows a call holds changes nothing.
    """
    fields = int(field_of.max()) + 1
    values = []
    for row in matrix:
        generator = np.random.default_rng(7)
        mixed, steps = [], []
        for _ in range(ORDERS // 2):
            order = generator.permutation(fields)
            for turned in (order, order[::-1]):
                other = background[generator.integers(len(background))]
                # Field by field the other row becomes this one.
                own = np.zeros((fields + 1, fields), bool)
                for step, place in enumerate(turned, 1):
                    own[step:, place] = True
                mixed.append(np.where(own[:, field_of], row, other))
                steps.append(turned)
        scores, unit = on_a_line(scorer.score(np.concatenate(mixed)))
        change = np.diff(scores.reshape(len(steps), fields + 1, -1), axis=1)  # (orders, fields, k)
        total = np.zeros((fields, change.shape[2]))
        for turned, moved in zip(steps, change, strict=True):
            total[turned] += moved
        values.append((total / len(steps)).T)
    return np.stack(values), unit


def on_a_line(scores: Floats) -> tuple[Floats, str]:
    """Scores where contributions may add up: (n, 1) values, (n, 1) log-odds of the second of two
    labels, or (n, k) log-ratios.
    """
    if scores.ndim == 1:
        return scores[:, None], "value"
    logs = np.log(np.clip(scores, _TINY, 1 - _TINY))
    if scores.shape[1] == 2:
        return logs[:, 1:] - logs[:, :1], "log-odds"
    return logs - logs.mean(axis=1, keepdims=True), "log-ratio"


def reasons_of(
    contributions: Floats, unit: str, request: Request, fields: Sequence[str], towards: str,
    most: int,
) -> list[Reason]:  # fmt: skip
    """The weightiest fields of one answer, in words.

    Args:
        contributions: (fields,).
        towards: the label that positive contributions speak for; empty for a number.
        most: how many at the most; fields that moved nothing are no reasons.
    """
    order = np.argsort(-np.abs(contributions), kind="stable")[:most]
    return [
        Reason(
            field=fields[place],
            value=request.get(fields[place]),
            contribution=float(contributions[place]),
            unit=unit,
            text=in_words(
                fields[place], request.get(fields[place]), float(contributions[place]), unit,
                towards,
            ),
        )
        for place in order.tolist()
        if abs(contributions[place]) > _TINY
    ]  # fmt: skip


def in_words(field: str, value: JsonValue, contribution: float, unit: str, towards: str) -> str:
    """One sentence: the field, what stood there, and which way it moved the answer."""
    shown = shown_value(value)
    amount = f"{contribution:+.3g}"
    if unit != "value":  # which is in the answer's own unit
        amount = f"{amount} {unit_name(unit)}"
    if not towards:
        way = say(
            "raises" if contribution > 0 else "lowers", "提高" if contribution > 0 else "降低"
        )
        return say(
            f"{field} = {shown} {way} the answer ({amount}).",
            f"{field} = {shown}，{way}了预测值（{amount}）。",
        )
    # More points on a scorecard mean that the event is rarer.
    speaks = contribution < 0 if unit == "points" else contribution > 0
    way = say("for" if speaks else "against", "支持" if speaks else "不支持")
    return say(
        f"{field} = {shown} speaks {way} {towards} ({amount}).",
        f"{field} = {shown}，{way} {towards}（{amount}）。",
    )


def shown_value(value: JsonValue) -> str:
    """A value as a person reads it."""
    if value is None:
        return say("(missing)", "（缺失）")
    if isinstance(value, bool):
        return say("yes", "是") if value else say("no", "否")
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"
