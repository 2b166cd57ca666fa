"""The metrics, under the field's short names.

Definitions follow scikit-learn's, so that a reader can check any number with one call. Classes
that stand neither in the truth nor in the answers of a weighting are left out of its averages, and
rows whose truth is 0 of the mean relative error.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

from luodi.contracts import Classified, UsageError, Valued, say
from luodi.evaluation.fairness import FAIRNESS
from luodi.evaluation.measure import Floats, Measure, divide, itself, mean, sum_by
from luodi.evaluation.ranking import Ranking, ranking

ECE_BINS = 15


@dataclass(frozen=True)
class Totals:
    """Weights by class, each (b, k): answered rightly, true, answered; and of all, (b,)."""

    right: Floats
    truth: Floats
    predicted: Floats
    whole: Floats

    @property
    def precision(self) -> Floats:
        """(b, k), 0 for a class that was never answered."""
        return divide(self.right, self.predicted)

    @property
    def recall(self) -> Floats:
        """(b, k), 0 for a class that never was true."""
        return divide(self.right, self.truth)

    @property
    def f1(self) -> Floats:
        """(b, k)."""
        return divide(2 * self.right, self.truth + self.predicted)

    def macro(self, values: Floats) -> Floats:
        """The plain mean of (b, k) values over the classes that are there: (b,)."""
        there = (self.truth + self.predicted) > 0
        return np.asarray((values * there).sum(axis=1) / there.sum(axis=1))


def totals(scored: Classified, weights: Floats) -> Totals:
    """Sums by class under (b, n) weights.

    Rows are summed by the pair (truth, answer) once; the rest follows from these few sums.
    """
    k = len(scored.labels)
    pairs, index = np.unique(scored.truth * k + scored.predicted, return_inverse=True)
    sums = sum_by(index, len(pairs), weights)
    truth, predicted = np.divmod(pairs, k)
    classes = np.arange(k)
    is_truth = (truth[:, None] == classes).astype(float)
    is_predicted = (predicted[:, None] == classes).astype(float)
    return Totals(
        right=sums @ (is_truth * is_predicted),
        truth=sums @ is_truth,
        predicted=sums @ is_predicted,
        whole=sums.sum(axis=1),
    )


def _accuracy(sums: Totals) -> Floats:
    return np.asarray(sums.right.sum(axis=1) / sums.whole)


def _macro_f1(sums: Totals) -> Floats:
    return sums.macro(sums.f1)


def _weighted_f1(sums: Totals) -> Floats:
    return np.asarray((sums.f1 * sums.truth).sum(axis=1) / sums.whole)


def _precision(sums: Totals) -> Floats:
    return sums.macro(sums.precision)


def _recall(sums: Totals) -> Floats:
    return sums.macro(sums.recall)


def _log_loss(scored: Classified, weights: Floats) -> Floats:
    # Clipped as scikit-learn does: one impossible answer must not make the mean infinite.
    tiny = np.finfo(np.float64).eps
    sure = scored.probability[np.arange(scored.rows), scored.truth]
    return mean(-np.log(np.clip(sure, tiny, 1 - tiny)), weights)


def _brier(scored: Classified, weights: Floats) -> Floats:
    """Squared error of the probabilities, summed over classes; of one class when there are two."""
    if len(scored.labels) == 2:
        return mean((scored.probability[:, 1] - (scored.truth == 1)) ** 2, weights)
    # sum (p - y)^2 = sum p^2 - 2 p_truth + 1, which needs no (n, k) table of truths.
    sure = scored.probability[np.arange(scored.rows), scored.truth]
    return mean((scored.probability**2).sum(axis=1) - 2 * sure + 1, weights)


def confidence_bins(
    confidence: Floats, bins: int = ECE_BINS
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The equal-width bin of each (n,) confidence; a bin holds its upper end."""
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def _ece(scored: Classified, weights: Floats) -> Floats:
    """Expected calibration error of the top label, 15 equal bins (Guo et al. 2017)."""
    confidence = scored.probability[np.arange(scored.rows), scored.predicted]
    gap = (scored.truth == scored.predicted) - confidence
    sums = sum_by(confidence_bins(confidence), ECE_BINS, weights * gap)
    return np.asarray(np.abs(sums).sum(axis=1) / weights.sum(axis=1))


