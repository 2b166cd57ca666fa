"""Remaining life of engines and classes of failures, seed by seed, each run in a home of its own.

python -m bench.pdm [--seeds 5] [--learner boosting] [--only life|class]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.pdm.tables import DATA, engines, milling

RESULTS = Path(__file__).parents[1] / "results"
SHOWN = {
    "life": ("rmse", "mae", "coverage", "interval_width"),
    "class": ("auc", "macro_f1", "accuracy", "log_loss"),
}
_CLASS = """\
name: failure-class
task: tabular-classification
data:
  source: milling.csv
  columns: {label: failure}
  split: {valid: 0.1, test: 0.3, seed: 7}
model: {learner: boosting}
"""


def main() -> None:
    """Run what is asked for and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--learner", default="boosting")
    parser.add_argument("--only", choices=("life", "class"))
    asked = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"There is no {DATA}: set LUODI_BENCH_DATA to the folder of the public sets.")
    kinds = (asked.only,) if asked.only else ("life", "class")
    for kind in kinds:
        rows: list[dict[str, Any]] = []
        for seed in range(1, asked.seeds + 1):
            rows.append(_run(kind, seed, asked.learner))
            _write({kind: rows}, asked.learner)


def _run(kind: str, seed: int, learner: str) -> dict[str, Any]:
    from luodi.solutions import create_project

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "project"
        if kind == "life":
            create_project(folder, "predictive-maintenance")
            engines(folder)
            shutil.move(folder / "remaining-life.yaml", folder / "luodi.yaml")
        else:
            folder.mkdir()
            milling(folder)
            (folder / "luodi.yaml").write_text(_CLASS)
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "luodi", "run", str(folder), "--json",
             "--set", f"model.seed={seed}", "--set", f"data.split.seed={seed}",
             "--set", f"model.learner={learner}", "--set", "gate={}"],
            env=os.environ | {"LUODI_HOME": str(Path(place) / "home"), "LUODI_LANGUAGE": "en"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode not in (0, 3):
            sys.exit(done.stderr[-3000:] + done.stdout[-3000:])
        result = json.loads(done.stdout)
    row = {
        "seed": seed,
        "rows": result["data"],
        "metrics": result["metrics"],
        "linear": {
            name: found["value"]
            for name, found in result["baselines"]["linear"].items()
            if "value" in found
        },
        "seconds": result["seconds"],
        "wall": time.monotonic() - started,
    }
    print(kind, seed, {k: round(v["value"], 4) for k, v in row["metrics"].items()}, flush=True)
    return row


def _write(found: dict[str, list[dict[str, Any]]], learner: str) -> None:
    day = time.strftime("%Y-%m-%d")
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"pdm-{learner}-{day}.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**kept, **found}, indent=1))
    for kind, rows in found.items():
        print(f"\n{kind}, {learner}, {len(rows)} seeds: mean [least, most]")
        for name in SHOWN[kind]:
            values = np.array([row["metrics"][name]["value"] for row in rows])
            plain = np.mean([row["linear"][name] for row in rows])
            print(f"  {name:15} {values.mean():.3f} [{values.min():.3f}, {values.max():.3f}]"
                  f"   linear {plain:.3f}")  # fmt: skip


if __name__ == "__main__":
    main()
