"""The classifier that everyone serves: made by one short `luodi run`, in float32 and as shipped."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.finetune.rows import Rows
from luodi.contracts import LuodiError, say

_PROJECT = """\
name: classifier
task: text-classification
data:
  source: rows.csv
  columns: {{text: text, label: label}}
  limit: {rows}
model:
  learner: transformer
  base: minilm-en
  threads: {threads}
  options: {{epochs: {epochs}, max_length: 256}}
gate: {{accuracy: ">= 0.3"}}
"""
_REFUSED = 3


@dataclass(frozen=True)
class Made:
    """A bundle, and what its run found."""

    bundle: Path
    result: dict[str, Any]

    @property
    def form(self) -> str:
        """In words: int8 calibrated openvino."""
        form = self.result["form"]
        return " ".join(filter(None, (form["name"], form["method"], form["runtime"])))


def make_model(rows: Rows, work: Path, count: int, epochs: int, threads: int) -> None:
    """Write the project; `run` then makes what is not made yet."""
    work.mkdir(parents=True, exist_ok=True)
    with (work / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(rows.train)
    project = _PROJECT.format(rows=count, threads=threads, epochs=epochs)
    (work / "luodi.yaml").write_text(project, "utf-8")


def run(work: Path, *settings: str) -> Made:
    """`luodi run` with these settings; what an earlier call did is not done again."""
    words = [word for setting in settings for word in ("--set", setting)]
    done = subprocess.run(
        [sys.executable, "-m", "luodi", "run", str(work), "--json", *words],
        env=os.environ | {"LUODI_HOME": str(work / ".luodi")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, _REFUSED):
        raise LuodiError(
            say("The classifier could not be made.", "无法生成分类器。"),
            "",
            (done.stdout + done.stderr)[-1500:],
        )
    result = json.loads(done.stdout)
    return Made(Path(result["bundle"]), result)