def _mcc(sums: Totals) -> Floats:
    """Matthews' correlation for any number of classes (Gorodkin 2004); 0 where undefined."""
    squared = sums.whole**2
    joint = sums.right.sum(axis=1) * sums.whole - (sums.truth * sums.predicted).sum(axis=1)
    spread = (squared - (sums.truth**2).sum(axis=1)) * (squared - (sums.predicted**2).sum(axis=1))
    return divide(joint, np.sqrt(np.maximum(spread, 0)))


def _kappa(sums: Totals) -> Floats:
    """Agreement beyond chance (Cohen 1960)."""
    observed = sums.right.sum(axis=1) / sums.whole
    chance = (sums.truth * sums.predicted).sum(axis=1) / sums.whole**2
    return np.asarray((observed - chance) / (1 - chance))


def is_binary(scored: Classified) -> bool:
    """Whether there are two labels, of which the second is the event."""
    return len(scored.labels) == 2


def _event_precision(sums: Totals) -> Floats:
    return sums.precision[:, 1]


def _event_recall(sums: Totals) -> Floats:
    return sums.recall[:, 1]


def _event_f1(sums: Totals) -> Floats:
    return sums.f1[:, 1]


def _gini(order: Ranking) -> Floats:
    """Twice the area between the ROC curve and the diagonal (accuracy ratio, Somers' D)."""
    return 2 * order.auc - 1


def _has_costs(scored: Classified) -> bool:
    return scored.costs is not None


def _expected_cost(scored: Classified, weights: Floats) -> Floats:
    """What the answers cost a row on average, by the project's cost table."""
    assert scored.costs is not None  # noqa: S101  # the measure needs them
    return mean(scored.costs[scored.truth, scored.predicted], weights)


def _rmse(scored: Valued, weights: Floats) -> Floats:
    return np.sqrt(mean((scored.value - scored.truth) ** 2, weights))


def _mae(scored: Valued, weights: Floats) -> Floats:
    return mean(np.abs(scored.value - scored.truth), weights)


def _mape(scored: Valued, weights: Floats) -> Floats:
    """Over the rows whose truth is not 0: of 0 no error is a share."""
    there = scored.truth != 0
    off = np.abs(scored.value - scored.truth)
    return mean(np.divide(off, np.abs(scored.truth), out=off, where=there), weights * there)


def _r2(scored: Valued, weights: Floats) -> Floats:
    # Centred once: the difference of two large sums would lose the digits that matter.
    centred = scored.truth - scored.truth.mean()
    spread = mean(centred**2, weights) - mean(centred, weights) ** 2
    return 1 - mean((scored.value - scored.truth) ** 2, weights) / np.where(
        spread > 0, spread, np.nan
    )


def has_intervals(scored: Valued) -> bool:
    """Whether answers have intervals of their own."""
    return scored.low is not None and scored.high is not None


def _ends(scored: Valued) -> tuple[Floats, Floats]:
    """The ends of the answers' intervals; NaN where answers have none."""
    if scored.low is None or scored.high is None:
        return np.full(scored.rows, np.nan), np.full(scored.rows, np.nan)
    return scored.low, scored.high


def _coverage(scored: Valued, weights: Floats) -> Floats:
    low, high = _ends(scored)
    inside = ((scored.truth >= low) & (scored.truth <= high)).astype(np.float64)
    return mean(np.where(np.isnan(low), np.nan, inside), weights)


def _interval_width(scored: Valued, weights: Floats) -> Floats:
    low, high = _ends(scored)
    return mean(high - low, weights)


def _pinball(scored: Valued, weights: Floats) -> Floats:
    """Quantile loss of both ends, as the quantiles that they stand for (Koenker, Bassett 1978)."""
    tail = (1 - scored.coverage) / 2
    low, high = _ends(scored)
    under, over = scored.truth - low, scored.truth - high
    lower = np.maximum(tail * under, (tail - 1) * under)
    upper = np.maximum((1 - tail) * over, -tail * over)
    return mean((lower + upper) / 2, weights)


_INFINITE = float("inf")

EXPECTED_COST: Measure[Classified] = Measure(
    "expected_cost", False, _expected_cost, itself, "Expected cost a row", "每行期望成本",
    0.0, _INFINITE, needs=_has_costs,
)  # fmt: skip

