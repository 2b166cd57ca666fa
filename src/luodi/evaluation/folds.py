"""What k folds say together: their mean, and how far another deal of the rows would move it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from luodi.contracts import Interval, Metric


def over_folds(
    metric: Metric[Any], values: Sequence[float], shares: Sequence[float], level: float = 0.95
) -> Interval:
    """The mean over folds and its interval by the corrected resampled t-test.

    Folds share most of the rows that they learn from, so their scores are no independent draws: the
    variance of their mean is `1/k + held / learnt` times theirs, not 1/k (Nadeau and Bengio,
    "Inference for the Generalization Error", Machine Learning 52, 2003).

    Args:
        values: (k,) the metric on each fold; one where it is undefined says nothing.
        shares: (k,) rows held out over rows learnt from.

    Returns:
        NaN for the ends where fewer than two folds say something.
    """
    from scipy.stats import t

    known = [(value, share) for value, share in zip(values, shares, strict=True)
             if math.isfinite(value)]  # fmt: skip
    if not known:
        return Interval(math.nan, math.nan, math.nan, level)
    scores = np.array([value for value, _ in known])
    mean, folds = float(scores.mean()), len(scores)
    if folds < 2:
        return Interval(mean, math.nan, math.nan, level)
    wider = 1 / folds + float(np.mean([share for _, share in known]))
    reach = float(t.ppf((1 + level) / 2, folds - 1) * scores.std(ddof=1) * math.sqrt(wider))
    lowest = float(getattr(metric, "lowest", -math.inf))
    highest = float(getattr(metric, "highest", math.inf))
    return Interval(mean, max(mean - reach, lowest), min(mean + reach, highest), level)
