"""One `luodi run`, as a user would call it, and its bundle served by itself."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from bench.finetune.process import Limits, run_process
from bench.tabular.split import TASK, Rows
from bench.tabular.tables import Table

LEARNER = "boosting"
_REFUSED = 3
_ROOT = Path(__file__).parents[2]


def project_file(table: Table, seed: int, threads: int, learner: str = LEARNER) -> str:
    """The project; JSON is YAML too."""
    return json.dumps(
        {
            "name": table.name.replace("_", "-"),
            "task": TASK,
            "data": {
                "source": "train.csv", "test": "test.csv", "positive": table.positive,
                "columns": {"label": table.label}, "split": {"seed": seed},
            },
            "model": {"learner": learner, "seed": seed, "threads": threads},
        },
        indent=1,
    )  # fmt: skip


def run_luodi(table: Table, rows: Rows, work: Path, seed: int, limits: Limits) -> dict[str, Any]:
    """One run from nothing, and what its bundle answers to every row of the test table."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for name in ("train.csv", "test.csv"):
        shutil.copyfile(rows.folder / name, work / name)
    project = project_file(table, seed, limits.threads)
    (work / "luodi.yaml").write_text(project, "utf-8")
    home = {"LUODI_HOME": str(work / ".luodi")}
    done = run_process(
        [sys.executable, "-m", "luodi", "run", str(work), "--json", "--quiet"],
        work, limits, home, (0, _REFUSED),
    )  # fmt: skip
    result = json.loads(done.output)
    probe = [sys.executable, "-m", "bench.tabular.probe", result["bundle"], str(work / "test.csv")]
    served = run_process([*probe, table.positive, str(limits.threads)], _ROOT, limits)
    shutil.rmtree(work)
    return {
        **json.loads(served.output),
        "fit_seconds": sum(
            result["seconds"].get(f"{stage}-{LEARNER}", 0.0) for stage in ("train", "refit")
        ),
        "whole_seconds": done.wall,
        "stages": result["seconds"],
        "reported": result["metrics"],
        "baselines": result["baselines"],
        "rows": result["data"],
        "digest": result["digest"],
        "process": done.facts(),
    }
