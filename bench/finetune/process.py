"""One measurement, one process: timed from outside, ended with its children."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from luodi.contracts import LuodiError, say


class OutOfTimeError(LuodiError):
    """The time for measuring is over."""


@dataclass(frozen=True)
class Limits:
    """What a measurement may use.

    Attributes:
        threads: for every library that computes.
        until: the accuracy at which a stretched script stops.
        deadline: the moment, by time.monotonic, at which measuring ends; None for never.
    """

    threads: int
    until: float
    deadline: float | None = None


@dataclass(frozen=True)
class Done:
    """What a process printed and used."""

    output: str
    code: int
    wall: float
    cpu: float
    load: tuple[float, float]

    def facts(self) -> dict[str, Any]:
        """As in the results file; `cpu_share` is processor seconds a second."""
        return {
            "wall_seconds": round(self.wall, 3),
            "cpu_seconds": round(self.cpu, 3),
            "cpu_share": round(self.cpu / self.wall, 3),
            "load_before": self.load[0],
            "load_after": self.load[1],
        }


def run_process(
    command: list[str],
    folder: Path,
    limits: Limits,
    extra: Mapping[str, str] | None = None,
    allowed: tuple[int, ...] = (0,),
) -> Done:
    """Run a command to its end.

    Raises:
        OutOfTimeError: when the deadline came first; the process is gone then.
        LuodiError: when it failed, with the end of what it said.
    """
    load, used, started = os.getloadavg()[0], _children(), time.monotonic()
    with subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(limits.threads) | dict(extra or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        try:
            left = None if limits.deadline is None else max(limits.deadline - started, 0.0)
            output, errors = process.communicate(timeout=left)
        except subprocess.TimeoutExpired:
            raise OutOfTimeError(say("The time limit was reached.", "已到时间上限。")) from None
        finally:
            _end(process)
    wall = time.monotonic() - started
    if process.returncode not in allowed:
        raise LuodiError(
            say(
                f"A measured process ended with {process.returncode}: {' '.join(command[:4])}",
                f"被测进程以 {process.returncode} 结束:{' '.join(command[:4])}",
            ),
            "",
            errors.strip()[-2000:],
        )
    after = os.getloadavg()[0]
    return Done(output, process.returncode, wall, _children() - used, (load, after))


def _environment(threads: int) -> dict[str, str]:
    """The same for everyone: as many threads, no other device, no network."""
    many = str(threads)
    return {
        **os.environ,
        "OMP_NUM_THREADS": many,
        "MKL_NUM_THREADS": many,
        "RAYON_NUM_THREADS": many,
        "CUDA_VISIBLE_DEVICES": "",
        "HF_HUB_OFFLINE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _children() -> float:
    """Processor seconds of the children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
