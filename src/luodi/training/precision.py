"""Whether this processor multiplies bfloat16 faster than float32: measured, and remembered."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from luodi.contracts import TrainingError, say

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16"]

_GAIN = 1.25
"""bfloat16 must be faster by this factor to be worth its rounding."""
_PATIENCE = 0.1
"""Seconds after which no further product is waited for: a processor without bfloat16 takes one for
what it multiplies in float32 in a fiftieth."""


def choose_precision(cache: Path, threads: int) -> Precision:
    """`bfloat16` where it is clearly faster on this machine, by a probe of a fifth of a second.

    The answer is kept in `cache` by the processor's name and torch's version, so that two fits
    on one machine compute alike.
    """
    import torch

    machine = f"{_processor()} {torch.__version__} {threads}"
    path = cache / "precision.json"
    known: dict[str, Precision] = {}
    if path.is_file():
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            known = {}  # a damaged note is measured again
    key = hashlib.sha256(machine.encode()).hexdigest()[:16]
    if known.get(key) not in ("float32", "bfloat16"):
        gain = _seconds(torch.float32) / _seconds(torch.bfloat16)
        known[key] = "bfloat16" if gain >= _GAIN else "float32"
        cache.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(known), encoding="utf-8")
        temporary.replace(path)
    return known[key]


def dtype_of(precision: str) -> torch.dtype:
    """The type that torch computes with.

    Raises:
        TrainingError: it is none of the two.
    """
    import torch

    known = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if precision not in known:
        raise TrainingError(
            say(f"The precision is {precision!r}.", f"精度为 {precision!r}。"),
            say(f"Expected one of {', '.join(known)}.", f"应为以下之一：{'、'.join(known)}。"),
            say("Mend model.options.precision.", "请修改 model.options.precision。"),
        )
    return known[precision]


def _seconds(dtype: torch.dtype) -> float:
    """The shortest of a few products of a layer's shape."""
    import torch

    left = torch.ones(1024, 384, dtype=dtype)
    right = torch.ones(384, 1536, dtype=dtype)
    taken: list[float] = []
    # Two at least: the first one also pays for making its kernel.
    while len(taken) < 2 or (len(taken) < 6 and sum(taken) < _PATIENCE):
        start = time.perf_counter()
        torch.matmul(left, right)
        taken.append(time.perf_counter() - start)
    return min(taken)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        wanted = ("model name", "flags")
        lines = [
            line
            for line in info.read_text(errors="replace").splitlines()
            if line.startswith(wanted)
        ]
        return " ".join(lines[:2])
    return f"{platform.machine()} {platform.processor()}"
