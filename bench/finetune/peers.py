"""The peers' own environment, and one run of a Trainer script in it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.finetune.contestants import Script
from bench.finetune.process import Limits, run_process
from luodi.contracts import MissingPartError, say

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_ROOT = Path(__file__).parents[2]


def environment_key() -> str:
    """A name for what the peers' environment is made of."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for path in (_REQUIREMENTS, _ROOT / "constraints.txt"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def peers_python(cache: Path) -> Path:
    """The interpreter of the peers' environment, made when it is not there yet.

    Raises:
        MissingPartError: with pip's own words, when a package cannot be had.
    """
    folder = cache / f"peers-{environment_key()}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.exists():
        return python
    print(f"Making the peers' environment (once): {folder}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    _client([sys.executable, "-m", "venv", str(folder)])
    _client(
        [
            str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--constraint", str(_ROOT / "constraints.txt"), "--requirement", str(_REQUIREMENTS),
        ]
    )  # fmt: skip
    ready.touch()
    return python


def _client(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingPartError(
            say("The peers' environment could not be made.", "无法建立对照脚本的环境。"),
            "",
            done.stderr.strip()[-1000:],
        )


def run_script(
    python: Path, script: Script, folder: Path, base: Path, seed: int, limits: Limits
) -> dict[str, Any]:
    """One run of a script in its own process: its curve and what it used.

    Args:
        python: the interpreter of the peers' environment.
        script: which one.
        folder: with train.csv and test.csv.
        base: the base model's folder.
        seed: for the order of rows, the new head and dropout.
        limits: threads, the accuracy at which there is nothing left to learn, and the time.
    """
    command = [
        str(python), "-m", "bench.finetune.trainer_script", str(folder), str(base),
        "--arguments", json.dumps(dict(script.arguments)),
        "--seed", str(seed), "--threads", str(limits.threads),
        "--looks", str(script.looks), "--began", repr(time.monotonic()),
    ]  # fmt: skip
    if script.instead_of:
        command += ["--until", str(limits.until)]
    done = run_process(command, _ROOT, limits)
    events = list(_events(done.output))
    started = next(event for event in events if event["event"] == "started")
    ended = next(event for event in events if event["event"] == "ended")
    return {
        "curve": [
            {key: value for key, value in event.items() if key != "event"}
            for event in events
            if event["event"] == "looked"
        ],
        "evaluation_seconds": ended["evaluation_seconds"],
        "stopped": "target reached" if ended["reached"] else "end of training",
        "arguments": started["arguments"],
        "versions": started["versions"],
        "steps_an_epoch": started["steps_an_epoch"],
        "process": done.facts(),
    }


def _events(output: str) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        if line.startswith('{"event"'):
            yield json.loads(line)
