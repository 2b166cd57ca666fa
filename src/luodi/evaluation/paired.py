"""Is the model better than a baseline, or was it luck?

Two scores side by side do not answer that: both were measured on the same rows, and it is the
difference on these rows that must stand out from chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Classified, JsonValue, Metric, Scored
from luodi.evaluation.intervals import (
    Resampled,
    acceleration,
    draws,
    ends,
    leave_out_weights,
    points,
    resample_weights,
)
from luodi.evaluation.measure import Floats
from luodi.evaluation.plain import numbers, plain


@dataclass(frozen=True)
class McNemar:
    """The rows on which two classifiers disagree in being right.

    Attributes:
        only_model, only_baseline: rows that just the one, just the other answered rightly.
        p_value: two-sided mid-p; rows count as independent and by number, not by weight.
    """

    only_model: int
    only_baseline: int
    p_value: float


@dataclass(frozen=True)
class Paired:
    """A model held against a baseline on the same rows.

    Attributes:
        difference: the model's value minus the baseline's; `low` and `high` are its interval.
        p_value: two-sided, by `method`.
        better: the model is better, and the interval and the p-value both rule out chance.
        method: `mcnemar` (accuracy over independent, equally weighing rows) or `bootstrap`.
    """

    metric: str
    difference: float
    low: float
    high: float
    p_value: float
    better: bool
    method: str
    level: float = 0.95
    higher_is_better: bool = True
    mcnemar: McNemar | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """The comparison as JSON; NaN becomes null."""
        found: dict[str, JsonValue] = plain(self)
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Paired:
        """The comparison that `to_json` wrote."""
        inner = value.get("mcnemar")
        read = numbers(value, ("difference", "low", "high", "p_value"))
        return cls(**{**read, "mcnemar": McNemar(**inner) if inner else None})


def compare(
    model: Scored,
    baseline: Scored,
    metric: Metric[Any],
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 7,
) -> Paired:
    """Hold a model against a baseline on the same rows, resampled together by cluster.

    Raises:
        ValueError: when the two do not stand on the same rows.
    """
    if not (
        np.array_equal(model.cluster, baseline.cluster)
        and np.array_equal(model.weight, baseline.weight)
    ):
        raise ValueError("a paired comparison needs both models scored on the same rows")
    name, clusters = metric.name, len(np.unique(model.cluster))
    difference = points(model, [metric])[name] - points(baseline, [metric])[name]
    found = Resampled(
        _difference(model, baseline, metric, partial(resample_weights, resamples=resamples), seed),
        clusters,
        acceleration(_difference(model, baseline, metric, leave_out_weights, seed)),
    )
    low = high = p_value = math.nan
    if math.isfinite(difference) and found.enough:
        low, high = ends(difference, found, level)
        p_value = bootstrap_p_value(found.known)
    disagreement, method = None, "bootstrap"
    if isinstance(model, Classified) and isinstance(baseline, Classified):
        disagreement = mcnemar(model, baseline)
        equal = bool((model.weight == model.weight[:1]).all())
        if name == "accuracy" and equal and clusters == model.rows:
            method, p_value = "mcnemar", disagreement.p_value
    gain = low > 0 if metric.higher_is_better else high < 0
    return Paired(
        metric=name,
        difference=difference,
        low=low,
        high=high,
        p_value=p_value,
        better=bool(gain and p_value < 1 - level),
        method=method,
        level=level,
        higher_is_better=metric.higher_is_better,
        mcnemar=disagreement,
    )


def _difference(
    model: Scored,
    baseline: Scored,
    metric: Metric[Any],
    weightings: Callable[..., Iterator[tuple[slice, Floats]]],
    seed: int,
) -> Floats:
    """The metric's difference under the same weightings of the same rows."""
    ours, theirs = (
        draws(scored, [metric], weightings(scored, seed=seed))[metric.name]
        for scored in (model, baseline)
    )
    return ours - theirs


def bootstrap_p_value(drawn: NDArray[np.float64]) -> float:
    """Two-sided: twice the share of resampled differences on the wrong side of zero.

    One is added above and below (Davison and Hinkley 1997, 4.2): r resamples never prove a
    p-value under 1/(r+1).
    """
    rarer = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(drawn) + 1))


def mcnemar(model: Classified, baseline: Classified) -> McNemar:
    """McNemar's test on the rows where just one of the two is right."""
    right, reference = model.truth == model.predicted, baseline.truth == baseline.predicted
    only_model = int((right & ~reference).sum())
    only_baseline = int((~right & reference).sum())
    return McNemar(only_model, only_baseline, mid_p(only_model, only_baseline))


def mid_p(first: int, second: int) -> float:
    """Two-sided mid-p of `first` against `second` heads of a fair coin.

    Half of the seen outcome's own chance is left out, which keeps the test near its level where
    the exact one is too shy (Fagerland, Lydersen and Laake 2013).
    """
    tosses, fewer = first + second, min(first, second)
    if tosses == 0:
        return 1.0
    heads = np.arange(fewer + 1)
    logs = np.array(
        [math.lgamma(tosses + 1) - math.lgamma(k + 1) - math.lgamma(tosses - k + 1) for k in heads]
    )
    chance = np.exp(logs - tosses * math.log(2))
    if first == second:
        return 1.0
    return float(min(1.0, 2 * chance.sum() - chance[-1]))
