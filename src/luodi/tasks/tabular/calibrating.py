"""Learning how far a model's probabilities can be believed, on rows that it did not learn from.

Which way of calibrating is chosen by cross-validation inside the validation part, with leaving
the probabilities alone among the candidates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import Calibration
from luodi.tasks.classes import softmax
from luodi.tasks.tabular.calibrators import Calibrator, Isotonic, Scaled, Unchanged
from luodi.tasks.tabular.codes import Floats
from luodi.tasks.tabular.newton import descend

FOLDS = 5
_LEAST = 10
"""Independent rows of each label that calibrating takes at least."""
_MANY = 30
"""The same, for anything but a temperature to be tried unasked."""
_REPEATED = 2000
"""Below so many rows the folds are drawn four times: one draw alone would decide by luck."""
_TINY = 1e-12
_FLATTEST, _STEEPEST = 0.02, 50.0


@dataclass(frozen=True)
class Judged:
    """Rows that the model did not learn from.

    Attributes:
        scores: (n, k) the model's own probabilities.
        truth: (n,) places among the labels.
        weight: (n,).
        cluster: (n,) rows of one number stay on one side of every fold.
        refit: whether these are all rows, each judged while it was held out of the model, and not
            a validation part.
    """

    scores: Floats
    truth: NDArray[np.int64]
    weight: Floats
    cluster: NDArray[np.int64]
    refit: bool = False

    @property
    def k(self) -> int:
        """Labels."""
        return int(self.scores.shape[1])

    def take(self, rows: NDArray[np.bool_]) -> Judged:
        """Those of the rows."""
        return replace(
            self, scores=self.scores[rows], truth=self.truth[rows], weight=self.weight[rows],
            cluster=self.cluster[rows],
        )  # fmt: skip


def temperature(rows: Judged) -> Scaled:
    """One scale for all log-probabilities, by likelihood (Guo et al. 2017)."""
    logs = np.log(np.clip(rows.scores, _TINY, 1.0))
    hit = logs[np.arange(len(logs)), rows.truth]

    def step(at: Floats) -> tuple[float, Floats, Floats]:
        chance = softmax(logs * at[0])
        mean = (chance * logs).sum(axis=1)
        spread = (chance * logs**2).sum(axis=1) - mean**2
        slope, curve = rows.weight @ (mean - hit), rows.weight @ spread
        return _log_loss(chance, rows), np.array([slope]), np.array([[curve]])

    scale = float(descend(step, np.ones(1), _kept)[0])
    return Scaled((scale,) * rows.k, (0.0,) * rows.k)


def platt(rows: Judged) -> Scaled:
    """Of two labels a logistic function of the log-odds (Platt 1999), rising; of more labels a
    scale and a shift for each (vector scaling).

    Platt's targets are drawn in a little, as if one more row of each label had been seen: no
    finite part proves a probability of 0 or 1.
    """
    if rows.k > 2:
        return _vector(rows)
    logs = np.log(np.clip(rows.scores, _TINY, 1.0))
    features = np.column_stack([logs[:, 1] - logs[:, 0], np.ones(len(logs))])
    wanted = _targets(rows)

    def step(at: Floats) -> tuple[float, Floats, Floats]:
        sums = features @ at
        chance = 0.5 + 0.5 * np.tanh(sums / 2)
        loss = float(rows.weight @ (np.logaddexp(0, sums) - wanted * sums)) / rows.weight.sum()
        curve = (features * (rows.weight * chance * (1 - chance))[:, None]).T @ features
        return loss, features.T @ (rows.weight * (chance - wanted)), curve

    scale, shift = descend(step, np.array([1.0, 0.0]), _kept).tolist()
    return Scaled((scale, scale), (0.0, shift))


def _kept(at: Floats) -> Floats:
    """The scale, in its bounds."""
    return np.asarray(np.r_[np.clip(at[:1], _FLATTEST, _STEEPEST), at[1:]])


def _vector(rows: Judged) -> Scaled:
    """A scale and a shift a label (Guo et al. 2017), held near no change by a unit prior."""
    from scipy.optimize import minimize

    k = rows.k
    logs = np.log(np.clip(rows.scores, _TINY, 1.0))
    wanted, start = np.eye(k)[rows.truth], np.r_[np.ones(k), np.zeros(k)]

    def loss(at: Floats) -> tuple[float, Floats]:
        chance = softmax(logs * at[:k] + at[k:])
        off = rows.weight[:, None] * (chance - wanted)
        prior = at - start
        total = _log_loss(chance, rows) * rows.weight.sum() + 0.5 * float(prior @ prior)
        return total, np.r_[(off * logs).sum(axis=0), off.sum(axis=0)] + prior

    bounds = [(_FLATTEST, _STEEPEST)] * k + [(-50.0, 50.0)] * k
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Scaled(tuple(found[:k].tolist()), tuple(found[k:].tolist()))


def _targets(rows: Judged) -> Floats:
    """(n,) the event's truths, drawn in as Platt does."""
    events, others = float((rows.truth == 1).sum()), float((rows.truth == 0).sum())
    return np.where(rows.truth == 1, (events + 1) / (events + 2), 1 / (others + 2))


