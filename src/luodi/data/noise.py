"""Labels that are probably wrong: confident learning on predictions made out of fold.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR
70 (2021). A row counts for the class j that it was given when some other class reaches, for this
row, the mean probability that the rows of that class have for it: then it is confidently another.

How many labels are wrong is asked of each class's surest fifth alone: a model that is right in
85 % of the rows errs by itself, and the paper's count takes half of those errors for noise. Where
it is sure it errs little, so what disagrees with it there is the labels' fault.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from luodi.contracts import Dataset, Progress, Quiet, SplitSettings
from luodi.data.folds import k_folds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SUREST, _SUREST_ROWS = 0.2, 20
LEAST = 5
"""Rows that a class needs so that something can be said of its labels."""

Predict = Callable[["NDArray[np.int64]", "NDArray[np.int64]"], "NDArray[np.float64]"]
"""(rows to learn from, rows held out) -> (held out, classes) probabilities."""


@dataclass(frozen=True)
class LabelNoise:
    """How many labels are probably wrong, and which.

    Attributes:
        share: of the rows, estimated from what the model is surest of.
        joint: (k, k) the estimated shares of rows by given label (down) and true one (across),
            likewise.
        counted: the share by the paper's own thresholds.
        rows: (m,) places of the suspicious rows, the likeliest first.
        suggested: (m,) the class that each of them probably is.
        confidence: (m,) the suggested class's probability less the given one's, from -1 to 1.
    """

    share: float
    joint: NDArray[np.float64]
    counted: float
    rows: NDArray[np.int64]
    suggested: NDArray[np.int64]
    confidence: NDArray[np.float64]


def out_of_fold(
    data: Dataset,
    label: str,
    predict: Predict,
    folds: int = 5,
    settings: SplitSettings = SplitSettings(),  # noqa: B008
    progress: Progress = Quiet(),  # noqa: B008
) -> NDArray[np.float64]:
    """(n, k) each row's probabilities by a model that saw neither it nor a near-copy of it.

    Args:
        data: with its column of copies.
        label: the column that folds are stratified by.
        predict: learns from some rows and answers others.
        folds: how many models are made.
        settings: seed and group; a time column is not followed, for nothing is forecast.
        progress: told of each fold.

    Raises:
        DataError: when there are fewer units of rows than folds.
    """
    import numpy as np

    plain = SplitSettings(seed=settings.seed, group=settings.group)
    found: NDArray[np.float64] | None = None
    dealt = k_folds(data, folds, plain, label)
    for done, fold in enumerate(dealt):
        progress.step(done, len(dealt))
        answers = predict(fold.train, fold.held)
        if found is None:
            found = np.zeros((data.rows, answers.shape[1]))
        found[fold.held] = answers
    progress.step(len(dealt), len(dealt))
    assert found is not None  # noqa: S101  # there are two folds at least
    return found


def second_round(  # noqa: PLR0913  # the first round's, and what it told
    data: Dataset,
    label: str,
    predict: Predict,
    first: NDArray[np.float64],
    doubtful: NDArray[np.int64],
    *,
    folds: int = 5,
    settings: SplitSettings = SplitSettings(),  # noqa: B008
    progress: Progress = Quiet(),  # noqa: B008
) -> NDArray[np.float64]:
    """(n, k) the mean of the first probabilities and those of models that learnt from no doubt.

    A model that learnt from wrong labels half believes them. Here the suspicious rows of the first
    round are answered like all others, but nothing learns from them. The second round alone would
    agree with the first's mistakes; the mean of both ranks better than either.

    Args:
        first: from `out_of_fold`; all else as there.
        doubtful: (m,) `confident_learning(first, ...).rows`, the likeliest first; of each label at
            most half of its rows are left out.
    """
    import numpy as np

    codes = data.table.get_column(label).rank("dense").fill_null(0).to_numpy().astype(np.int64)
    left = np.bincount(codes) // 2
    out = np.zeros(data.rows, np.bool_)
    for row in doubtful.tolist():
        out[row] = left[codes[row]] > 0
        left[codes[row]] -= 1

    def without(train: NDArray[np.int64], held: NDArray[np.int64]) -> NDArray[np.float64]:
        return predict(train[~out[train]], held)

    again = out_of_fold(data, label, without, folds, settings, progress)
    both: NDArray[np.float64] = (first + again) / 2
    return both


def confident_learning(
    probability: NDArray[np.float64],
    given: NDArray[np.int64],
    decided: NDArray[np.bool_] | None = None,
) -> LabelNoise:
    """The labels that contradict what was learnt from all others.

    Args:
        probability: (n, k) out of fold.
        given: (n,) each row's label, -1 where it has none.
        decided: (n,) rows whose label a person has looked at: they are right as they stand.
    """
    import numpy as np

    n, k = probability.shape
    sure = np.zeros(n, np.bool_) if decided is None else decided
    counts = np.bincount(given[given >= 0], minlength=k)
    judged = (given >= 0) & (counts[np.maximum(given, 0)] >= LEAST)
    threshold = _thresholds(probability, given, counts)
    reached = probability >= threshold
    best = np.where(reached, probability, -1.0).argmax(axis=1)
    counted = judged & reached.any(axis=1)
    paper = _joint(given[counted], best[counted], counts, sure[counted])
    joint = _surest_joint(probability, np.where(judged, given, -1), counts, sure)
    rows = np.arange(n)
    margin = probability[rows, best] - probability[rows, np.maximum(given, 0)]
    doubtful = np.flatnonzero(counted & (best != given) & ~sure & (margin > 0))
    # Pruned by noise rate: of each pair of classes as many as the joint tells, likeliest first.
    wanted = np.rint(joint * n).astype(np.int64)
    kept = []
    order = doubtful[np.argsort(-margin[doubtful], kind="stable")]
    pair = given[order] * k + best[order]
    for number in np.unique(pair):
        some = order[pair == number]
        kept.append(some[: wanted[number // k, number % k]])
    suspicious = np.concatenate([np.zeros(0, np.int64), *kept])
    suspicious = suspicious[np.argsort(-margin[suspicious], kind="stable")]
    share, by_paper = (float(found.sum() - np.trace(found)) for found in (joint, paper))
    return LabelNoise(share, joint, by_paper, suspicious, best[suspicious], margin[suspicious])


def _surest_joint(
    probability: NDArray[np.float64],
    given: NDArray[np.int64],
    counts: NDArray[np.int64],
    sure: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """The joint by thresholds that a fifth of each class's rows reach, and twenty at least."""
    import numpy as np

    k = probability.shape[1]
    limits = np.full(k, np.inf)
    for label in np.flatnonzero(counts >= LEAST).tolist():
        own = probability[given == label, label]
        if len(own):
            part = max(SUREST, min(0.5, _SUREST_ROWS / len(own)))
            limits[label] = max(float(np.quantile(own, 1 - part)), 1 / k)
    reached = probability >= limits
    best = np.where(reached, probability, -1.0).argmax(axis=1)
    counted = (given >= 0) & reached.any(axis=1)
    return _joint(given[counted], best[counted], counts, sure[counted])


