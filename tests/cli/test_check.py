"""`luodi check` tells what every column is read as, and that can be overridden."""

from __future__ import annotations

import json

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
