"""Labels of any length are numbered by their value, in memory of their own size."""

from __future__ import annotations

import tracemalloc

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from luodi.contracts import Role, SplitSettings
from luodi.data.levels import levels
from luodi.data.roles import assign_roles
from luodi.data.split import split
from luodi.tasks.text_classification import task


@given(st.lists(st.text(max_size=5)))
def test_the_order_is_that_of_the_signs_numbers(texts):
    names, codes = levels(pl.Series(texts, dtype=pl.String))
    assert names == sorted(set(texts))
    assert [names[code] for code in codes] == texts


def test_one_long_label_does_not_widen_all_rows():
    rows = 400
    labels = ["good", "bad"] * (rows // 2)
    labels[7:67:4] = ["x" * (1 << 20)] * len(labels[7:67:4])
    table = pl.DataFrame({"text": [f"text {n}" for n in range(rows)], "label": labels})
    data = assign_roles(table, {Role.TEXT: "text", Role.LABEL: "label"}, task.roles)
    tracemalloc.start()
    parts = split(data, SplitSettings(), "label")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(part.rows for part in (parts.train, parts.valid, parts.test)) == rows
    assert peak < 1 << 27  # an array of rows as wide as the longest has 1.7 GB
