"""Two tables of one source are alike; a planted shift is told, in its column alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from luodi.contracts import Role
from luodi.data.findings.copies import copies_across
from luodi.data.findings.skew import skew, stability
from tests.data.findings.tables import clean_table


def codes(first: pl.DataFrame, second: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    found = skew(first, second, {Role.ID: ["编号"]})
    return {n.finding.code: tuple(n.finding.columns) for n in found}


@pytest.mark.parametrize("rows", [(400, 400), (3000, 60), (60, 3000)])
def test_samples_of_one_source_are_alike(rows: tuple[int, int]) -> None:
    first, second = clean_table(rows[0], 1).drop("day"), clean_table(rows[1], 2).drop("day")
    assert codes(first, second) == {}


def test_shifts_are_told() -> None:
    first, second = clean_table(1000, 1).drop("day"), clean_table(1000, 2).drop("day")
    older = second.with_columns(pl.col("age in years") + 30)
    assert codes(first, older) == {"skew": ("age in years",)}
    moved = second.with_columns(pl.lit("重庆").alias("city"))
    assert codes(first, moved) == {"skew": ("city",)}
    holed = second.with_columns(
        pl.when(pl.int_range(1000) % 3 == 0).then(None).otherwise(pl.col("vip")).alias("vip")
    )
    assert codes(first, holed) == {"skew": ("vip",)}


def test_columns_and_types() -> None:
    first, second = clean_table(), clean_table()
    assert codes(first.drop("vip"), second)["skew-columns"] == ("vip",)
    found = skew(first, second.drop("vip"), {})
    assert found[0].finding.severity == "warning"
    text = second.with_columns(pl.col("age in years").cast(pl.String))
    assert codes(first, text) == {"skew-types": ("age in years",)}


def test_the_index_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(1)
    reference, other = rng.normal(size=20_000), rng.normal(0.5, 1, size=20_000)
    edges = np.quantile(reference, np.linspace(0, 1, 11))
    edges[0], edges[-1] = -np.inf, np.inf
    p, q = (np.histogram(x, edges)[0] / len(x) for x in (reference, other))
    index, chance = stability(reference, other)
    assert index == pytest.approx(float(((q - p) * np.log(q / p)).sum()), rel=0.02)
    assert chance == pytest.approx(27.88 * 2 / 20_000, rel=0.01)  # chi-squared, 9 degrees
    samples = [stability(rng.normal(size=500), rng.normal(size=500)) for _ in range(2000)]
    assert sum(index > limit for index, limit in samples) <= 12


def test_copies_across_tables() -> None:
    first, second = clean_table(100, 1), clean_table(100, 2)
    mixed = pl.concat([second.head(5), first.slice(40, 3), second.tail(5)])
    assert copies_across(first, mixed).tolist() == [5, 6, 7]
    with_gap = first.with_columns(pl.lit(None, pl.String).alias("city"))
    assert len(copies_across(with_gap, with_gap)) == 100
