"""The linear baseline: weighted n-grams and logistic loss. Hard to beat on few rows."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from luodi.contracts import (
    Answer,
    Choice,
    Estimate,
    Finding,
    FitSettings,
    JsonValue,
    Predictor,
    Progress,
    Range,
    Reason,
    Request,
    Role,
    SearchSpace,
    TrainingError,
    say,
)
from luodi.tasks.classes import class_answers, softmax
from luodi.tasks.parts import together
from luodi.tasks.text_classification.ngrams import hashed_ngrams
from luodi.tasks.text_classification.reasons import explain_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from luodi.contracts import Dataset

_MANY = 10
"""Classes from which on each has few rows."""
_TOLERANCE = 1e-2
"""When SAGA stops: the largest change of a weight in a pass, as a share of the largest weight. Ten
times less takes 2.6 to 2.8 times as long, and is no better on rows held out: see decision 3."""
_MOST_NUMBERS = 40_000_000
"""Weights kept at the most (features x classes, 4 bytes each): 160 MB."""


@dataclass(frozen=True)
class Vocabulary:
    """Which n-grams count, and for how much.

    Attributes:
        hashes: (f,) ascending.
        scale: (f,) what a feature's damped count is multiplied with.
        longest, words: as in `hashed_ngrams`.
    """

    hashes: NDArray[np.uint32]
    scale: NDArray[np.float32]
    longest: int
    words: bool

    def features(
        self, texts: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """(m,) rows ascending, (m,) columns, (m,) values; each row's values have length 1."""
        row, hashed, count = counted(texts, self.longest, self.words)
        column = np.searchsorted(self.hashes, hashed)
        column[column == len(self.hashes)] = 0
        known = self.hashes[column] == hashed if len(self.hashes) else np.zeros(len(row), bool)
        row, column = row[known], column[known]
        value = (1 + np.log(count[known])) * self.scale[column]
        length = np.sqrt(np.bincount(row, weights=value**2, minlength=len(texts)))
        value = value / np.maximum(length, 1e-12)[row]
        return row, column, value.astype(np.float32)


def counted(
    texts: Sequence[str], longest: int, words: bool
) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.int64]]:
    """Each text's distinct n-grams with their counts: rows ascending, hashes, counts."""
    row, hashed = hashed_ngrams(texts, longest, words)
    key, count = np.unique((row.astype(np.uint64) << np.uint64(32)) | hashed, return_counts=True)
    return (key >> np.uint64(32)).astype(np.int64), key.astype(np.uint32), count


