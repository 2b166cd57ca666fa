"""`luodi check` tells what every column is read as, and that can be overridden."""

from __future__ import annotations

import json

from tests.reviews import make_reviews, write_reviews
from tests.tables import make_table

PROJECT = """\
name: risk
task: tabular-classification
data:
  source: rows.csv
  columns: {label: risk, id: amount due, protected: sex, slice: city}
  kinds: {age: category}
"""


def test_columns_are_shown_as_they_are_read(luodi, tmp_path):
    table = make_table(200).drop("__row__")
    table.with_row_index("no").write_csv(tmp_path / "rows.csv")
    (tmp_path / "luodi.yaml").write_text(PROJECT)
    checked = luodi("check", "--json", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    read = {c["name"]: c["read_as"] for c in json.loads(checked.stdout)["columns"]}
    assert read == {
        "no": None,  # a running number is left out
        "age": "category", "年收入 (元)": "number", "city": "category, slice", "member": "boolean",
        "since": "date", "note": "text", "sex": "protected", "risk": "label", "amount due": "id",
    }  # fmt: skip
    shown = luodi("check", cwd=tmp_path).stdout
    assert "Read as" in shown


def test_a_kind_of_no_column_is_told_with_its_line(luodi, tmp_path):
    make_table(200).drop("__row__").write_csv(tmp_path / "rows.csv")
    (tmp_path / "luodi.yaml").write_text(PROJECT.replace("{age:", "{agee:"))
    checked = luodi("check", "--json", cwd=tmp_path)
    assert checked.returncode == 2
    error = json.loads(checked.stdout)["error"]
    assert "data.kinds.agee" in error["message"]
    assert "Did you mean age?" in error["message"]


HOSTILE = """\
name: shop reviews
task: text-clasification
data:
  source: reviews.csv
  columns: {text: reviw, labl: sentiment}
  clean: {duplicates: dropp, similarity: 7}
  split:
    valid: 1.5
    tset: 0.2
    group: sentimnt
    time: whenever
  leaks: {allow: [review, nope]}
  kinds: {idd: number}
model:
  lerner: linear
  learner: [linaer, transformer]
  base: minilm
  budget: soon
gate:
  acuracy: ">= 0.85"
  accuracy: ">= 1.5"
  macro_f1: "about 0.9"
  beats: liner
serve: {max_batch: 0, max_batch: 8}
"""


def test_all_mistakes_of_all_layers_are_told_in_one_go(luodi, tmp_path):
    write_reviews(tmp_path / "reviews.csv")
    (tmp_path / "luodi.yaml").write_text(HOSTILE)
    checked = luodi("check", "--json", "--set", "serve.port=high", cwd=tmp_path)
    assert checked.returncode == 2
    mistakes = json.loads(checked.stdout)["error"]["mistakes"]
    assert all(mistake["found"] and mistake["expected"] for mistake in mistakes)
    told = {m["where"]: (m["line"], m["nearest"]) for m in mistakes}
    assert told == {
        "serve.port": (None, ""),
        "name": (1, ""),
        "task": (2, "text-classification"),
        "data.columns.labl": (5, "label"),
        "data.columns.label": (5, ""),
        "data.columns.text": (5, "review"),
        "data.clean.duplicates": (6, "drop"),
        "data.clean.similarity": (6, ""),
        "data.split.valid": (8, ""),
        "data.split.tset": (9, "test"),
        "data.split.group": (10, "sentiment"),
        "data.split.time": (11, ""),
        "data.leaks.allow.1": (12, ""),
        "data.kinds.idd": (13, "id"),
        "model.lerner": (15, "learner"),
        "model.learner": (16, "linear"),
        "model.base": (17, "minilm-en"),
        "model.budget": (18, ""),
        "gate.acuracy": (20, "accuracy"),
        "gate.accuracy": (21, ""),
        "gate.macro_f1": (22, ""),
        "gate.beats": (23, "linear"),
        "serve.max_batch": (24, ""),
    }
    assert not (tmp_path / ".luodi" / "runs").exists()


def test_columns_that_no_table_has_are_told_of_all_tables_with_their_lines(luodi, tmp_path):
    make_table(200).drop("__row__").write_csv(tmp_path / "rows.csv")
    make_table(50).drop("__row__", "city").write_csv(tmp_path / "judged.csv")
    more = "  test: judged.csv\n  split:\n    group: sec\n  leaks: {allow: [nope, agee]}\n"
    (tmp_path / "luodi.yaml").write_text(PROJECT + more)
    checked = luodi("check", "--json", cwd=tmp_path)
    assert checked.returncode == 2
    mistakes = json.loads(checked.stdout)["error"]["mistakes"]
    assert [(m["where"], m["line"], m["nearest"], m["found"]) for m in mistakes] == [
        ("data.split.group", 9, "sex", "rows.csv has no column sec"),
        ("data.leaks.allow.0", 10, "note", "rows.csv has no column nope"),
        ("data.leaks.allow.1", 10, "age", "rows.csv has no column agee"),
        ("data.columns.slice", 5, "", "judged.csv has no column city"),
        ("data.split.group", 9, "sex", "judged.csv has no column sec"),
    ]


def test_labels_that_no_row_carries_are_told(luodi, tmp_path):
    write_reviews(tmp_path / "reviews.csv")
    (tmp_path / "luodi.yaml").write_text(
        "name: a\ntask: text-classification\nmodel: {learner: linear}\n"
        "data: {source: reviews.csv, columns: {text: review, label: sentiment}, "
        "labels: [good, neutral]}\n"
    )
    checked = luodi("check", "--json", cwd=tmp_path)
    (told,) = [f for f in json.loads(checked.stdout)["findings"] if "labels" in f["code"]]
    assert told["message"] == "data.labels names neutral, which no row carries."
    assert told["severity"] == "warning"


def test_the_files_own_language_tells_its_mistakes(luodi, tmp_path):
    (tmp_path / "luodi.yaml").write_text(f"language: zh\n{HOSTILE}")
    checked = luodi("check", cwd=tmp_path)
    assert "第 3 行：task: " in checked.stderr
    assert "; expected" not in checked.stderr


def test_how_rows_were_read_and_an_example_are_told_without_being_asked(luodi, tmp_path):
    rows = [f'"不错 {text}",{label}\n' for text, label in make_reviews(120)]
    table = "评论,标签\n" + "".join(rows) + rows[0]
    (tmp_path / "rows.csv").write_bytes(table.encode("gb18030"))
    (tmp_path / "luodi.yaml").write_text(
        "name: hotel\ntask: text-classification\nmodel: {learner: linear}\n"
        "data: {source: rows.csv, columns: {text: 评论, label: 标签}}\n"
    )
    checked = luodi("check", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert "· rows.csv is GB18030; it was read as such." in checked.stdout
    lines = checked.stdout.splitlines()
    place = next(n for n, line in enumerate(lines) if "exact copies" in line)
    assert lines[place + 1].startswith("    row 121 · good · times 2 · 不错 I bought this")
