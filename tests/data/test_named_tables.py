"""Several tables by name are one: their rows in order, each a source of its own."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from luodi.data.sources import collect
from luodi.project.schema import Project
from luodi.project.sources import TablesSource, members, tables_of

HEADER = "x,y\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Three tables of one kind: two files and a database."""
    for name, start in (("jan", 0), ("feb", 40)):
        rows = "".join(f"{i * 7 % 23},{'ab'[i * i % 7 > 2]}\n" for i in range(start, start + 40))
        (tmp_path / f"{name}.csv").write_text(HEADER + rows)
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute("create table mar (y text, x integer)")
        rows = [("ab"[i * i % 7 > 2], i * 7 % 23) for i in range(80, 120)]
        database.executemany("insert into mar values (?, ?)", rows)
    return tmp_path


SQL = {"sql": "select y, x from mar", "url": "sqlite:///shop.db"}


def source(value: object) -> object:
    values = {"name": "p", "task": "tabular-classification"}
    data = {"source": value, "columns": {"label": "y"}}
    return Project.model_validate({**values, "data": data}).data.source


@pytest.mark.parametrize(
    "value",
    [
        {"jan": "jan.csv", "feb": "feb.csv", "mar": SQL},
        ["jan.csv", "feb.csv", SQL],
        {"jan": {"files": "jan.csv", "format": "csv"}, "feb": "feb.csv", "mar": SQL},
    ],
)
def test_rows_follow_one_another_in_the_order_that_was_given(shop: Path, value: object) -> None:
    several = source(value)
    assert isinstance(several, TablesSource)
    assert len(members(several)) == 3
    found = collect(several, shop)
    assert found.table.height == 120
    assert found.table["x"].to_list() == [i * 7 % 23 for i in range(120)]
    assert len({file.sha256 for file in found.files}) == 3


@pytest.mark.parametrize(
    ("value", "stays"),
    [
        ({"jan": "jan.csv"}, "jan.csv"),
        (["jan.csv"], "jan.csv"),
        ("jan.csv", "jan.csv"),
        (SQL, SQL),
        ({"fies": "jan.csv", "format": "csv"}, {"fies": "jan.csv", "format": "csv"}),
        ({"jan": "jan.csv", "feb": 3}, {"jan": "jan.csv", "feb": 3}),
        ({}, {}),
    ],
)
def test_what_is_no_more_than_one_is_left_alone(value: object, stays: object) -> None:
    assert tables_of(value) == stays


def test_a_run_names_each_and_answers(luodi, shop: Path) -> None:
    (shop / "luodi.yaml").write_text(
        "name: p\ntask: tabular-classification\nmodel: {learner: linear}\n"
        "data:\n  source: {jan: jan.csv, feb: feb.csv}\n  columns: {label: y}\n"
        "  clean: {duplicates: keep}\n"
    )
    done = luodi("run", "--json", cwd=shop)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert result["data"]["rows"] == 80
    told = luodi("data", "log", "--json", cwd=shop)
    assert "jan.csv" in told.stdout
    assert "feb.csv" in told.stdout
    # One more table is other rows: nothing of the first run is taken for the second.
    more = luodi("run", "--json", "--set", "data.source=[jan.csv, feb.csv, jan.csv]", cwd=shop)
    assert json.loads(more.stdout)["data"]["rows"] == 120


def test_tables_that_differ_in_their_columns_are_told(luodi, shop: Path) -> None:
    (shop / "odd.csv").write_text("x,z\n1,a\n")
    done = luodi("data", "profile", "{jan: jan.csv, odd: odd.csv}", "--json", cwd=shop)
    assert done.returncode == 1
    message = json.loads(done.stdout)["error"]["message"]
    assert "odd.csv and jan.csv differ in their columns; missing: y; more: z" in message
    right = luodi("data", "profile", "{jan: jan.csv, feb: feb.csv}", "--json", cwd=shop)
    assert json.loads(right.stdout)["rows"] == 80