def _thresholds(
    probability: NDArray[np.float64], given: NDArray[np.int64], counts: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(k,) the mean probability of each class among the rows that carry it; rare ones unreachable.

    A threshold under even chance would make every row confident: it is raised to that.
    """
    import numpy as np

    k = probability.shape[1]
    own = np.bincount(
        given[given >= 0],
        weights=probability[np.flatnonzero(given >= 0), given[given >= 0]],
        minlength=k,
    )
    mean = np.maximum(own / np.maximum(counts, 1), 1 / k)
    limits: NDArray[np.float64] = np.where(counts >= LEAST, mean, np.inf)
    return limits


def _joint(
    given: NDArray[np.int64],
    best: NDArray[np.int64],
    counts: NDArray[np.int64],
    sure: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(k, k) the confident counts, each row of them scaled to how often its label is given."""
    import numpy as np

    k = len(counts)
    best = np.where(sure, given, best)
    table = np.bincount(given * k + best, minlength=k * k).reshape(k, k).astype(np.float64)
    whole = table.sum(axis=1, keepdims=True)
    # A label that no row carries confidently is taken as it was given.
    table = np.where(whole > 0, table / np.maximum(whole, 1) * counts[:, None], np.diag(counts))
    joint: NDArray[np.float64] = table / max(counts.sum(), 1)
    return joint
