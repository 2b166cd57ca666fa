"""A stranger's task, in plain Python: the weight of a text's words decides good or bad.

A text that holds the word `slow` takes 50 ms, `boom` makes the predictor fail.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path


class TinyPredictor:
    def __init__(self, weights):
        self.weights = weights
        self.batches = []

    @classmethod
    def load(cls, folder: Path, threads: int):
        return cls(json.loads((folder / "weights.json").read_text(encoding="utf-8")))

    def predict(self, requests):
        self.batches.append(len(requests))
        return [self._answer(request["text"]) for request in requests]

    def cost(self, request):
        return 1 + len(request["text"])

    def _answer(self, text):
        words = text.split()
        if "boom" in words:
            raise ValueError("boom was asked for")
        if "slow" in words:
            time.sleep(0.05)
        good = 1 / (1 + math.exp(-sum(self.weights.get(word, 0.0) for word in words)))
        label = "good" if good >= 0.5 else "bad"
        return {"label": label, "probabilities": {"bad": 1 - good, "good": good}}


class TinyLearner:
    name = "words"
    version = 1
    space: dict[str, object] = {}
    predictor = TinyPredictor


class TinyTask:
    name = "tiny"
    learners = {"words": TinyLearner()}
    baselines = ()
    auto = ()
    roles: dict[str, object] = {}
    metrics = ()


task = TinyTask()
