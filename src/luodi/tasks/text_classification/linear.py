"""The linear baseline: weighted n-grams and logistic loss. Hard to beat on few rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    Request,
    Role,
    SearchSpace,
)
from luodi.tasks.text_classification.answers import class_answers, softmax
from luodi.tasks.text_classification.ngrams import hashed_ngrams

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from luodi.contracts import Dataset

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

    The weight is the inverse document frequency times the absolute log-count ratio of the class
    against the rest, the largest over the classes (Wang and Manning 2012, "Baselines and
    Bigrams"; their two classes taken to many).
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
    ratio = np.abs(np.log(own / other)).max(axis=0)
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
    version = 1
    predictor: type[Predictor] = LinearPredictor
    space: SearchSpace = {
        "longest": Range(1, 6, default=4, whole=True),
        "words": Choice((True, False)),
        "min_texts": Range(1, 10, default=2, whole=True),
        "strengths": Choice(((1.0, 4.0, 16.0),)),
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
        best: tuple[float, LinearFitted] | None = None
        history: list[Mapping[str, float]] = []
        strengths = [float(value) for value in options["strengths"]]
        for index, strength in enumerate(strengths):
            progress.step(index, len(strengths), f"C = {strength:g}")
            weights, bias = _logistic(vocabulary, texts, truth, labels, strength, settings.seed)
            chance = LinearPredictor(vocabulary, weights, bias, labels).probabilities(valid_texts)
            hit = chance[np.arange(len(valid_truth)), valid_truth]
            loss = float(-np.log(np.maximum(hit, 1e-15)).mean()) if len(hit) else strength
            right = float((chance.argmax(axis=1) == valid_truth).mean()) if len(hit) else 0.0
            history.append({"strength": strength, "valid_log_loss": loss, "valid_accuracy": right})
            if best is None or loss < best[0]:
                best = loss, LinearFitted(vocabulary, weights, bias, labels, history)
        progress.step(len(strengths), len(strengths))
        assert best is not None  # noqa: S101  # strengths is never empty
        return best[1]


def texts_and_truth(data: Dataset, labels: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """The rows' texts and the place of their label among `labels`."""
    place = {label: index for index, label in enumerate(labels)}
    texts = [text or "" for text in data.table[data.column(Role.TEXT)].to_list()]
    names = data.table[data.column(Role.LABEL)].to_list()
    return texts, np.array([place[name] for name in names], dtype=np.int64)


def _logistic(
    vocabulary: Vocabulary,
    texts: Sequence[str],
    truth: NDArray[np.int64],
    labels: Sequence[str],
    strength: float,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    row, column, value = vocabulary.features(texts)
    shape = (len(texts), len(vocabulary.hashes))
    matrix = csr_matrix((value.astype(np.float64), (row, column)), shape=shape)
    model = LogisticRegression(C=strength, max_iter=300, tol=1e-3, random_state=seed)
    model.fit(matrix, truth)
    if len(model.classes_) == len(labels):
        return model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32)
    # A class with no training row cannot win, yet keeps its place among the labels.
    weights = np.zeros((shape[1], len(labels)), np.float32)
    bias = np.full(len(labels), -20.0, np.float32)
    if len(model.classes_) == 2:
        weights[:, model.classes_[1]] = model.coef_[0]
        bias[model.classes_] = 0.0, model.intercept_[0]
    else:
        weights[:, model.classes_] = model.coef_.T
        bias[model.classes_] = model.intercept_
    return weights, bias
