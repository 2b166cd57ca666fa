"""A table of 300,000 rows and 30 columns with faults at known places."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl

ROWS, COPIES = 300_000, 500
PLANTED = {
    "missing": {"n3": 0.02, "n7": 0.35, "c2": 0.05},
    "constant": ["k1", "k2"],
    "identifier": ["id"],
    "near_constant": ["rare"],
    "outliers": ["n1"],
    "future": ["day"],
    "duplicates": COPIES,
}


def make(path: Path, rows: int = ROWS, seed: int = 7) -> None:
    """Write the table as Parquet."""
    rng = np.random.default_rng(seed)
    columns: dict[str, object] = {"id": [f"A{n:07}" for n in range(rows)]}
    for n in range(1, 16):
        kind = n % 4
        if kind == 0:
            values = rng.lognormal(8, 1, rows)
        elif kind == 1:
            values = rng.normal(50, 12, rows)
        elif kind == 2:
            values = rng.integers(0, 200, rows).astype(float)
        else:
            values = rng.exponential(3, rows)
        columns[f"n{n}"] = values.round(4)
    columns["n1"][rng.choice(rows, 20, replace=False)] = 1e7  # type: ignore[index]
    for n in range(1, 7):
        columns[f"c{n}"] = rng.choice([f"group {k}" for k in range(3 * n)], rows)
    columns["flag"] = rng.random(rows) < 0.3
    columns["rare"] = np.where(rng.random(rows) < 0.001, "yes", "no")
    columns["k1"], columns["k2"] = ["x"] * rows, np.zeros(rows, np.int64)
    start = dt.date(2020, 1, 1)
    days = [start + dt.timedelta(days=int(d)) for d in rng.integers(0, 1800, rows)]
    days[7] = dt.date(2090, 1, 1)
    columns["day"] = days
    words = [
        "很好",
        "一般",
        "服务",
        "物流",
        "质量",
        "包装",
        "价格",
        "下次",
        "推荐",
        "失望",
        "速度",
        "客服",
    ]
    picks = rng.integers(0, len(words), (rows, 8))
    columns["text"] = ["".join(words[w] for w in row) + str(n) for n, row in enumerate(picks)]
    columns["note"] = [f"row {n} of the {n % 977} th batch came in" for n in range(rows)]
    columns["label"] = rng.choice(["good", "bad"], rows, p=[0.9, 0.1])
    table = pl.DataFrame(columns)
    for name, share in PLANTED["missing"].items():  # type: ignore[union-attr]
        holes = pl.Series(rng.random(rows) < share)
        table = table.with_columns(pl.when(holes).then(None).otherwise(pl.col(name)).alias(name))
    # Copies of earlier rows at the end.
    table = pl.concat([table.head(rows - COPIES), table.slice(1000, COPIES)])
    table.select(list(table.columns)[:30]).write_parquet(path)
