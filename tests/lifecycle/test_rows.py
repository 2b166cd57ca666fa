"""Rows that cleaning left alone are not looked over twice."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from luodi.contracts import COPIES
from luodi.lifecycle.rows import _same_rows
from tests.tables import as_dataset, make_table


def test_rows_are_the_same_when_only_what_luodi_adds_differs():
    data = as_dataset(make_table(50), "tabular-classification")
    marked = replace(data, table=data.table.with_columns(pl.lit(1).alias(COPIES)))
    assert _same_rows(marked, data)
    assert not _same_rows(replace(marked, table=marked.table.head(49)), data)
    changed = marked.table.with_columns(pl.lit("x").alias("city"))
    assert not _same_rows(replace(marked, table=changed), data)
