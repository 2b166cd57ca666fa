"""Distances that tell a generator that learnt by heart from one that did not."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from luodi.data.augment.distance import privacy_distance


def people(rows: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "age": rng.integers(18, 80, rows),
            "pay": rng.normal(3000, 900, rows),
            "city": rng.choice(["a", "b", "c", None], rows),
        }
    )


def test_fresh_rows_are_no_nearer_than_strangers() -> None:
    found = privacy_distance(people(600, 3), people(1000, 1), people(600, 2), 7)
    assert not found.suspicious
    assert 0.4 < found.nearer < 0.6
    assert found.copies == 0
    assert found.made_median == pytest.approx(found.held_median, rel=0.2)


def test_rows_learnt_by_heart_are_seen() -> None:
    train, held = people(1000, 1), people(400, 2)
    copied = privacy_distance(train.head(400), train, held, 7)
    assert copied.suspicious
    assert copied.copies == 400
    noisy = train.head(400).with_columns(pay=pl.col("pay") * 1.001)
    near = privacy_distance(noisy, train, held, 7)
    assert near.copies == 0
    assert near.suspicious


def test_distances_by_hand() -> None:
    train = pl.DataFrame({"x": [0.0, 10.0], "c": ["a", "b"]})
    made = pl.DataFrame({"x": [5.0, None], "c": ["a", "a"]})
    found = privacy_distance(made, train, made, 7)
    # 5 is half the range from 0 and the words agree: a quarter; a gap is as far as can be: a half.
    assert found.made_median == pytest.approx((0.25 + 0.5) / 2)
    assert privacy_distance(made.clear(), train, made.clear(), 7).made == 0
