"""Clean tables, and what was noticed in one by its code."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence

import polars as pl

from luodi.contracts import Role
from luodi.data.findings.column import Noticed, sheet
from luodi.data.findings.survey import survey

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def noticed(
    table: pl.DataFrame, roles: Mapping[Role, Sequence[str]] | None = None
) -> dict[str, Noticed]:
    """Code -> what was noticed; no code comes up twice for one topic but near-duplicates."""
    return {found.finding.code: found for found in survey(sheet(table, roles), now=NOW)}


def clean_table(rows: int = 400, seed: int = 3) -> pl.DataFrame:
    """Nothing is wrong with it."""
    rng = random.Random(seed)
    return pl.DataFrame(
        {
            "编号": [f"A{n:06}" for n in range(rows)],
            "age in years": [rng.randint(18, 80) for _ in range(rows)],
            "金额.元": [round(rng.lognormvariate(5, 1), 2) for _ in range(rows)],
            "city": [rng.choice(["北京", "上海", "广州", "深圳"]) for _ in range(rows)],
            "vip": [rng.random() < 0.4 for _ in range(rows)],
            "day": [dt.date(2025, 1, 1) + dt.timedelta(days=n % 300) for n in range(rows)],
            "label": [rng.choice(["good", "bad"]) for _ in range(rows)],
        }
    )


def sk_table(name: str) -> pl.DataFrame:
    """One of scikit-learn's own tables."""
    from sklearn import datasets

    found = getattr(datasets, f"load_{name}")()
    columns = {column: found.data[:, n] for n, column in enumerate(found.feature_names)}
    return pl.DataFrame(columns | {"target": found.target})
