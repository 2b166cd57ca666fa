"""Sketches: what changed between two tables is seen, what did not is not."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from luodi.data.fingerprint import fingerprint
from luodi.data.sketch import Sketch, compare, sketch
from luodi.data.store import Store


def make(rows: int, seed: int, **changed: object) -> pl.DataFrame:
    chance = np.random.default_rng(seed)
    columns = {
        "number": chance.normal(size=rows),
        "skewed": chance.exponential(size=rows) * (chance.random(rows) > 0.5),
        "whole": chance.integers(0, 5, rows),
        "kind": chance.choice(["甲", "乙", "丙"], rows, p=[0.6, 0.3, 0.1]),
        "text": ["很好" * int(n) + "x" * 50 for n in chance.integers(1, 60, rows)],
        "day": chance.integers(19_000, 19_400, rows).astype("datetime64[D]"),
        "gone": np.where(chance.random(rows) < 0.1, np.nan, 1.0),
    }
    return pl.DataFrame(columns | changed).with_columns(pl.col("gone").fill_nan(None))


def drift(a: pl.DataFrame, b: pl.DataFrame) -> dict[str, str]:
    difference = compare(sketch(a, fingerprint(a)), sketch(b, fingerprint(b)))
    return {column.name: column.verdict for column in difference.columns}


def test_two_draws_of_one_population_are_the_same() -> None:
    assert set(drift(make(5000, 1), make(4000, 2)).values()) == {"same"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", np.random.default_rng(3).normal(1.0, 1, 4000)),
        ("skewed", np.random.default_rng(3).exponential(size=4000)),
        ("whole", np.random.default_rng(3).integers(3, 9, 4000)),
        ("kind", ["丁"] * 4000),
        ("text", ["很好" * 100] * 4000),
        ("day", np.full(4000, 20_500).astype("datetime64[D]")),
        ("gone", [None, 1.0] * 2000),
    ],
)
def test_one_column_that_drifted_is_found(name: str, value: object) -> None:
    found = drift(make(5000, 1), make(4000, 2, **{name: value}))
    assert found.pop(name) == "other"
    assert set(found.values()) == {"same"}


def test_schema_and_types() -> None:
    a, b = make(100, 1), make(100, 1).drop("day").with_columns(new=1, whole=pl.lit("x"))
    difference = compare(sketch(a, "sha256:a"), sketch(b, "sha256:b"))
    told = difference.to_json()
    assert told["schema"] == {
        "removed": ["day"], "added": ["new"], "changed": {"whole": ["Int64", "String"]},
    }  # fmt: skip
    assert not told["same"]
    assert next(c for c in told["columns"] if c["name"] == "whole")["psi"] is None
    assert compare(difference.a, difference.a).same


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame({"a": [None, None]}),
        pl.DataFrame({"a": []}, schema={"a": pl.Int64}),
        pl.DataFrame({"a": [[1], [2]], "b": [{"x": 1}, None], "c": [True, None]}),
        pl.DataFrame({"a": [float("nan"), float("inf")], "b": ["", ""]}),
        pl.DataFrame({"a": [1]}),
    ],
)
def test_odd_tables_have_sketches_too(table: pl.DataFrame) -> None:
    import json

    made = sketch(table, fingerprint(table))
    kept = Sketch.from_json(json.loads(json.dumps(made.to_json())))
    assert all(column.verdict == "same" for column in compare(made, kept).columns)


def test_what_hides_people_hides_them_in_a_sketch(tmp_path: Path) -> None:
    phones = [f"138{n:08}" for n in range(200)]
    table = pl.DataFrame({"phone": phones, "call": ["ring 13812345678", "ring 13987654321"] * 100})
    store, print_ = Store(tmp_path), fingerprint(table)
    store.remember(table, print_)

    def hide(texts: Sequence[str]) -> list[str]:
        return [re.sub(r"1[0-9]{10}", "<PHONE>", text) for text in texts]

    store.remember(table, print_, hide)
    [kept] = (tmp_path / "data" / "tables").glob("*.json")
    assert not re.search(r"1[0-9]{10}", kept.read_text().replace(print_, ""))
    found = store.recall(print_)
    assert found.columns["call"].values == {"ring <PHONE>": 200}
    assert found.columns["phone"].values == {}  # what stands once is no class
    before = kept.stat().st_mtime_ns
    store.remember(table, print_, hide)
    assert kept.stat().st_mtime_ns == before


@pytest.mark.parametrize("rows", [60, 300, 3000])
def test_many_values_of_one_source_do_not_drift_by_chance(rows: int) -> None:
    """Fifty of several hundred values are kept, and which ones is chance where all are alike."""
    rng = random.Random(rows)
    days = [f"2024-{n % 12 + 1:02d}-{n % 28 + 1:02d}" for n in range(336)]
    tables = [
        pl.DataFrame({"day": rng.choices(days, k=k), "n": [rng.gauss(0, 1) for _ in range(k)]})
        for k in (1500, rows)
    ]
    difference = compare(*(sketch(table, f"sha256:{n}") for n, table in enumerate(tables)))
    assert {column.verdict for column in difference.columns} == {"same"}
    if rows < 300:
        return  # too few stand twice to tell
    other = tables[1].with_columns(day=pl.lit("2025-") + pl.col("day").str.slice(5))
    drifted = compare(sketch(tables[0], "sha256:0"), sketch(other, "sha256:2"))
    assert {c.name: c.verdict for c in drifted.columns} == {"day": "other", "n": "same"}
