"""What PyYAML would take for something else: No is a column, yes a label, and 2024 a column too."""

from __future__ import annotations

import json

import pytest

PROJECT = """\
name: p
task: tabular-classification
model: {learner: linear}
data:
  source: t.csv
  columns: {label: On, id: No, feature: [2024, off, 1e5], group: yes}
  positive: yes
  labels: [yes, no]
costs: {yes: {no: 5}, no: {yes: 1}}
"""


def write(folder, project: str) -> None:
    (folder / "luodi.yaml").write_text(project)
    rows = [
        f"{i},{i * 7 % 11},{i * 5 % 13},{i * 3 % 17},{'no' if i % 3 else 'yes'},g{i % 30}"
        for i in range(90)
    ]
    (folder / "t.csv").write_text("\n".join(["No,2024,off,1e5,On,yes", *rows]))


def test_columns_and_labels_are_as_they_stand_in_the_table(luodi, tmp_path):
    write(tmp_path, PROJECT)
    done = luodi("run", "--json", cwd=tmp_path)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    bundle = json.loads(done.stdout)["bundle"]
    answered = luodi("predict", bundle, "t.csv", "-o", "a.jsonl", cwd=tmp_path)
    assert answered.returncode == 0, answered.stderr
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert {line["label"] for line in lines} <= {"yes", "no"}


@pytest.mark.parametrize(
    "given", ["data.columns.id=No", "data.positive=yes", "data.labels=[yes,no]"]
)
def test_the_same_behind_set(luodi, tmp_path, given):
    lines = [
        line for line in PROJECT.splitlines() if not line.startswith(("  positive", "  labels"))
    ]
    write(tmp_path, "\n".join(lines))
    done = luodi("check", "--json", "--set", given, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_switches_are_switches_however_they_are_spelt(luodi, tmp_path):
    write(tmp_path, PROJECT)
    done = luodi(
        "check", "--json", "--set", "serve.traffic.keep=no", "--set", "data.noise.check=off",
        "--set", "data.header=yes", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
