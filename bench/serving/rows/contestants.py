"""Who answers rows, and how each is started: one process, and as many as there are cores."""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.serving.contestants import Contestant, Setting
from bench.serving.environments import PEERS

OURS = "luodi"
Start = Callable[[str, int, Setting], list[str]]


def _luodi(workers: int) -> Start:
    def command(python: str, port: int, setting: Setting) -> list[str]:
        bundle = str(setting.bundles[OURS])
        more = ["--port", str(port), "--workers", str(workers), "--json"]
        return [python, "-m", "luodi", "serve", bundle, *more]

    return command


def _mlflow(workers: int) -> Start:
    """MLflow's own flavour of LightGBM, as its documents save and serve it."""

    def command(python: str, port: int, setting: Setting) -> list[str]:
        model = setting.work / f"mlflow-model-{setting.bundles[OURS].name}"
        if not model.exists():
            subprocess.run(
                [python, str(PEERS / "rows_mlflow_save.py"), str(model)],
                env=os.environ | {"BENCH_MODEL": str(setting.exported)},
                check=True, capture_output=True,
            )  # fmt: skip
        return [
            python, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local",
            "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers),
        ]  # fmt: skip

    return command


def _bento(workers: int) -> Start:
    def command(python: str, port: int, setting: Setting) -> list[str]:
        return [
            "env", f"BENCH_WORKERS={workers}", python, "-m", "bentoml", "serve",
            "rows_bento:Answer", "--working-dir", str(PEERS), "--host", "127.0.0.1",
            "--port", str(port),
        ]  # fmt: skip

    return command


def _bare(key: str) -> Callable[[str], bytes]:
    """A row's numbers alone, in the order of the columns."""

    def body(row: str) -> bytes:
        return json.dumps({key: [list(json.loads(row).values())]}).encode()

    return body


def _named(row: str) -> bytes:
    return json.dumps({"inputs": [json.loads(row)]}).encode()


def _ours(answer: Any) -> str:
    return str(answer["outputs"][0]["label"])


class Reading:
    """A peer's number as the label that our bundle gives it.

    Args:
        model: the exported folder: its head says what LightGBM's sum is added to.
        labels: the two labels, the event last.
    """

    def __init__(self, model: Path, labels: tuple[str, str]) -> None:
        head = json.loads((model / "trees.json").read_text("utf-8"))
        self._base, self._scale = float(head["base"][0]), float(head["scale"])
        self._labels = labels

    def label(self, probability: float) -> str:
        """LightGBM's logistic of its sum -> the label."""
        if not 0 < probability < 1:
            return self._labels[probability >= 1]
        total = math.log(probability / (1 - probability))
        return self._labels[self._base + self._scale * total > 0]


def contestants(reading: Reading, workers: int) -> dict[str, Contestant]:
    """Everyone, by name; `workers`: processes of the wide form."""

    def predicted(answer: Any) -> str:
        return reading.label(float(answer["predictions"][0]))

    def first(answer: Any) -> str:
        return reading.label(float(answer[0]))

    wide = f"{workers} processes"
    return {
        each.name: each
        for each in (
            Contestant(OURS, "`luodi serve`", "", 32, _luodi(1), "/predict/lumps", _named, _ours),
            Contestant(f"{OURS}-wide", f"`luodi serve`, {wide}", "", 32, _luodi(workers),
                       "/predict/lumps", _named, _ours),
            Contestant("mlflow", "MLflow's server", "mlflow", 1, _mlflow(1), "/invocations",
                       _bare("inputs"), predicted),
            Contestant("mlflow-wide", f"MLflow's server, {wide}", "mlflow", 1, _mlflow(workers),
                       "/invocations", _bare("inputs"), predicted),
            Contestant("bentoml", "BentoML, adaptive batches", "bentoml", 32, _bento(1),
                       "/predict", _bare("rows"), first),
            Contestant("bentoml-wide", f"BentoML, one at a time, {wide}", "bentoml", 1,
                       _bento(workers), "/predict", _bare("rows"), first),
        )
    }  # fmt: skip
