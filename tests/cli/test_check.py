"""`luodi check` tells what every column is read as, and that can be overridden."""

from __future__ import annotations

import json

from tests.reviews import make_reviews
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
