"""A small network learns what a table looks like; a gap stays a gap."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

pytest.importorskip("torch", reason="torch is not installed")

from luodi.contracts import DataError
from luodi.data.augment.ctgan import Ctgan


def table(rows: int = 500) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    kind = rng.choice(["low", "high"], rows, p=[0.7, 0.3])
    value = np.where(kind == "low", rng.normal(0, 1, rows), rng.normal(50, 2, rows))
    value[rng.random(rows) < 0.2] = np.nan
    return pl.DataFrame(
        {"类别": kind, "v.1": pl.Series(value).fill_nan(None), "n": rng.integers(0, 9, rows)}
    )


@pytest.mark.train
def test_made_rows_are_like_the_real_ones() -> None:
    real = table()
    made = Ctgan.learn(real, epochs=80, seed=3).sample(500, seed=4)
    assert made.schema == real.schema
    assert 0.5 < (made["类别"] == "low").mean() < 0.9
    assert 0.05 < made["v.1"].is_null().mean() < 0.4
    assert made["n"].is_between(0, 8).all()
    means = dict(made.group_by("类别").agg(pl.col("v.1").mean()).iter_rows())
    assert means["high"] - means["low"] > 20  # 50 in truth: what belongs together stays together


def test_the_same_seed_makes_the_same_rows() -> None:
    real = table(60)
    one, two = (Ctgan.learn(real, epochs=1, seed=3) for _ in range(2))
    assert one.sample(30, seed=1).equals(two.sample(30, seed=1))
    assert not one.sample(30, seed=1).equals(one.sample(30, seed=2))
    assert one.sample(0).height == 0


def test_numbers_alone_and_words_alone() -> None:
    for columns in (["v.1", "n"], ["类别"]):
        real = table(60).select(columns)
        assert Ctgan.learn(real, epochs=1).sample(25).schema == real.schema


def test_too_few_rows_are_told() -> None:
    with pytest.raises(DataError, match="19 rows"):
        Ctgan.learn(table(19))
    with pytest.raises(DataError, match="0 columns"):
        Ctgan.learn(table(30).select())
