"""Columns in a company's own spellings, from the file to the schema that a service asks by."""

from __future__ import annotations

import pytest

from luodi.contracts import ProjectError, Quiet, RequestError
from luodi.lifecycle.place import open_check
from luodi.lifecycle.rows import collect, prepare, split
from luodi.project.file import load_project
from tests.tables import make_table

PROJECT = """\
name: risk
task: tabular-classification
data:
  source: rows.csv
  test: test.csv
  columns: {label: risk, id: amount due}
  kinds: %s
"""


class Nobody:
    def begin(self, stage):
        return Quiet()

    def end(self, stage, seconds, reused):
        pass

    def tell(self, message):
        pass


def rows(count, seed, late="later"):
    """The company's export: semicolons, decimal commas, days first, yes and no."""
    table = make_table(count, seed).drop("__row__").rename({"年收入 (元)": "income"}).to_dicts()
    for number, row in enumerate(table):
        year, month, day = row["since"].split("-")
        row["since"] = f"{day}.{month}.{year}"
        row["paid"] = f"{year}{month}{day}"
        row["income"] = f"{row['income']:,.1f}".translate(str.maketrans(",.", ".,"))
        row["member"] = "有" if row["member"] else "无"
        row["twice"] = "Yes" if number % 3 else "no"
        row["state"] = "open" if number % 7 else "soon"
        row["city"] = row["city"] if number % 11 else late
        row["limit"] = "unlimited" if number % 9 == 0 else str(number % 13 * 10)
    return table


def written(path, table):
    lines = [";".join(table[0])]
    lines += [";".join("" if v is None else str(v) for v in row.values()) for row in table]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def cut(folder, kinds="{limit: number}"):
    (folder / "luodi.yaml").write_text(PROJECT % kinds)
    written(folder / "rows.csv", rows(300, 1))
    written(folder / "test.csv", rows(100, 2, late="Atlantis"))
    place = open_check(load_project(folder), Nobody(), "en")
    raw = collect(place)
    clean = prepare(place, raw)
    return clean, split(place, raw, clean)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LUODI_HOME", str(tmp_path / "home"))
    return tmp_path


def test_columns_and_requests_are_read_alike(home):
    clean, done = cut(home)
    fields = {field.name: field for field in done.schema.request}
    assert {name: (f.kind, f.format) for name, f in fields.items()} == {
        "age": ("number", ""), "income": ("number", "decimal-comma"), "city": ("category", ""),
        "member": ("boolean", ""), "since": ("date", "day-first"), "note": ("text", ""),
        "sex": ("category", ""), "paid": ("date", "digits"), "twice": ("boolean", ""),
        "state": ("category", ""), "limit": ("number", ""),
    }  # fmt: skip
    asked = {
        "age": 30, "income": "1.234,5", "city": "Köln", "member": "有", "since": "24.5.2020",
        "note": "all well", "sex": "f", "paid": 20200524, "twice": "YES", "state": "open",
        "limit": 10,
    }  # fmt: skip
    read = done.schema.read(asked)
    assert (read["income"], read["member"], read["twice"]) == (1234.5, True, True)
    assert read["since"] == read["paid"] == "2020-05-24"
    with pytest.raises(RequestError, match="twice"):
        done.schema.read({**asked, "twice": "perhaps"})
    told = {finding.code: finding for finding in clean.findings}
    assert [*told["decimal-comma"].columns] == ["income"]
    assert [*told["date-order"].columns] == ["since", "paid"]
    assert "mixed-dates" not in told
    lost = told["unreadable-values"]
    assert ([*lost.columns], lost.severity, lost.count) == (["limit"], "warning", 34)
    assert "'unlimited'" in lost.message


def test_values_are_the_training_part_s_alone(home):
    _, done = cut(home)
    city = next(field for field in done.schema.request if field.name == "city")
    there = set(done.parts.train.table["city"].drop_nulls())
    assert "Atlantis" in set(done.parts.test.table["city"])
    assert set(city.categories) == there
    assert city.example in there


def test_a_kind_that_no_value_is_of_is_a_mistake(home):
    with pytest.raises(ProjectError) as caught:
        cut(home, "{state: number, limit: date, city: category}")
    where = [mistake.where for mistake in caught.value.mistakes]
    assert where == ["data.kinds.state", "data.kinds.limit"]
    assert "no value of state in rows.csv is a number: 'soon', 'open'" in str(caught.value)
    assert caught.value.mistakes[0].line == 7
