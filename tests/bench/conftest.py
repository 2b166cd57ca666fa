"""A bench of made-up measurements whose ratios can be worked out on paper."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `bench` stands beside `src`, installed nowhere
    sys.path.insert(0, str(ROOT))

ROWS = {"name": "banking77", "fingerprint": "f" * 16, "train": 10_003, "test": 3_080, "labels": 77,
        "whole": True}  # fmt: skip
MACHINE = {"processor": "P", "cores": 2, "bfloat16": True, "commit": "abc"}


def measurement(
    contestant: str, seed: int, *looks: tuple[float, float], off: float = 0.0
) -> dict[str, Any]:
    """Looks are (accuracy, training seconds); the process began ten seconds before training."""
    curve = [{"accuracy": a, "train_seconds": s, "whole_seconds": s + 10.0} for a, s in looks]
    wall = curve[-1]["whole_seconds"] + off
    return {
        "contestant": contestant,
        "seed": seed,
        "threads": 2,
        "started": "2026-01-01T00:00:00+0000",
        "curve": curve,
        "evaluation_seconds": off,
        "process": {"wall_seconds": wall, "cpu_share": 1.9, "load_before": 0.1},
    }


# Target 0.92. Ours takes 100 s, 110 s and 120 s. The default script reaches it half-way between
# looks at 500 s and 700 s (ratio 6), not within 660 s (at least 6), at 480 s (4). Tuned: 150,
# 110 and 90 s.
_MEASUREMENTS = [
    measurement("luodi", 1, (0.93, 100.0)),
    measurement("tuned", 1, (0.90, 100.0), (0.93, 175.0), off=30.0),
    measurement("default", 1, (0.80, 300.0), (0.91, 500.0), (0.93, 700.0), off=60.0),
    measurement("luodi", 2, (0.92, 110.0)),
    measurement("tuned", 2, (0.92, 110.0)),
    measurement("default", 2, (0.80, 300.0), (0.919, 660.0), off=60.0),
    measurement("luodi", 3, (0.93, 120.0)),
    measurement("tuned", 3, (0.91, 80.0), (0.93, 100.0)),
    measurement("default", 3, (0.95, 480.0), (0.90, 700.0), off=60.0),
]


@pytest.fixture
def measurements() -> list[dict[str, Any]]:
    return copy.deepcopy(_MEASUREMENTS)


@pytest.fixture
def document(measurements: list[dict[str, Any]]) -> dict[str, Any]:
    from bench.finetune.results import make_document

    facts = {"date": "2026-01-01", "machine": MACHINE, "threads": 2, "base": {"name": "minilm-en"}}
    return make_document(measurements, ROWS, (0.90, 0.92), 0.92, facts)
