"""The scorecard, as banks file it with a regulator: whole points for each bin of each column.

Bins carry weights of evidence; a logistic regression with coefficients that cannot turn their
direction says how much each column counts (Siddiqi 2006). The points are rounded, and what is
served is the rounded table itself: whoever adds the points up by hand gets the served score.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np

from luodi.contracts import (
    Answer,
    Choice,
    Dataset,
    Estimate,
    Field,
    FitSettings,
    JsonValue,
    Predictor,
    Range,
    Request,
    SearchSpace,
    TrainingError,
    say,
    worded,
)
from luodi.tasks.tabular.binning import Limits, Trend
from luodi.tasks.tabular.characteristics import Characteristic
from luodi.tasks.tabular.codes import Flavour, Floats
from luodi.tasks.tabular.fitting import (
    Fitting,
    Sample,
    Trained,
    loss,
)
from luodi.tasks.tabular.folds import FEW, ByStrength, by_strength
from luodi.tasks.tabular.predicting import Scorer, TabularPredictor
from luodi.tasks.tabular.refitting import RefittingLearner
from luodi.tasks.tabular.scorecard_paper import write_csv
from luodi.tasks.tabular.target import Classes, Target, target_of

FILE = "scorecard.json"
POINTS = "points"
_STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""Inverse strengths of the shrinkage that are tried."""


@dataclass(frozen=True)
class Scale:
    """What points mean: `score` points at `odds` others to one event; `double` more points double
    the odds.
    """

    score: float = 600.0
    odds: float = 50.0
    double: float = 20.0

    @property
    def factor(self) -> float:
        """Points that one unit of log-odds is worth."""
        return self.double / math.log(2)

    @property
    def offset(self) -> float:
        """Points at odds of one to one."""
        return self.score - self.factor * math.log(self.odds)


@dataclass(frozen=True)
class Scorecard:
    """Points by bin; more points, fewer events.

    Attributes:
        base: points that every row has.
        columns: of the matrix, all of them; a characteristic uses one.
    """

    base: int
    scale: Scale
    columns: int
    characteristics: tuple[Characteristic, ...]
    unit: ClassVar[str] = "points"

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `export` wrote."""
        head = json.loads((folder / FILE).read_text("utf-8"))
        found = tuple(Characteristic.from_json(one) for one in head["characteristics"])
        return cls(head["base"], Scale(**head["scale"]), head["columns"], found)

    def export(self, folder: Path) -> None:
        """`scorecard.json`, which is served, and `scorecard.csv`, the same for people.

        What bins are called is in the language of whoever exports.
        """
        head: dict[str, JsonValue] = {
            "base": self.base,
            "scale": {"score": self.scale.score, "odds": self.scale.odds,
                      "double": self.scale.double},
            "columns": self.columns,
            "characteristics": [one.to_json() for one in self.characteristics],
        }  # fmt: skip
        (folder / FILE).write_text(json.dumps(worded(head), ensure_ascii=False, indent=1), "utf-8")
        write_csv(folder / "scorecard.csv", self.base, self.characteristics)

    def points(self, matrix: Floats) -> Floats:
        """(n, f) -> (n,) whole points."""
        total = np.full(len(matrix), float(self.base))
        for one in self.characteristics:
            total += one.points[one.place(matrix[:, one.column])]
        return total

    def score(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, 2) probabilities, as the scale says of the points."""
        return self.chances(self.points(matrix))

    def chances(self, points: Floats) -> Floats:
        """(n,) points -> (n, 2) probabilities."""
        odds = (points - self.scale.offset) / self.scale.factor
        event = 0.5 - 0.5 * np.tanh(odds / 2)
        return np.column_stack([1 - event, event])

    def contributions(self, matrix: Floats) -> Floats:
        """(n, f) -> (n, f + 1) points above those of the average training row; that row's total
        comes last.
        """
        found = np.zeros((len(matrix), self.columns + 1))
        found[:, -1] = self.base
        for one in self.characteristics:
            average = float(np.average(one.points, weights=one.rows))
            found[:, one.column] = one.points[one.place(matrix[:, one.column])] - average
            found[:, -1] += average
        return found


