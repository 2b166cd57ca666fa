"""A command in a process of its own, forked from one that holds the heavy libraries already.

Most of a small command's time goes into importing what it stands on: scikit-learn alone takes two
seconds of six. Every test that calls commands would pay that each time. Nothing has worked yet
beforehand: the threads of Polars, OpenMP and BLAS start with their first work, after the fork. So a
command does here what it does in a fresh interpreter. What a command imports, how fast it begins
and what the READMEs promise is tested on the real one: `LUODI`.

Beside other workers a command keeps to one core (`_own_cores`).
"""

from __future__ import annotations

import atexit
import functools
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

import luodi

_CONTEXT = multiprocessing.get_context("forkserver")
_HEAVY = (
    "sklearn.linear_model", "scipy.sparse", "scipy.stats", "lightgbm", "polars", "sqlalchemy",
    "alembic.config", "jinja2", "pydantic", "typer", "rich.progress", "torch", "onnx",
    "transformers.modeling_utils", "transformers.masking_utils", "onnxruntime", "openvino",
)  # fmt: skip
_OWN = ("cli", "lifecycle", "bundle", "tasks", "data", "evaluation", "compression", "project")


def _modules() -> list[str]:
    rooms = [Path(luodi.__path__[0]) / room for room in _OWN]
    found = [path.with_suffix("").parts for room in rooms for path in sorted(room.rglob("*.py"))]
    depth = len(Path(luodi.__path__[0]).parts) - 1
    return [".".join(parts[depth:]).removesuffix(".__init__") for parts in found]


_CONTEXT.set_forkserver_preload([*_HEAVY, *_modules(), "tests.warm"])
LUODI = Path(sys.executable).parent / "luodi"
"""The command itself."""


def call(
    *arguments: str | Path, cwd: Path | None = None, timeout: float = 600, **environment: str
) -> subprocess.CompletedProcess[str]:
    """What `luodi ARGUMENTS` printed and how it ended, as `subprocess.run` tells it.

    Raises:
        subprocess.TimeoutExpired: It ran longer than `timeout` seconds, and was killed.
    """
    words = [str(argument) for argument in arguments]
    variables = os.environ | {"LUODI_LANGUAGE": "en"} | environment
    if "PYTHONPATH" in environment:  # other modules than those that are in memory
        return subprocess.run(
            [LUODI, *words], cwd=cwd, env=variables, timeout=timeout, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="luodi-called-") as folder:
        printed = [Path(folder) / name for name in ("out", "err")]
        given = (words, cwd or Path.cwd(), dict(variables), printed, _path())
        process = _CONTEXT.Process(target=_command, args=given)
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, timeout)
        out, err = (path.read_text("utf-8", "replace") for path in printed)
        return subprocess.CompletedProcess(words, process.exitcode, out, err)


def begin(work: Callable[..., None], *arguments: object) -> BaseProcess:
    """A process of its own that calls `work`, which stands at the top of a module."""
    process = _CONTEXT.Process(target=work, args=arguments)
    process.start()
    return process


def _own_cores(environment: Mapping[str, str]) -> set[int]:
    """One core for a worker beside others, all of them without any.

    Two threads that wait for each other, each behind another worker's work, take three times the
    processor time of one.
    """
    cores = sorted(os.sched_getaffinity(0))
    worker = environment.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    return {cores[int(worker) % len(cores)]} if worker else set(cores)


@functools.cache
def _path() -> list[str]:
    """Where a fresh interpreter looks for modules: pytest looks in folders of the tests as well."""
    told = subprocess.run(
        [sys.executable, "-c", "import json, sys; print(json.dumps(sys.path[1:]))"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: list[str] = json.loads(told.stdout)
    return found


def _command(
    arguments: list[str],
    cwd: Path,
    environment: dict[str, str],
    printed: list[Path],
    path: list[str],
) -> None:
    os.sched_setaffinity(0, _own_cores(environment))
    os.chdir(cwd)
    sys.path[:] = path
    os.environ.clear()
    os.environ.update(environment)
    for number, file in enumerate([Path(os.devnull), *printed]):
        opened = os.open(file, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    for number, (name, mode) in enumerate([("stdin", "r"), ("stdout", "w"), ("stderr", "w")]):
        stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  # to the end
        setattr(sys, name, stream)
    sys.argv = ["luodi", *arguments]
    from luodi.cli import main

    try:
        main()
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves by os._exit, a command does not
