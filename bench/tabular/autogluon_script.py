"""Run by the peers' interpreter: AutoGluon's tabular predictor. Imports nothing of Luodi.

autogluon_script.py fit MODEL TRAIN.csv LABEL SECONDS CORES
autogluon_script.py serve MODEL TEST.csv LABEL POSITIVE persist|load
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

ONE_BY_ONE = 60


def fit(model: str, train: str, label: str, seconds: str, cores: str) -> dict[str, object]:
    """Learn as its documentation says: medium quality, judged by AUC, within the budget."""
    import autogluon.tabular as ag

    rows = ag.TabularDataset(train)
    start = time.perf_counter()
    predictor = ag.TabularPredictor(label, path=model, eval_metric="roc_auc", verbosity=0)
    predictor.fit(
        rows, presets="medium_quality", time_limit=float(seconds), num_cpus=int(cores), num_gpus=0
    )
    took = time.perf_counter() - start
    board = predictor.leaderboard()
    return {
        "fit_seconds": took,
        "models": board["model"].tolist(),
        "best": predictor.model_best,
        "version": ag.__version__,
    }


def serve(model: str, test: str, label: str, positive: str, how: str) -> dict[str, object]:
    """Answers on all test rows, and the pace of single ones."""
    import autogluon.tabular as ag

    start = time.perf_counter()
    predictor = ag.TabularPredictor.load(model)
    if how == "persist":
        predictor.persist()
    loaded = time.perf_counter() - start
    rows = ag.TabularDataset(test).drop(columns=[label])
    few = [rows.iloc[[n]] for n in range(min(ONE_BY_ONE, len(rows)))]
    for row in few[:3]:
        predictor.predict_proba(row)
    seconds = []
    for row in few:
        start = time.perf_counter()
        predictor.predict_proba(row)
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    status = Path("/proc/self/status").read_text("utf-8")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    found = predictor.predict_proba(rows)
    names = {str(name): name for name in found.columns}
    return {
        "load_seconds": loaded,
        "one_row": {
            "median_ms": seconds[len(seconds) // 2] * 1000,
            "p99_ms": seconds[min(int(len(seconds) * 0.99), len(seconds) - 1)] * 1000,
        },
        "peak_mib": int(peak.split()[1]) / 1024,
        "scores": [float(value) for value in found[names[positive]]],
    }


if __name__ == "__main__":
    print("RESULT " + json.dumps({"fit": fit, "serve": serve}[sys.argv[1]](*sys.argv[2:])))
