"""Trees of LightGBM behind BentoML, as its documents show it: arrays in, arrays out."""

import os
from pathlib import Path

import bentoml
import lightgbm
import numpy as np

BATCH, WORKERS = int(os.environ["BENCH_BATCH"]), int(os.environ["BENCH_WORKERS"])


@bentoml.service(workers=WORKERS, traffic={"timeout": 60})
class Answer:
    def __init__(self) -> None:
        model = Path(os.environ["BENCH_MODEL"]) / "model.txt"
        self.trees = lightgbm.Booster(model_file=str(model), params={"num_threads": 1})

    if BATCH > 1:

        @bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=200)
        def predict(self, rows: np.ndarray) -> np.ndarray:
            return self.trees.predict(rows, num_threads=1)

    else:

        @bentoml.api
        def predict(self, rows: np.ndarray) -> np.ndarray:
            return self.trees.predict(rows, num_threads=1)