class ScorecardPredictor(TabularPredictor):
    """Answers by points, and says how many."""

    scorer_type: ClassVar[type[Scorer]] = Scorecard

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request, with its points."""
        if not requests:
            return []
        assert isinstance(self.scorer, Scorecard)  # noqa: S101  # it is the scorer's type
        matrix = self.matrix(requests)
        points = self.scorer.points(matrix)
        answers = self.decision.answers(self.scorer.chances(points), matrix)
        pairs = zip(answers, points.tolist(), strict=True)
        return [{**answer, POINTS: total} for answer, total in pairs]


class ScorecardLearner(RefittingLearner):
    """Bins, weights of evidence, points. Two labels only.

    Options: `bins` and `share` limit the bins; `trend: either` lets the event rate of a number's
    bins rise or fall throughout, whichever fits, `any` lets it turn; `data.monotone` asks a column
    for one of the two. `least_iv` leaves out columns of less information; `base_score`,
    `base_odds` and `pdo` (points to double the odds) say what points mean.
    """

    name = "scorecard"
    predictor: type[Predictor] = ScorecardPredictor
    keeps_monotone: ClassVar[Literal[True]] = True
    flavour: ClassVar[Flavour] = "bins"
    space: SearchSpace = {
        "bins": Range(2, 12, 6, whole=True),
        "share": Range(0.01, 0.2, 0.05),
        "trend": Choice(("either", "any")),
        "least_iv": Range(0.0, 0.1, 0.0),
        "base_score": Range(0, 10_000, 600, searched=False),
        "base_odds": Range(1, 1000, 50, searched=False),
        "pdo": Range(1, 1000, 20, searched=False),
    }

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """A sort a column, and a small regression.

        Raises:
            TrainingError: there are not two labels.
        """
        _check_two(target_of(settings.schema))
        cells = data.rows * max(len(settings.schema.request), 1)
        return Estimate(seconds=0.5 + cells * 4e-6, bytes=int(1e8 + cells * 40))

    def train(self, train: Sample, valid: Sample, fitting: Fitting) -> Trained:
        """Cut, weigh, shrink, round; the strength is chosen by loss on the validation part, of few
        rows by folds of their own.
        """
        from luodi.tasks.tabular.scorecard_paper import sections

        _check_two(fitting.target)
        options = _Options.read(fitting.options)
        path = partial(_cards, options=options, fitting=fitting)
        held = ByStrength()
        if train.rows <= FEW or not valid.rows:  # once: cutting bins costs more than weighing them
            held = by_strength(train, path, fitting.target, fitting.settings.seed, repeats=1)
        lost = dict(held.losses)
        judged = valid if valid.rows else train
        cards: dict[float, Scorecard] = {}
        history: list[Mapping[str, float]] = []
        for number, (strength, card) in enumerate(path(train)):
            fitting.progress.step(number, len(_STRENGTHS), f"C = {strength:g}")
            cards[strength] = card
            if strength not in lost:
                lost[strength] = loss(card.score(judged.matrix), judged, fitting.target)
            history.append({"strength": strength, "valid_loss": lost[strength]})
        fitting.progress.step(len(_STRENGTHS), len(_STRENGTHS))
        best = min(cards, key=lost.__getitem__)
        card = cards[best]
        target = fitting.target
        event = target.labels[1] if isinstance(target, Classes) else ""
        return Trained(
            card,
            history,
            sections=sections(card.base, card.scale, card.characteristics, event),
            answers=(Field(POINTS, "number"),),
            held=held.scores.get(best),
        )


@dataclass(frozen=True)
class _Options:
    limits: Limits
    scale: Scale
    least_iv: float

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Self:
        """The options as they are used."""
        limits = Limits(options["bins"], float(options["share"]), options["trend"])
        scale = Scale(*(float(options[name]) for name in ("base_score", "base_odds", "pdo")))
        return cls(limits, scale, float(options["least_iv"]))


def _check_two(target: Target) -> None:
    labels = target.labels if isinstance(target, Classes) else ()
    if len(labels) == 2:
        return
    raise TrainingError(
        say(f"There are {len(labels)} labels.", f"共有 {len(labels)} 个类别。"),
        say("A scorecard tells two apart.", "评分卡只能区分两个类别。"),
        say("Choose another learner under model.learner.", "请在 model.learner 选择其他学习器。"),
    )


def _cards(train: Sample, options: _Options, fitting: Fitting) -> Iterator[tuple[float, Scorecard]]:
    """A scorecard for each strength, over the same bins."""
    from luodi.tasks.tabular.characterising import characterise

    trends: dict[str, Trend] = dict(fitting.question.monotone)
    found = characterise(train, fitting.encoder, options.limits, trends)
    found = [one for one in found if one.information >= options.least_iv]
    evidence = _evidence(found, train.matrix)
    for strength in _STRENGTHS:
        weights, base = _regression(evidence, train, strength)
        yield strength, _rounded(found, weights, base, options.scale, train.matrix.shape[1])


def _evidence(characteristics: Sequence[Characteristic], matrix: Floats) -> Floats:
    """(n, characteristics) weights of evidence."""
    columns = [one.woe[one.place(matrix[:, one.column])] for one in characteristics]
    return np.column_stack(columns) if columns else np.zeros((len(matrix), 0))


def _regression(evidence: Floats, train: Sample, strength: float) -> tuple[Floats, float]:
    """Coefficients (c,), 0 or more, and the base, of the log-odds of no event.

    Were one below 0, more evidence of good would take points away: such columns count nothing.
    """
    from scipy.optimize import minimize

    good = (train.truth == 0).astype(float)
    there = train.weight[train.weight > 0]
    weight = train.weight / float(there.mean()) if len(there) else np.ones(train.rows)
    count = evidence.shape[1]

    def loss(at: Floats) -> tuple[float, Floats]:
        sums = evidence @ at[:-1] + at[-1]
        off = weight * (0.5 + 0.5 * np.tanh(sums / 2) - good)
        total = float(weight @ (np.logaddexp(0, sums) - good * sums))
        slope = np.r_[evidence.T @ off + at[:-1] / strength, off.sum()]
        return total + float(at[:-1] @ at[:-1]) / (2 * strength), slope

    shares = float(np.average(good, weights=weight)) if weight.sum() > 0 else 0.5
    base = math.log(max(shares, 1e-6) / max(1 - shares, 1e-6))
    start = np.r_[np.full(count, 0.5), base]
    bounds = [(0.0, None)] * count + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds,
                     options={"maxiter": 500}).x  # fmt: skip
    return found[:-1], float(found[-1])


def _rounded(
    found: Sequence[Characteristic], weights: Floats, base: float, scale: Scale, columns: int
) -> Scorecard:
    """Whole points; a characteristic whose points are all 0 is left out."""
    kept = []
    for one, weight in zip(found, weights.tolist(), strict=True):
        bins = tuple(
            replace(each, points=round(scale.factor * weight * each.woe)) for each in one.bins
        )
        if any(each.points for each in bins):
            kept.append(replace(one, bins=bins, coefficient=weight))
    return Scorecard(round(scale.offset + scale.factor * base), scale, columns, tuple(kept))