CLASSIFICATION: tuple[Measure[Classified], ...] = (
    Measure("accuracy", True, totals, _accuracy, "Accuracy", "准确率"),
    Measure("macro_f1", True, totals, _macro_f1, "Macro F1", "宏平均 F1"),
    Measure("weighted_f1", True, totals, _weighted_f1, "Weighted F1", "加权 F1"),
    Measure("precision", True, totals, _precision, "Precision (macro)", "精确率（宏平均）"),
    Measure("recall", True, totals, _recall, "Recall (macro)", "召回率（宏平均）"),
    Measure("log_loss", False, _log_loss, itself, "Log loss", "对数损失", 0.0, _INFINITE),
    Measure("brier", False, _brier, itself, "Brier score", "Brier 分数", 0.0, 2.0),
    Measure("ece", False, _ece, itself, "Calibration error (ECE)", "校准误差（ECE）"),
    Measure("auc", True, ranking, attrgetter("auc"), "Area under ROC", "ROC 曲线下面积（AUC）"),
    Measure("pr_auc", True, ranking, attrgetter("pr_auc"), "Average precision", "PR 曲线下面积"),
    Measure("ks", True, ranking, attrgetter("ks"), "Kolmogorov–Smirnov", "KS 值"),
    Measure("mcc", True, totals, _mcc, "Matthews correlation", "马修斯相关系数", -1.0),
    Measure("kappa", True, totals, _kappa, "Cohen's kappa", "Cohen κ 系数", -1.0),
    Measure("gini", True, ranking, _gini, "Gini (2 AUC − 1)", "Gini 系数", -1.0, needs=is_binary),
    Measure(
        "event_precision",
        True,
        totals,
        _event_precision,
        "Precision of the event",
        "事件精确率",
        needs=is_binary,
    ),
    Measure(
        "event_recall",
        True,
        totals,
        _event_recall,
        "Recall of the event",
        "事件召回率",
        needs=is_binary,
    ),
    Measure("event_f1", True, totals, _event_f1, "F1 of the event", "事件 F1", needs=is_binary),
    EXPECTED_COST,
)

REGRESSION: tuple[Measure[Valued], ...] = (
    Measure("rmse", False, _rmse, itself, "Root mean squared error", "均方根误差", 0.0, _INFINITE),
    Measure("mae", False, _mae, itself, "Mean absolute error", "平均绝对误差", 0.0, _INFINITE),
    Measure(
        "mape",
        False,
        _mape,
        itself,
        "Mean relative error",
        "平均相对误差",
        0.0,
        _INFINITE,
        undefined=("the truth is 0 in too many rows", "真实值为 0 的行过多"),
    ),
    Measure("r2", True, _r2, itself, "R²", "决定系数 R²", -_INFINITE),
    Measure(
        "coverage",
        True,
        _coverage,
        itself,
        "Truth inside the interval",
        "区间覆盖率",
        needs=has_intervals,
    ),
    Measure(
        "interval_width",
        False,
        _interval_width,
        itself,
        "Mean width of intervals",
        "区间平均宽度",
        0.0,
        _INFINITE,
        has_intervals,
    ),
    Measure(
        "pinball",
        False,
        _pinball,
        itself,
        "Quantile loss of the interval's ends",
        "区间端点的分位数损失",
        0.0,
        _INFINITE,
        has_intervals,
    ),
)

_EVERY: tuple[Measure[Any], ...] = (*CLASSIFICATION, *FAIRNESS, *REGRESSION)
_ALL: dict[str, Measure[Any]] = {measure.name: measure for measure in _EVERY}


def by_name(name: str) -> Measure[Any]:
    """The metric of this short name.

    Raises:
        UsageError: naming the nearest one, when there is none.
    """
    if name in _ALL:
        return _ALL[name]
    near = difflib.get_close_matches(name.lower().replace("-", "_"), _ALL, n=1, cutoff=0.5)
    raise UsageError(
        say(f"There is no metric {name!r}.", f"没有名为 {name!r} 的指标。"),
        say(f"Known: {', '.join(_ALL)}.", f"可用指标：{'、'.join(_ALL)}。"),
        say(f"Did you mean {near[0]}?", f"是否想写 {near[0]}?") if near else "",
    )


def title(name: str) -> str:
    """What a report calls a metric: its title, or the bare name of a metric from elsewhere."""
    return _ALL[name].title if name in _ALL else name


def is_known(name: str) -> bool:
    """Whether `by_name` knows this metric; a task from elsewhere may bring its own."""
    return name in _ALL
