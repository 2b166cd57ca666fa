"""A table with a column of every kind, missing values among them, made from a seed."""

from __future__ import annotations

import numpy as np
import polars as pl

from luodi.contracts import ROW, Dataset, QuestionSettings, Role
from luodi.data.roles import assign_roles
from luodi.tasks import find_task


def make_table(rows: int = 400, seed: int = 0, labels: int = 2) -> pl.DataFrame:
    """Columns of every kind; `risk` (a label) and `amount due` (a number) follow from them."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, rows).astype(float)
    income = np.exp(rng.normal(8, 1, rows))
    city = rng.choice(["北京", "上海", "Köln", "New York"], rows, p=[0.4, 0.3, 0.2, 0.1])
    member = rng.random(rows) < 0.4
    days = rng.integers(0, 1000, rows)
    words = rng.choice(["late payment", "on time", "bad surprise", "all well"], rows)
    note = [f"{word} number {n % 17} of the whole year and more" for n, word in enumerate(words)]
    score = (
        (age - 45) / 15 - np.log(income) + 8 + 1.5 * (city == "Köln") - member
        + np.isin(words, ["late payment", "bad surprise"]) + rng.normal(0, 0.6, rows)
    )  # fmt: skip
    edges = np.quantile(score, np.linspace(0, 1, labels + 1)[1:-1])
    names = np.array(["good", "bad", "ugly", "odd"])
    age[rng.random(rows) < 0.1] = np.nan
    return pl.DataFrame(
        {
            ROW: np.arange(rows),
            "age": pl.Series(age).fill_nan(None),
            "年收入 (元)": np.round(income, 2),
            "city": [None if rng.random() < 0.05 else name for name in city.tolist()],
            "member": member,
            "since": [f"2020-{1 + d % 12:02d}-{1 + d % 28:02d}" for d in days.tolist()],
            "note": note,
            "sex": rng.choice(["f", "m"], rows),
            "risk": names[np.searchsorted(edges, score)],
            "amount due": np.round(score * 10 + 100, 3),
        }
    )


def as_dataset(
    table: pl.DataFrame, task: str, question: QuestionSettings | None = None, **roles: str
) -> Dataset:
    """The table with its roles: the label of the task's kind, the other label ignored."""
    label, other = ("risk", "amount due")
    if task == "tabular-regression":
        label, other = other, label
    named = {Role.LABEL: label, Role.ID: (other,), **roles}
    return assign_roles(table, named, find_task(task).roles, question)
