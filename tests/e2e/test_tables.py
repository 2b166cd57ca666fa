"""Tables of every kind of column, from file to answers: what was judged is what is answered."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from luodi.testing import same
from tests.tables import make_table

PROJECT = """\
name: {name}
task: tabular-{kind}
data:
  source: rows.csv
  columns: {{label: {label}, id: {other}, protected: sex}}
model: {{learner: {learner}}}
"""
CASES = [
    ("classification", "risk", "amount due", "linear"),
    ("regression", "amount due", "risk", "linear"),
    ("classification", "risk", "amount due", "boosting"),
    ("regression", "amount due", "risk", "boosting"),
]


@pytest.mark.parametrize(("kind", "label", "other", "learner"), CASES)
def test_answers_to_a_file_are_those_that_were_judged(luodi, tmp_path, kind, label, other, learner):
    table = make_table(500, seed=4).drop("__row__")
    # Dates as a company writes them, not as ISO has them.
    spelt = pl.col("since").str.replace_all("-", "/").str.replace_all("/0", "/")
    table.with_columns(spelt).write_csv(tmp_path / "rows.csv")
    project = PROJECT.format(name="t", kind=kind, label=label, other=other, learner=learner)
    (tmp_path / "luodi.yaml").write_text(project)
    run = luodi("run", "--json", cwd=tmp_path)
    assert run.returncode == 0, run.stderr + run.stdout
    result = json.loads(run.stdout)
    assert "sex" not in json.loads((Path(result["bundle"]) / "schema.json").read_text())["request"]

    verified = luodi("verify", result["bundle"], cwd=tmp_path)
    assert verified.returncode == 0, verified.stdout

    predicted = luodi("predict", "t", "rows.csv", "--json", "--explain", cwd=tmp_path)
    assert predicted.returncode == 0, predicted.stderr
    answers = json.loads(predicted.stdout)["answers"]
    assert len(answers) == 500
    assert all(answer["reasons"] for answer in answers)
    stages = tmp_path / ".luodi" / "stages"
    (judged,) = stages.glob("evaluate-*/answers.json")
    (part,) = stages.glob("split-*/test.parquet")
    rows = pl.read_parquet(part)["__row__"].to_list()
    of_file = [{k: v for k, v in answers[row].items() if k != "reasons"} for row in rows]
    same(of_file, json.loads(judged.read_text()), "a file is answered otherwise than was judged")


def test_a_flipped_byte_is_refused(luodi, tmp_path):
    make_table(200).drop("__row__").write_csv(tmp_path / "rows.csv")
    project = PROJECT.format(
        name="t", kind="classification", label="risk", other="amount due", learner="linear"
    )
    (tmp_path / "luodi.yaml").write_text(project)
    result = json.loads(luodi("run", "--json", cwd=tmp_path).stdout)
    for name in ("encoder.json", "decision.json", "weights.npy", "background.npy"):
        path = Path(result["bundle"]) / "model" / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
        assert luodi("predict", result["bundle"], "rows.csv", cwd=tmp_path).returncode == 1, name
        path.write_bytes(whole)
    assert luodi("verify", result["bundle"], cwd=tmp_path).returncode == 0
