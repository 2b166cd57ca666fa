"""BentoML with its adaptive batching, as its documents show it."""

import os

import bentoml
from shared import Classifier

BATCH = int(os.environ["BENCH_BATCH"])


@bentoml.service(traffic={"timeout": 60})
class Classify:
    def __init__(self) -> None:
        self.model = Classifier()

    if BATCH > 1:

        @bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=200)
        def predict(self, texts: list[str]) -> list[dict]:
            return self.model(texts)

    else:

        @bentoml.api
        def predict(self, texts: list[str]) -> list[dict]:
            return self.model(texts)
