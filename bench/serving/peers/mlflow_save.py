"""Writes the classifier as an MLflow model (from code: nothing is pickled)."""

import sys
from pathlib import Path

import mlflow

model = Path(__file__).with_name("mlflow_model.py")
mlflow.pyfunc.save_model(sys.argv[1], python_model=str(model))
