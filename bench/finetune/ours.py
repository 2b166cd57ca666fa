"""One `luodi run`, as a user would call it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from bench.finetune.process import Limits, run_process
from bench.finetune.rows import Row

BASE = "minilm-en"
_STAGE = "train-transformer"
_REFUSED = 3

_PROJECT = """\
name: finetune
task: text-classification
data:
  source: train.csv
  test: test.csv
  columns: {{text: text, label: label}}
model:
  learner: transformer
  base: {base}
  seed: {seed}
  threads: {threads}
"""


def run_luodi(
    folder: Path,
    work: Path,
    truth: list[Row],
    seed: int,
    limits: Limits,
    passes: int | None = None,
) -> dict[str, Any]:
    """One run on `folder`'s tables, from nothing, and its bundle's answers to every test row.

    `passes` shortens its schedule; None leaves it to Luodi.

    Its clock is all of it: the training stage (base loaded, texts read, chosen on a part that
    the scripts learn from, exported, checked), and the whole command.
    """
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for name in ("train.csv", "test.csv"):
        shutil.copyfile(folder / name, work / name)
    project = _PROJECT.format(base=BASE, seed=seed, threads=limits.threads)
    project += f"  options: {{epochs: {passes}}}\n" if passes else ""
    (work / "luodi.yaml").write_text(project, "utf-8")
    luodi = [sys.executable, "-m", "luodi"]
    home = {"LUODI_HOME": str(work / ".luodi")}
    done = run_process(
        [*luodi, "run", str(work), "--json", "--quiet"], work, limits, home, (0, _REFUSED)
    )
    result = json.loads(done.output)
    accuracy = _judge(luodi, work, Path(result["bundle"]), truth, limits, home)
    shutil.rmtree(work)
    return {
        "curve": [
            {
                "accuracy": accuracy,
                "train_seconds": result["seconds"][_STAGE],
                "whole_seconds": done.wall,
            }
        ],
        "evaluation_seconds": 0.0,
        "stopped": "end of training",
        "arguments": {"project": project},
        "stages": result["seconds"],
        "reported_accuracy": result["metrics"]["accuracy"],
        "rows": result["data"],
        "digest": result["digest"],
        "process": done.facts(),
    }


def _judge(
    luodi: list[str],
    work: Path,
    bundle: Path,
    truth: list[Row],
    limits: Limits,
    home: dict[str, str],
) -> float:
    """The bundle's accuracy on all test rows, whatever the run itself left out of its test part."""
    answers = work / "answers.jsonl"
    run_process(
        [*luodi, "predict", str(bundle), str(work / "test.csv"), "-o", str(answers)],
        work, limits, home,
    )  # fmt: skip
    lines = answers.read_text("utf-8").splitlines()
    labels = [json.loads(line)["label"] for line in lines]
    return share_right(labels, [label for _, label in truth])


def share_right(answers: list[str], truth: list[str]) -> float:
    """Accuracy: the share of answers that are the truth."""
    right = sum(a == t for a, t in zip(answers, truth, strict=True))
    return right / len(truth)
