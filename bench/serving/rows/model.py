"""The bundle that everyone's trees come from: one `luodi run` of boosting on the table of lumps."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from bench.serving.model import Made, run
from luodi.solutions import create_project

LABELS = ("benign", "malignant")
_PROJECT = {
    "name": "lumps",
    "task": "tabular-classification",
    "data": {
        "source": "breast_cancer.csv",
        "columns": {"label": "diagnosis"},
        "positive": LABELS[1],
        "split": {"valid": 0.2, "test": 0.25, "seed": 7},
    },
    "model": {"learner": "boosting"},
    "gate": {"auc": ">= 0.9"},
}


def make(work: Path) -> Made:
    """The bundle; made once."""
    if not (work / "breast_cancer.csv").is_file():
        create_project(work, "diagnosis")
    (work / "luodi.yaml").write_text(json.dumps(_PROJECT), "utf-8")  # JSON is YAML too
    return run(work)


def rows(work: Path, bundle: Path) -> list[str]:
    """Every row as JSON, its numbers in the order of the model's columns."""
    from luodi.bundle import open_predictor

    names = [field.name for field in open_predictor(bundle).schema.request]
    with (work / "breast_cancer.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    return [json.dumps({name: float(row[name]) for name in names}) for row in table]
