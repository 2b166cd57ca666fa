"""Writes trees of LightGBM in MLflow's own flavour for them: LightGBM's text, no pickle."""

import os
import sys
from pathlib import Path

import lightgbm
import mlflow.lightgbm

trees = lightgbm.Booster(model_file=str(Path(os.environ["BENCH_MODEL"]) / "model.txt"))
mlflow.lightgbm.save_model(trees, sys.argv[1])