def learn_vocabulary(
    texts: Sequence[str], truth: NDArray[np.int64], classes: int, options: Mapping[str, JsonValue]
) -> Vocabulary:
    """The n-grams of at least two texts, weighted by rarity and by how they set classes apart.

    The weight is the inverse document frequency times the root of the absolute log-count ratio of
    the class against the rest, the largest over the classes (Wang and Manning 2012, "Baselines and
    Bigrams"; their two classes taken to many, and the ratio damped: on reviews the root was the
    better of the two by 0.003 in fourfold cross-validation).
    """
    longest, words = int(options["longest"]), bool(options["words"])
    row, hashed, _ = counted(texts, longest, words)
    hashes, place, total = np.unique(hashed, return_inverse=True, return_counts=True)
    least = min(int(options["min_texts"]), max(1, len(texts) // 50))
    most = _MOST_NUMBERS // classes
    if np.count_nonzero(total >= least) > most:
        least = max(least, int(np.sort(total)[-most]) + 1)
    by_class = np.stack(
        [np.bincount(place[truth[row] == c], minlength=len(hashes)) for c in range(classes)]
    )
    kept = total >= least
    hashes, total, by_class = hashes[kept], total[kept], by_class[:, kept]
    rarity = np.log((1 + len(texts)) / (1 + total)) + 1
    own = (1 + by_class) / (1 + by_class).sum(axis=1, keepdims=True)
    rest = 1 + total - by_class
    other = rest / rest.sum(axis=1, keepdims=True)
    ratio = np.sqrt(np.abs(np.log(own / other)).max(axis=0))
    return Vocabulary(hashes, (rarity * ratio).astype(np.float32), longest, words)


class LinearPredictor:
    """Reads the arrays; NumPy alone."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        weights: NDArray[np.float32],
        bias: NDArray[np.float32],
        labels: Sequence[str],
    ) -> None:
        self.vocabulary, self.weights, self.bias = vocabulary, weights, bias
        self.labels = tuple(labels)

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what `LinearFitted.export` wrote; one thread is all it uses."""
        head = json.loads((folder / "linear.json").read_text("utf-8"))

        def array(name: str) -> NDArray[Any]:
            stored: NDArray[Any] = np.load(folder / f"{name}.npy", allow_pickle=False)
            return stored

        vocabulary = Vocabulary(array("hashes"), array("scale"), head["longest"], head["words"])
        return cls(vocabulary, array("weights"), array("bias"), head["labels"])

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request."""
        return class_answers(self.probabilities([r["text"] for r in requests]), self.labels)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """(n texts, k classes)."""
        row, column, value = self.vocabulary.features(texts)
        scores = np.tile(self.bias.astype(np.float64), (len(texts), 1))
        if len(row):
            first = np.flatnonzero(np.diff(row, prepend=-1))
            share = self.weights[column].astype(np.float64) * value[:, None]
            scores[row[first]] += np.add.reduceat(share, first, axis=0)
        if scores.shape[1] == 1:  # two classes share one column of weights
            scores = np.hstack([np.zeros_like(scores), scores])
        return softmax(scores)

    def explain(self, requests: Sequence[Request], most: int = 5) -> list[list[Reason]]:
        """The words and characters that carried each answer: see `reasons.py`."""
        return explain_texts(self, requests, most)

    def cost(self, request: Request) -> int:
        """Characters, near enough."""
        return len(request["text"]) + 1


@dataclass(frozen=True)
class LinearFitted:
    """Vocabulary, weights (f, k or 1), bias (k or 1)."""

    vocabulary: Vocabulary
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    labels: tuple[str, ...]
    strength: float
    history: Sequence[Mapping[str, float]]
    findings: Sequence[Finding] = ()

    @property
    def licences(self) -> Mapping[str, str]:
        """Nobody else's work is inside."""
        return {}

    def export(self, folder: Path) -> None:
        """A JSON head and four plain arrays."""
        folder.mkdir(parents=True, exist_ok=True)
        head = {
            "labels": self.labels,
            "longest": self.vocabulary.longest,
            "words": self.vocabulary.words,
            "strength": self.strength,
        }
        (folder / "linear.json").write_text(json.dumps(head, ensure_ascii=False), "utf-8")
        for name, array in (
            ("hashes", self.vocabulary.hashes),
            ("scale", self.vocabulary.scale),
            ("weights", self.weights),
            ("bias", self.bias),
        ):
            np.save(folder / f"{name}.npy", array, allow_pickle=False)


class LinearLearner:
    """Fits in seconds; its strength of regularisation is chosen on the validation part."""

    name = "linear"
    version = 5
    refit_rows = 0  # beside a model that is not learnt once more, it must not be either
    refit_fits = 2.0
    predictor: type[Predictor] = LinearPredictor
    space: SearchSpace = {
        "longest": Range(1, 6, default=4, whole=True),
        "words": Choice((True, False)),
        "min_texts": Range(1, 10, default=2, whole=True),
        "strengths": Choice((None,), listed="numbers"),
    }

    def estimate(self, data: Dataset, settings: FitSettings) -> Estimate:
        """From a few hundred texts: n-grams a text times what a one costs."""
        texts = data.table[data.column(Role.TEXT)].head(200).to_list()
        row, _ = hashed_ngrams([text or "" for text in texts], 4, True)
        pieces = len(row) / max(len(texts), 1) * data.rows
        classes = len(settings.schema.answer_field("label").categories)
        columns = 1 if classes == 2 else classes
        return Estimate(seconds=1 + pieces * (1e-6 + 4e-7 * columns), bytes=int(2e8 + pieces * 60))

    def fit(
        self, train: Dataset, valid: Dataset, settings: FitSettings, progress: Progress
    ) -> LinearFitted:
        """Weights for each strength, the best kept by log loss on the validation part."""
        labels = settings.schema.answer_field("label").categories
        options = settings.chosen(self.space)
        texts, truth = texts_and_truth(train, labels)
        vocabulary = learn_vocabulary(texts, truth, len(labels), options)
        valid_texts, valid_truth = texts_and_truth(valid, labels)
        best: LinearFitted | None = None
        history: list[Mapping[str, float]] = []
        # Many classes have few rows each, and want weaker shrinkage.
        usual = (2.0, 8.0, 32.0) if len(labels) < _MANY else (4.0, 16.0, 64.0)
        strengths = [float(value) for value in options["strengths"] or usual]
        path = _path(vocabulary, (texts, truth), len(labels), strengths, settings.seed)
        for strength, (weights, bias) in zip(strengths, path, strict=True):
            progress.step(len(history), len(strengths), f"C = {strength:g}")
            predictor = LinearPredictor(vocabulary, weights, bias, labels)
            loss, right = _judged(predictor, valid_texts, valid_truth)
            worse = bool(history) and loss >= min(record["valid_log_loss"] for record in history)
            history.append({"strength": strength, "valid_log_loss": loss, "valid_accuracy": right})
            if worse:  # from here on it only learns the training part by heart
                break
            best = LinearFitted(vocabulary, weights, bias, labels, strength, history)
        progress.step(len(strengths), len(strengths))
        if best is None:
            raise TrainingError(say("No strength was given to try.", "没有可尝试的正则强度。"))
        return best

    def refits(self, train: Dataset, valid: Dataset, settings: FitSettings) -> bool:
        """Where rows were held back."""
        return valid.rows > 0

    def refit(
        self,
        train: Dataset,
        valid: Dataset,
        settings: FitSettings,
        progress: Progress,
        chosen: Path,
    ) -> LinearFitted:
        """Both parts, at the strength that did best."""
        head = json.loads((chosen / "linear.json").read_text("utf-8"))
        options = settings.chosen(self.space) | {"strengths": [head["strength"]]}
        none = valid.take(np.arange(0))
        settings = replace(settings, options=options)
        fitted = self.fit(together(train, valid), none, settings, progress)
        return replace(fitted, history=())  # nothing was left to judge it by


def texts_and_truth(data: Dataset, labels: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The rows' texts and the place of their label among `labels`."""
    place = {label: index for index, label in enumerate(labels)}
    texts = [text or "" for text in data.table[data.column(Role.TEXT)].to_list()]
    names = data.table[data.column(Role.LABEL)].to_list()
    return texts, np.array([place[name] for name in names], dtype=np.int64)


def _judged(
    predictor: LinearPredictor, texts: Sequence[str], truth: NDArray[np.int64]
) -> tuple[float, float]:
    """Log loss and accuracy; without rows to judge by, the first strength is as good as any."""
    if not len(truth):
        return 0.0, 0.0
    chance = predictor.probabilities(texts)
    hit = chance[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(hit, 1e-15)).mean()), float(
        (chance.argmax(axis=1) == truth).mean()
    )


def _path(
    vocabulary: Vocabulary,
    rows: tuple[Sequence[str], NDArray[np.int64]],
    classes: int,
    strengths: Sequence[float],
    seed: int,
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Weights and bias for each strength (C), the weakest first, each going on from the last.

    SAGA (Defazio et al. 2014): on rows this sparse it converges in a few dozen passes where
    quasi-Newton steps stop short.
    """
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    texts, truth = rows
    row, column, value = vocabulary.features(texts)
    shape = (len(texts), len(vocabulary.hashes))
    matrix = csr_matrix((value, (row, column)), shape=shape)  # float32: a fifth quicker, as good
    model = LogisticRegression(
        solver="saga", tol=_TOLERANCE, max_iter=300, warm_start=True, random_state=seed
    )
    for strength in strengths:
        model.set_params(C=strength)
        with warnings.catch_warnings():
            # Not quite converged after 300 passes is good enough for a baseline.
            warnings.simplefilter("ignore")
            model.fit(matrix, truth)
        yield _placed(model.coef_, model.intercept_, model.classes_, classes)


def _placed(
    weights: NDArray[np.float64],
    bias: NDArray[np.float64],
    present: NDArray[np.int64],
    classes: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(f, k or 1) and (k or 1). A class with no training row cannot win, yet keeps its place."""
    if len(present) == classes:
        return weights.T.astype(np.float32), bias.astype(np.float32)
    if len(present) == 2:
        weights, bias = np.vstack([np.zeros_like(weights), weights]), np.append(0.0, bias)
    placed = np.zeros((weights.shape[1], classes), np.float32)
    placed[:, present] = weights.T
    placed_bias = np.full(classes, -20.0, np.float32)
    placed_bias[present] = bias
    return placed, placed_bias
