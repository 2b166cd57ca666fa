"""Planted leaks are found with their evidence; honest columns are left alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from luodi.contracts import QuestionSettings, Role
from luodi.data.leaks import CODE, evidence, find_leaks
from luodi.data.roles import assign_roles
from luodi.tasks import find_task
from tests.tables import make_table

ROWS = 600


def dataset(table, task="tabular-classification", question=None, **roles):
    return assign_roles(table, {Role.LABEL: "y", **roles}, find_task(task).roles, question)


def base(seed=0):
    """An event in ten rows, which two honest columns tell something of."""
    rng = np.random.default_rng(seed)
    event = rng.random(ROWS) < 0.15
    return rng, event, {
        "y": np.where(event, "bad", "good"),
        "income": rng.normal(0, 1, ROWS) - event,
        "city": rng.choice(list("abcdef"), ROWS),
    }  # fmt: skip


def refused(data):
    return {f.columns[0]: f for f in find_leaks(data) if f.severity == "error"}


def test_honest_columns_are_left_alone():
    for seed in range(5):
        assert not find_leaks(dataset(pl.DataFrame(base(seed)[2])))


def test_a_flag_set_only_after_the_event():
    rng, event, columns = base()
    columns["collection started"] = (event & (rng.random(ROWS) < 0.4)).astype(int)
    found = refused(dataset(pl.DataFrame(columns)))
    assert set(found) == {"collection started"}
    finding = found["collection started"]
    assert finding.code == CODE
    assert finding.details["how"] == "flag"
    assert "carry the label bad" in finding.message


def test_an_amount_that_only_the_event_has():
    rng, event, columns = base()
    columns["recovered"] = np.where(event, rng.gamma(2, 100, ROWS), 0.0)
    assert set(refused(dataset(pl.DataFrame(columns)))) == {"recovered"}


def test_missingness_that_equals_the_label():
    rng, event, columns = base()
    closed = [None if bad else f"2024-01-{d:02d}" for bad, d in
              zip(event, rng.integers(1, 28, ROWS), strict=True)]  # fmt: skip
    columns["closed on"] = closed
    assert "closed on" in refused(dataset(pl.DataFrame(columns)))


def test_the_label_in_other_words():
    _, event, columns = base()
    columns["status"] = np.where(event, "written off", "paid")
    columns["score"] = event * 1.0 + np.random.default_rng(1).normal(0, 0.05, ROWS)
    assert set(refused(dataset(pl.DataFrame(columns)))) == {"status", "score"}


def test_an_index_that_follows_the_label():
    _, event, columns = base()
    order = np.argsort(event, kind="stable")
    table = pl.DataFrame(columns)[order].with_row_index("no")
    found = refused(dataset(table))
    assert set(found) == {"no"}
    assert found["no"].details["how"] == "index"
    assert not find_leaks(dataset(pl.DataFrame(columns).with_row_index("no")))
    assert not find_leaks(dataset(table, id="no"))  # named for what it is, it is not learnt from


def test_an_account_number_learns_nothing_by_heart():
    _, _, columns = base()
    columns["account"] = [f"A{n * 7919 % 100_003}" for n in range(ROWS)]
    assert not find_leaks(dataset(pl.DataFrame(columns)))


def test_many_labels_in_other_words():
    table = make_table(ROWS, labels=3).rename({"risk": "y"}).drop("amount due")
    data = dataset(table.with_columns(pl.col("y").str.to_uppercase().alias("grade")))
    assert set(refused(data)) == {"grade"}
    assert not refused(dataset(table))


@pytest.mark.parametrize("factor", [1.19, -3.0])
def test_a_number_times_a_constant(factor):
    rng = np.random.default_rng(3)
    y = rng.gamma(2, 50, ROWS)
    columns = {"y": y, "gross": y * factor, "guess": y + rng.normal(0, 30, ROWS)}
    assert set(refused(dataset(pl.DataFrame(columns), "tabular-regression"))) == {"gross"}


def test_a_column_that_is_allowed_is_told_and_not_refused():
    _, event, columns = base()
    columns["status"] = np.where(event, "written off", "paid")
    question = QuestionSettings(leaks=("status",))
    (finding,) = find_leaks(dataset(pl.DataFrame(columns), question=question))
    assert finding.severity == "info"
    assert finding.handled


def test_too_few_rows_say_nothing():
    _, event, columns = base()
    columns["status"] = np.where(event, "written off", "paid")
    assert evidence(dataset(pl.DataFrame(columns).head(30))) == []


def test_a_stray_label_does_not_hide_a_leak():
    _, event, columns = base()
    columns["collection started"] = event.astype(int)
    columns["y"] = columns["y"].copy()
    labels = columns["y"].tolist()
    labels[:3] = ["?"] * 3
    columns["y"] = labels
    assert set(refused(dataset(pl.DataFrame(columns)))) == {"collection started"}


def test_many_labels_do_not_hide_a_leak():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 60, 6000)
    table = {"y": [f"kind {k}" for k in kind], "copy": [f"{k} x" for k in kind],
             "income": rng.normal(0, 1, 6000)}  # fmt: skip
    assert set(refused(dataset(pl.DataFrame(table)))) == {"copy"}
