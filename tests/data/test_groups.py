"""Columns that are measured by become groups of people."""

from __future__ import annotations

import polars as pl

from luodi.data.groups import grouping


def test_values_are_groups_and_missing_is_one():
    found = grouping(pl.Series("sex", ["m", None, "f", "m"]), protected=True)
    assert found.values == ("(missing)", "f", "m")
    assert found.index.tolist() == [2, 0, 1, 2]
    assert found.protected


def test_many_numbers_are_quartered_in_order():
    ages = pl.Series("age", [None, *range(20, 60)])
    found = grouping(ages, protected=True)
    assert [v for v in found.values if v != "(missing)"] == [
        "1: 20–29.75", "2: 29.75–39.5", "3: 39.5–49.25", "4: 49.25–59",
    ]  # fmt: skip


def test_few_numbers_stay_themselves():
    assert grouping(pl.Series("class", [1, 2, 3, 1]), False).values == ("1", "2", "3")


def test_many_names_keep_the_largest():
    found = grouping(pl.Series("town", [f"t{n % 40}" for n in range(100)]), False)
    assert len(found.values) == 30
    assert found.values[-1] == "(others)"
