"""Who is measured, and how each is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.serving.environments import PEERS, peer_python
from bench.serving.load import Target

OURS, SHIPPED, STUDENT = "luodi", "luodi-shipped", "luodi-student"


@dataclass(frozen=True)
class Setting:
    """What every contestant is given.

    Attributes:
        exported: the folder with the float32 model.onnx, tokenizer.json and transformer.json.
        bundles: our contestants' bundles.
        work: a folder for what a server leaves behind.
    """

    exported: Path
    bundles: dict[str, Path]
    cache: Path
    work: Path
    threads: int


@dataclass(frozen=True)
class Contestant:
    """A server.

    Attributes:
        environment: whose packages it runs with; empty for ours.
        batch: texts that it puts together; 1 where it answers one at a time.
        command: interpreter, port and setting -> how it is started.
        path, body, label: what is asked, and where the label stands in the answer.
    """

    name: str
    title: str
    environment: str
    batch: int
    command: Callable[[str, int, Setting], list[str]]
    path: str
    body: Callable[[str], bytes]
    label: Callable[[Any], str]

    def start(self, port: int, setting: Setting) -> subprocess.Popen[bytes]:
        """The server's process; its words go to a file."""
        python = sys.executable
        if self.environment:
            python = str(peer_python(self.environment, setting.cache))
        environment = {
            **os.environ,
            "BENCH_MODEL": str(setting.exported),
            "BENCH_THREADS": str(setting.threads),
            "BENCH_BATCH": str(self.batch),
            "BENCH_PORT": str(port),
            "BENCH_PEERS": str(PEERS),
            "OMP_NUM_THREADS": str(setting.threads),
            "LUODI_HOME": str(setting.work / "home"),
            # What some of them would otherwise ask of the network at their start.
            "BENTOML_DO_NOT_TRACK": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
        }
        if self.environment:
            environment["PYTHONPATH"] = str(PEERS)
            environment["PATH"] = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
        setting.work.mkdir(parents=True, exist_ok=True)
        words = (setting.work / f"{self.name}.log").open("wb")
        return subprocess.Popen(
            self.command(python, port, setting),
            cwd=setting.work, env=environment, stdin=subprocess.DEVNULL, stdout=words,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def target(self, port: int) -> Target:
        """Where it is asked."""
        return Target("127.0.0.1", port, self.path, self.body, self.label)


def _luodi(name: str) -> Callable[[str, int, Setting], list[str]]:
    def command(python: str, port: int, setting: Setting) -> list[str]:
        bundle = str(setting.bundles[name])
        return [python, "-m", "luodi", "serve", bundle, "--port", str(port), "--json"]

    return command


def _mlflow(python: str, port: int, setting: Setting) -> list[str]:
    model = setting.work / "mlflow-model"
    if not model.exists():
        subprocess.run(
            [python, str(PEERS / "mlflow_save.py"), str(model)],
            env=os.environ | {"PYTHONPATH": str(PEERS), "BENCH_PEERS": str(PEERS)}
            | {"BENCH_MODEL": str(setting.exported), "BENCH_THREADS": "1"},
            check=True, capture_output=True,
        )  # fmt: skip
    return [
        python, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local",
        "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip


def _ray(python: str, port: int, setting: Setting) -> list[str]:
    start = (
        "import os, ray; from ray import serve; from ray_app import app\n"
        f"ray.init(num_cpus={setting.threads}, include_dashboard=False, log_to_driver=False)\n"
        f"serve.start(http_options={{'host': '127.0.0.1', 'port': {port}}})\n"
        "serve.run(app, blocking=True)"
    )
    return [python, "-c", start]


def _bento(python: str, port: int, setting: Setting) -> list[str]:
    return [
        python, "-m", "bentoml", "serve", "bento_app:Classify", "--working-dir", str(PEERS),
        "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip


def _json(key: str, many: bool = False) -> Callable[[str], bytes]:
    def body(text: str) -> bytes:
        return json.dumps({key: [text] if many else text}, ensure_ascii=False).encode()

    return body


def _label(answer: Any) -> str:
    return str(answer["label"])


def _ours(name: str, title: str) -> Contestant:
    return Contestant(
        name, title, "", 32, _luodi(name), "/predict/classifier", _json("inputs", many=True),
        lambda answer: str(answer["outputs"][0]["label"]),
    )  # fmt: skip


def _uvicorn(python: str, port: int, setting: Setting) -> list[str]:
    return [python, "-m", "uvicorn", "fastapi_app:app", "--port", str(port), "--no-access-log"]


def _litserve(python: str, port: int, setting: Setting) -> list[str]:
    return [python, str(PEERS / "litserve_app.py")]


def _first(answer: Any) -> str:
    return str(answer[0]["label"])


def _prediction(answer: Any) -> str:
    return str(answer["predictions"][0]["label"])


ALL: dict[str, Contestant] = {
    each.name: each
    for each in (
        _ours(OURS, "`luodi serve`, float32"),
        _ours(SHIPPED, "`luodi serve`, as shipped"),
        _ours(STUDENT, "`luodi serve`, its student (`model.distil: 2`)"),
        Contestant("fastapi", "FastAPI, one at a time", "fastapi", 1, _uvicorn, "/predict",
                   _json("text"), _label),
        Contestant("litserve", "LitServe, batches of 32", "litserve", 32, _litserve, "/predict",
                   _json("text"), _label),
        Contestant("litserve-1", "LitServe, one at a time", "litserve", 1, _litserve, "/predict",
                   _json("text"), _label),
        Contestant("bentoml", "BentoML, adaptive batches", "bentoml", 32, _bento, "/predict",
                   _json("texts", many=True), _first),
        Contestant("bentoml-1", "BentoML, one at a time", "bentoml", 1, _bento, "/predict",
                   _json("texts", many=True), _first),
        Contestant("mlflow", "MLflow's server", "mlflow", 1, _mlflow, "/invocations",
                   _json("inputs", many=True), _prediction),
        Contestant("ray", "Ray Serve, batches of 32", "ray", 32, _ray, "/", _json("text"), _label),
        Contestant("ray-1", "Ray Serve, one at a time", "ray", 1, _ray, "/", _json("text"), _label),
    )
}  # fmt: skip
PEER_NAMES = tuple(name for name, each in ALL.items() if each.environment)
