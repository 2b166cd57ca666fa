"""The environment of the data room's peers: cleanlab, datasketch, Evidently, ydata-profiling."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from luodi.project.home import cache_folder

_ROOT = Path(__file__).parents[1]
_REQUIREMENTS = Path(__file__).with_name("data_peers.txt")


def peers_python() -> Path:
    """The interpreter of the peers' environment, made when it is not there yet."""
    key = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = cache_folder() / "bench" / f"data-peers-{key}"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        print(f"Making the peers' environment (once): {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--requirement", str(_REQUIREMENTS)], check=True)
        (folder / ".ready").touch()
    return python


def run_script(python: Path | str, script: Path, *arguments: str | Path, threads: int = 2,
               timeout: float | None = None) -> dict[str, Any]:  # fmt: skip
    """What a script prints as its last line, JSON; with its peak memory in MiB added.

    Raises:
        subprocess.TimeoutExpired: it took longer than `timeout` seconds.
        RuntimeError: it failed; with the end of what it said.
    """
    limits = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    environment = os.environ | limits | {
        "POLARS_MAX_THREADS": str(threads), "PYTHONPATH": f"{_ROOT / 'src'}:{_ROOT}",
        "DO_NOT_TRACK": "1", "YDATA_PROFILING_NO_ANALYTICS": "true",
    }  # fmt: skip
    command = ["taskset", "-c", ",".join(map(str, range(threads))), str(python), str(script)]
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, env=environment,
        cwd=_ROOT, timeout=timeout, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{script.name}: {done.stderr.strip()[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