def isotonic(rows: Judged) -> Isotonic:
    """Rising means (Zadrozny and Elkan 2002), joined by straight lines between the middles of
    their groups: a step would make rows equal that the model told apart.

    One event is added below the lowest score and one other row above the highest, so that no
    group is all of one label; beyond the outermost groups the line goes on at half the way to 0
    and 1. Of more than two labels each is calibrated against the rest.
    """
    labels = [1] if rows.k == 2 else range(rows.k)
    curves = [_rising(rows.scores[:, c], rows.truth == c, rows.weight) for c in labels]
    return Isotonic(tuple(x for x, _ in curves), tuple(y for _, y in curves))


def _rising(
    score: Floats, hit: NDArray[np.bool_], weight: Floats
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    mean = float(weight.mean()) or 1.0
    score, hit = np.r_[score.min(), score, score.max()], np.r_[1.0, hit, 0.0]
    weight = np.r_[mean, weight, mean]
    values, place = np.unique(score, return_inverse=True)
    place = np.asarray(place, dtype=np.int64)
    whole = np.bincount(place, weights=weight).astype(np.float64)
    values, place, whole = _weighing(values, place, whole)
    share = np.bincount(place, weights=weight * hit, minlength=len(values)) / whole
    group = _pooled(share, whole)
    weights = np.bincount(group, weights=whole)
    stated = np.bincount(group, weights=whole * values) / weights
    true = np.bincount(group, weights=whole * share) / weights
    stated = np.clip(np.r_[0.0, stated, 1.0], 0.0, 1.0)
    true = np.r_[true[0] / 2, true, (1 + true[-1]) / 2]
    # A group whose middle is 0 or 1 itself takes the end's place.
    keep = np.r_[stated[1] > 0, np.ones(len(stated) - 2, bool), stated[-2] < 1]
    return tuple(stated[keep].tolist()), tuple(true[keep].tolist())


def _pooled(share: Floats, weight: Floats) -> NDArray[np.int64]:
    """(n,) shares in order -> (n,) the group of each in the rising means that fit them best: where
    a mean lies no higher than the one before, the two are pooled (Ayer et al. 1955).
    """
    means: list[float] = []
    weights: list[float] = []
    sizes: list[int] = []
    for one, part in zip(share.tolist(), weight.tolist(), strict=True):
        means.append(one)
        weights.append(part)
        sizes.append(1)
        while len(means) > 1 and means[-2] >= means[-1]:
            mean, heavy, size = means.pop(), weights.pop(), sizes.pop()
            together = weights[-1] + heavy
            means[-1] = (means[-1] * weights[-1] + mean * heavy) / together
            weights[-1], sizes[-1] = together, sizes[-1] + size
    return np.repeat(np.arange(len(sizes)), sizes)


def _weighing(
    values: Floats, place: NDArray[np.int64], whole: Floats
) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Without scores that only rows of no weight have: they say nothing."""
    there = whole > 0
    return values[there], np.maximum(np.cumsum(there) - 1, 0)[place], whole[there]


def unchanged(rows: Judged) -> Unchanged:
    """Nothing to learn."""
    return Unchanged()


METHODS: Mapping[str, Callable[[Judged], Calibrator]] = {
    "none": unchanged,
    "temperature": temperature,
    "platt": platt,
    "isotonic": isotonic,
}


@dataclass(frozen=True)
class Tried:
    """One way of calibrating, judged on folds that it was not learnt from.

    Attributes:
        log_loss, brier: means over the rows.
        gain: how much log loss it saves a row against leaving the scores alone.
        error: the standard error of that gain, over clusters.
        held: (n, k) probabilities of rows while they were held out.
    """

    name: str
    log_loss: float
    brier: float
    gain: float
    error: float
    held: Floats


def calibrate(
    rows: Judged, wanted: Calibration, seed: int = 7
) -> tuple[Calibrator, list[Tried], str]:
    """The calibrator to serve, what was tried, and the name of what is in use.

    `auto` takes the way with the lowest log loss on held-out folds if it saves more than one
    standard error against leaving the scores alone; else nothing is changed. On few rows it tries
    a temperature alone: two numbers or more learnt from them do more harm than good.
    """
    if wanted == "none" or not enough(rows):
        return Unchanged(), [], "none"
    names = list(METHODS) if enough(rows, _MANY) else ["none", "temperature"]
    tried = _try(rows, names if wanted == "auto" else ["none", wanted], seed)
    name: str = wanted
    if wanted == "auto":
        best = min(tried, key=lambda one: one.log_loss)
        name = best.name if best.gain > best.error else "none"
    return METHODS[name](rows), tried, name


def enough(rows: Judged, least: int = _LEAST) -> bool:
    """Whether there are enough independent rows of each label, and scores that differ."""
    if not len(rows.truth) or not (np.ptp(rows.scores, axis=0) > 0).any():
        return False
    return all(
        len(np.unique(rows.cluster[(rows.truth == label) & (rows.weight > 0)])) >= least
        for label in range(min(rows.k, 2))
    )


def _try(rows: Judged, names: list[str], seed: int) -> list[Tried]:
    generator = np.random.default_rng(seed)
    _, cluster = np.unique(rows.cluster, return_inverse=True)
    repeats = 4 if len(rows.truth) < _REPEATED else 1
    held = {name: np.zeros((repeats, *rows.scores.shape)) for name in names}
    for repeat in range(repeats):
        fold = folds_of(rows.truth, cluster, generator)
        for part in range(FOLDS):
            out = fold == part
            if not out.any():
                continue
            kept = rows.take(~out)
            for name in names:
                held[name][repeat, out] = METHODS[name](kept).apply(rows.scores[out])
    losses = {name: np.mean([_losses(p, rows.truth) for p in held[name]], axis=0) for name in names}
    return [_tried(name, held[name].mean(axis=0), losses, rows, cluster) for name in names]


def folds_of(
    truth: NDArray[np.int64], cluster: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """(n,) a fold a row: clusters whole, each label spread evenly as far as they allow."""
    first = np.unique(cluster, return_index=True)[1]
    order = generator.permutation(len(first))
    order = order[np.argsort(truth[first][order], kind="stable")]
    fold = np.empty(len(first), np.int64)
    fold[order] = np.arange(len(first)) % FOLDS
    return fold[cluster]


def _tried(
    name: str, held: Floats, losses: Mapping[str, Floats], rows: Judged,
    cluster: NDArray[np.int64],
) -> Tried:  # fmt: skip
    gain = losses["none"] - losses[name]
    total = rows.weight.sum()
    mean = float(gain @ rows.weight / total)
    # Rows of one cluster are one piece of evidence: their deviations are summed first.
    off = np.bincount(cluster, weights=rows.weight * (gain - mean))
    error = float(np.sqrt((off**2).sum()) / total)
    hit = np.eye(rows.k)[rows.truth]
    brier = ((held - hit) ** 2).sum(axis=1) / (2 if rows.k == 2 else 1)
    return Tried(
        name,
        float(losses[name] @ rows.weight / total),
        float(brier @ rows.weight / total),
        mean,
        error,
        held,
    )


def _losses(chance: Floats, truth: NDArray[np.int64]) -> Floats:
    return np.asarray(-np.log(np.clip(chance[np.arange(len(truth)), truth], _TINY, 1.0)))


def _log_loss(chance: Floats, rows: Judged) -> float:
    return float(_losses(chance, rows.truth) @ rows.weight / rows.weight.sum())
