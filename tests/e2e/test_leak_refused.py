"""A column that gives the label away ends a run with exit code 3, and can be allowed by name."""

from __future__ import annotations

import json

from tests.tables import make_table

PROJECT = """\
name: risk
task: tabular-classification
data:
  source: rows.csv
  columns: {label: risk}
  kinds: {amount due: ignore}
model: {learner: linear}
gate: {auc: ">= 0.6"}
"""


def test_refused_and_allowed(luodi, tmp_path):
    table = make_table(400).drop("__row__")
    paid = table["risk"].replace({"good": "paid", "bad": "written off"}).alias("status")
    table.with_columns(paid).write_csv(tmp_path / "rows.csv")
    (tmp_path / "luodi.yaml").write_text(PROJECT)
    run = luodi("run", "--json", cwd=tmp_path)
    assert run.returncode == 3, run.stderr
    error = json.loads(run.stdout)["error"]
    assert "status" in error["message"]
    assert error["code"] == "leak"
    allowed = luodi("run", "--json", "--set", "data.leaks.allow=[status]", cwd=tmp_path)
    assert allowed.returncode == 0, allowed.stderr
    ignored = luodi("run", "--json", "--set", "data.kinds.status=ignore", cwd=tmp_path)
    assert ignored.returncode == 0, ignored.stderr
    assert json.loads(ignored.stdout)["metrics"]["auc"]["value"] < 0.999
