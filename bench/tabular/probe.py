"""A process that serves a bundle and nothing else: its answers, its pace for one row, its memory.

python -m bench.tabular.probe BUNDLE TEST.csv LABEL POSITIVE THREADS
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from luodi.bundle import open_predictor
from luodi.contracts import Request, Schema

ONE_BY_ONE = 300
"""Rows that are asked about by themselves."""


def as_request(row: dict[str, str], schema: Schema) -> Request:
    """A row of a CSV file as the schema wants it: numbers as such, None where nothing stands."""
    read: dict[str, Callable[[str], Any]] = {
        "number": float, "boolean": lambda text: text.strip().lower() in ("1", "true", "yes"),
    }  # fmt: skip
    return {
        field.name: read.get(field.kind, str)(row[field.name]) if row[field.name] != "" else None
        for field in schema.request
    }


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Milliseconds a row: the median and the ninety-ninth of a hundred."""
    ordered = sorted(seconds)
    return {
        "median_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)] * 1000,
    }


def peak_mib() -> float:
    """The most memory this process has held, in MiB."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def timed(call: Callable[[Any], Any], rows: Sequence[Any]) -> dict[str, float]:
    """The pace of a call on each row by itself, ten of them as a warm-up."""
    for row in rows[:10]:
        call(row)
    seconds = []
    for row in rows:
        start = time.perf_counter()
        call(row)
        seconds.append(time.perf_counter() - start)
    return spread(seconds)


def main(bundle: str, test: str, positive: str, threads: str) -> None:
    """Print one JSON document."""
    start = time.perf_counter()
    served = open_predictor(Path(bundle), int(threads))
    loaded = time.perf_counter() - start
    with Path(test).open(encoding="utf-8", newline="") as stream:
        requests = [as_request(row, served.schema) for row in csv.DictReader(stream)]
    few = requests[:ONE_BY_ONE]
    whole = timed(lambda row: served.predict([row]), few)
    prepared = [served.read([row]) for row in few]
    model = timed(served.answer, prepared)
    memory = peak_mib()
    answers = served.predict(requests)
    print(
        json.dumps(
            {
                "load_seconds": loaded,
                "one_row": whole,
                "one_row_model": model,
                "peak_mib": memory,
                "scores": [answer["probabilities"][positive] for answer in answers],
                "labels": [answer["label"] for answer in answers],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
