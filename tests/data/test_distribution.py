"""Every value stands in one bar; the ends are those of the column."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from luodi.data.distribution import Distribution, distribution
from luodi.data.findings.column import sheet


def of(values: list[object] | np.ndarray) -> Distribution | None:
    return distribution(sheet(pl.DataFrame({"x": values})).columns["x"])


def test_numbers() -> None:
    found = of(np.random.default_rng(1).normal(size=500))
    assert found is not None
    assert sum(found.counts) == 500
    assert len(found.edges) == len(found.counts) + 1 == 31
    few = of([1, 2, 2, 3, None, 7] * 5)
    assert few is not None
    assert few.counts == [5, 10, 5, 0, 0, 0, 5]
    assert few.edges[:2] == ["1", "2"]


def test_a_long_tail_is_drawn_by_logarithms() -> None:
    found = of([1.0, 10.0, 100.0, 1000.0, 1e6] * 20)
    assert found is not None
    assert "logarithm" in found.by
    assert float(found.edges[0]) == pytest.approx(1)
    assert float(found.edges[-1]) == pytest.approx(1e6)
    assert sum(found.counts) == 100


def test_dates_and_texts_and_nothing() -> None:
    days = of([dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(90)])
    assert days is not None
    assert (sum(days.counts), days.edges[0]) == (90, "2024-01-01")
    texts = of([f"a text of its own, number {n}" * (n % 5 + 1) for n in range(60)])
    assert texts is not None
    assert sum(texts.counts) == 60
    assert of([None, None]) is None
    assert of(["a", "b"] * 30) is None
    assert of([float("inf")] * 9) is None
    assert of([1e308, -1e308]) is None
