"""What serves a text classifier that was trained elsewhere: an encoder, or a graph of words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

import numpy as np

from luodi.contracts import Answer, Reason, Request
from luodi.tasks.classes import class_answers
from luodi.tasks.given import GivenSession
from luodi.tasks.text_classification.reasons import explain_texts
from luodi.tasks.text_classification.transformer_predictor import MODEL, TransformerPredictor

WORDS = "words.json"


class GivenPredictor:
    """Reads what the learner exported."""

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """A `WordsPredictor` or a `TransformerPredictor`."""
        kind: Any = WordsPredictor if (folder / WORDS).is_file() else TransformerPredictor
        return cast(Self, kind.load(folder, threads))


class WordsPredictor:
    """A graph that takes texts as they are: a scikit-learn pipeline with its vectoriser, say."""

    def __init__(self, session: GivenSession, head: dict[str, Any]) -> None:
        self._session = session
        self._input, self._flat = str(head["input"]), bool(head["flat"])
        self._order, self._labels = list(head["order"]), tuple(head["labels"])

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read model.onnx and words.json."""
        head = json.loads((folder / WORDS).read_text("utf-8"))
        return cls(GivenSession(folder / MODEL, threads), head)

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        """Label and probabilities a request."""
        if not requests:
            return []
        found = self.chances([request["text"] for request in requests])
        if found.shape[1] == 1:
            found = np.column_stack([1 - found[:, 0], found[:, 0]])
        return class_answers(found[:, self._order], self._labels)

    def chances(self, texts: Sequence[str]) -> Any:
        """(n, k) in the graph's own order."""
        words = np.array(texts, dtype=object)
        raw = self._session.run({self._input: words if self._flat else words[:, None]})
        return np.asarray(raw, dtype=np.float64).reshape(len(texts), -1)

    def explain(self, requests: Sequence[Request], most: int = 5) -> list[list[Reason]]:
        """The words and characters that carried each answer: see `reasons.py`."""
        return explain_texts(self, requests, most)

    def cost(self, request: Request) -> int:
        """A token is four characters or so."""
        return 1 + len(request["text"]) // 4
