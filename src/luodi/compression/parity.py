"""Does the exported model say what the trained one says?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import TrainingError, say

Feeds = Mapping[str, NDArray[Any]]
"""Input name -> array, for one call of the exported model."""


def onnx_session(path: Path, threads: int) -> Any:
    """A runtime session over an ONNX file, on the processor, with `threads` threads."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = max(threads, 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Every batch has another shape: a plan of memory for each would only pile up.
    options.enable_mem_pattern = False
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def largest_difference(
    path: Path, feeds: Sequence[Feeds], expected: Sequence[NDArray[np.float32]], threads: int = 1
) -> float:
    """The largest absolute difference between the exported model's first output and `expected`.

    Infinite when the model answers with another shape or with what is not a number.
    """
    session = onnx_session(path, threads)
    worst = 0.0
    for feed, wanted in zip(feeds, expected, strict=True):
        found = session.run(None, dict(feed))[0]
        if found.shape != wanted.shape:
            return float("inf")
        distance = float(np.abs(found - wanted).max(initial=0.0))
        if not np.isfinite(distance):
            return float("inf")
        worst = max(worst, distance)
    return worst


def require_parity(difference: float, tolerance: float) -> None:
    """Refuse an export that answers otherwise than the model that was trained.

    Raises:
        TrainingError: when `difference` is over `tolerance`.
    """
    if not difference <= tolerance:
        raise TrainingError(
            say(
                f"The exported model's scores differ from the trained model's by {difference:.2g}.",
                f"导出模型的得分与训练所得模型相差 {difference:.2g}。",
            ),
            say(f"At most {tolerance:.2g} is allowed.", f"最多允许 {tolerance:.2g}。"),
            say(
                "This base does not export faithfully; choose another.",
                "该基座模型无法如实导出；请换用其他基座模型。",
            ),
        )
