"""python -m bench.calibration TABLE ...: every way of calibrating, judged on fresh rows.

TABLE is a CSV with a label column `Class`, `Status` or `default.payment.next.month`, whose event
is `bad` or 1; `bench.scorecard` leaves two of them in the cache. Prints log losses and costs, the
figures of decision 0008.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from luodi.tasks.tabular.calibrating import METHODS, Judged, calibrate, enough
from luodi.tasks.tabular.threshold import choose

LABELS = ("Class", "Status", "default.payment.next.month")
COSTS = (800.0, 5000.0)
SIZES = (100, 400, 1500)
SEEDS = 4


def rows_of(path: Path) -> tuple[Any, Any]:
    """Numbers (n, f), categories as ones and zeros, and which rows are events."""
    table = pl.read_csv(path, null_values="NA", infer_schema_length=None)
    label = next(name for name in LABELS if name in table.columns)
    event = table[label].cast(pl.String).is_in(["bad", "1"]).to_numpy().astype(np.int64)
    features = table.drop(label)
    words = [name for name in features.columns if features[name].dtype == pl.String]
    return features.to_dummies(words).fill_null(0).to_numpy().astype(float), event


def models() -> dict[str, Any]:
    """Two that are about right by themselves, and two that are far too sure."""
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
        "forest": RandomForestClassifier(100, n_jobs=2, random_state=0),
        "boosting": HistGradientBoostingClassifier(max_iter=300, random_state=0),
        "bayes": GaussianNB(),
    }


def cost(chance: Any, truth: Any, threshold: float) -> float:
    """What a row costs."""
    alarm, missed = COSTS
    named = chance >= threshold
    return float(np.where(truth == 1, ~named * missed, named * alarm).mean())


def judge(scores: Any, truth: Any, fresh: Any, fresh_truth: Any) -> dict[str, float] | None:
    """The figures of one model: calibrated on some rows, judged on others."""
    count = len(truth)
    rows = Judged(scores, truth, np.ones(count), np.arange(count))
    if not enough(rows):
        return None
    found = {name: learn(rows).apply(fresh) for name, learn in METHODS.items()}
    calibrator, tried, name = calibrate(rows, "auto")
    found["ours"] = calibrator.apply(fresh)
    place = np.arange(len(fresh_truth))
    told = {
        key: float(-np.log(np.clip(chance[place, fresh_truth], 1e-12, 1)).mean())
        for key, chance in found.items()
    }
    held = next(one.held for one in tried if one.name == name)
    threshold = choose(held[:, 1], truth, np.ones(count), np.arange(count), COSTS)
    event = found["ours"][:, 1]
    told["cost at 0.5"] = cost(fresh[:, 1], fresh_truth, 0.5)
    told["cost by costs, raw"] = cost(fresh[:, 1], fresh_truth, threshold.by_costs)
    told["cost by costs"] = cost(event, fresh_truth, threshold.by_costs)
    told["cost, cheapest"] = cost(event, fresh_truth, threshold.cheapest)
    told["cost, ours"] = cost(event, fresh_truth, threshold.value)
    return told


def main() -> None:
    """Every table, model and size; means over the seeds."""
    warnings.simplefilter("ignore")
    for path in map(Path, sys.argv[1:]):
        features, event = rows_of(path)
        found: dict[tuple[str, int], list[dict[str, float]]] = {}
        for seed in range(SEEDS):
            order = np.random.default_rng(seed).permutation(len(event))
            learn, rest = np.split(order, [min(3000, 2 * len(event) // 5)])
            held, fresh = np.array_split(rest, 2)
            for name, model in models().items():
                model.fit(features[learn], event[learn])
                scores, others = (model.predict_proba(features[part]) for part in (held, fresh))
                for size in SIZES:
                    told = judge(scores[:size], event[held][:size], others, event[fresh])
                    if told and size <= len(held):
                        found.setdefault((name, size), []).append(told)
        for (name, size), each in found.items():
            means = {key: np.mean([one[key] for one in each]) for key in each[0]}
            print(path.stem, name, size, *(f"{key} {value:.4g};" for key, value in means.items()))


if __name__ == "__main__":
    main()
