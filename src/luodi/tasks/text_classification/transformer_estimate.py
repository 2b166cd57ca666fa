"""What a fine-tuning will take, told before it starts and without loading torch."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from luodi.contracts import Estimate, FitSettings, JsonValue, Role
from luodi.training.bases import find_entry

if TYPE_CHECKING:
    from luodi.contracts import Dataset

_SHARE = 0.55
"""What training reaches of the processor's bare matrix product in float32."""
_BFLOAT16_GAIN = 2.0
"""On processors with bfloat16 products, over float32."""
_BYTES_A_WEIGHT = 22
"""Working weight, master, gradient and two moments, and the best weights kept."""
_BYTES_A_TOKEN = 120_000
"""Activations of a small encoder, kept for the backward pass, for one token of a batch."""


def estimate_fit(
    data: Dataset, settings: FitSettings, options: Mapping[str, JsonValue], passes: int
) -> Estimate:
    """Seconds and peak bytes: 6 floating-point operations a weight and token (forward 2, backward
    4; Kaplan et al. 2020, arXiv:2001.08361), over the speed of a short probe."""
    weights, learnt = _weights(settings.base or "")
    texts = data.table[data.column(Role.TEXT)].head(500).to_list()
    lengths = [min(_tokens(text or ""), int(options["max_length"])) for text in texts]
    tokens = float(np.mean(lengths or [0])) * data.rows * passes
    seconds = tokens * 6 * learnt / (_flops(settings.threads) * _SHARE) + 15.0
    if settings.budget is not None:
        seconds = min(seconds, settings.budget)
    memory = weights * _BYTES_A_WEIGHT + int(options["batch_tokens"]) * _BYTES_A_TOKEN
    return Estimate(seconds, int(memory + 6e8))


def _weights(base: str) -> tuple[float, float]:
    """All weights, and those that every token passes (the embedding table is only looked up)."""
    if entry := find_entry(base):
        return entry.parameters, entry.parameters * 0.5
    folder = Path(base).expanduser()
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors")) if base else 0
    count = size / 4 if size else 110e6  # an encoder of the base size when nothing is known
    return count, count * 0.7


def _tokens(text: str) -> int:
    """About how many tokens: one a Chinese character, one for four others."""
    wide = sum(1 for letter in text if letter >= "\u2e80")
    return wide + (len(text) - wide + 3) // 4 + 2


def _flops(threads: int) -> float:
    """Floating-point operations a second of `threads` threads in a matrix product."""
    left = np.ones((768, 768), dtype=np.float32)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        _ = left @ left
        best = min(best, time.perf_counter() - start)
    import os

    share = min(threads / max(os.cpu_count() or 1, 1), 1.0)
    return 2 * 768**3 / best * share * (_BFLOAT16_GAIN if _has_bfloat16() else 1.0)


def _has_bfloat16() -> bool:
    info = Path("/proc/cpuinfo")
    if not info.is_file():
        return False
    text = info.read_text(errors="replace")
    return "avx512_bf16" in text or "amx_bf16" in text
