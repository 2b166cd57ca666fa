"""Leaks in every dress are refused; what is strong, rare or merely dated is not."""

from __future__ import annotations

import datetime as dt
import time

import numpy as np
import polars as pl
import pytest
from sklearn import datasets

from luodi.contracts import QuestionSettings, Role
from luodi.data.leaks import find_leaks
from luodi.data.roles import assign_roles
from luodi.tasks import find_task

ROWS = 1200


def found_in(columns, task="tabular-classification", question=None):
    data = assign_roles(pl.DataFrame(columns), {Role.LABEL: "y"}, find_task(task).roles, question)
    return {f.columns: f for f in find_leaks(data)}


def refused(columns, task="tabular-classification", question=None):
    found = found_in(columns, task, question)
    return {names for names, f in found.items() if f.severity == "error"}


def base(seed=0, share=0.15):
    rng = np.random.default_rng(seed)
    event = rng.random(ROWS) < share
    return rng, event, {
        "y": np.where(event, "bad", "good"),
        "income": rng.normal(0, 1, ROWS) - event,
        "city": rng.choice(list("abcdef"), ROWS),
    }  # fmt: skip


def days(numbers, spelt="%Y-%m-%d"):
    start = dt.date(2021, 1, 1)
    return [(start + dt.timedelta(int(n))).strftime(spelt) for n in numbers]


@pytest.mark.parametrize("spelt", ["%Y-%m-%d", "%Y/%m/%d", "%Y年%m月%d日"])
def test_a_date_that_orders_the_label(spelt):
    rng, event, columns = base()
    columns["last paid"] = days(rng.integers(0, 300, ROWS) + 310 * event, spelt)
    assert refused(columns) == {("last paid",)}


def test_a_date_that_only_events_have_later():
    rng, event, columns = base()
    late = event & (rng.random(ROWS) < 0.7)
    columns["updated"] = days(np.where(late, 400, 0) + rng.integers(0, 300, ROWS))
    found = found_in(columns)
    assert found["updated",].severity == "error"
    assert "later than 2021-12-" in found["updated",].message


def test_a_few_events_that_are_later_than_all_others():
    for seed in range(3):
        rng, event, columns = base(seed, 0.05)
        late = event & (rng.random(ROWS) < 0.8)
        columns["updated"] = days(np.where(late, 320, 0) + rng.integers(0, 300, ROWS))
        assert refused(columns) == {("updated",)}


def test_honest_dates_are_left_alone():
    for seed in range(5):
        rng, event, columns = base(seed)
        columns["opened"] = days(rng.integers(0, 900, ROWS) - 200 * event)
        assert not refused(columns)


def test_numbers_written_as_text():
    rng, event, columns = base()
    columns["balance"] = [f"{n:,}" for n in rng.integers(2000, 5000, ROWS) + 9000 * event]
    assert refused(columns) == {("balance",)}


def test_a_text_that_names_the_label():
    rng, event, columns = base()
    about = [f"called customer {n} about the account on a rainy day" for n in range(ROWS)]
    told = event & (rng.random(ROWS) < 0.3)
    columns["note"] = [
        f"{a}, {'now BAD' if t else 'as usual'}" for a, t in zip(about, told, strict=True)
    ]
    found = found_in(columns)
    assert found["note",].severity == "error"
    assert "'bad'" in found["note",].message


@pytest.mark.parametrize("word", ["collection", "催收"])
def test_a_text_with_a_word_that_only_events_have(word):
    rng, event, columns = base()
    told = event & (rng.random(ROWS) < 0.8)
    columns["note"] = [
        f"call {n} of the day, number {n * 7}, {word if t else 'at rest'}, and more was said"
        for n, t in enumerate(told)
    ]
    assert refused(columns) == {("note",)}


def test_honest_texts_are_left_alone():
    words = ["late", "paid", "house", "car", "letter", "phone", "angry", "calm", "moved"]
    weights = np.arange(1, 10) / 45
    for seed in range(3):
        rng, event, columns = base(seed)
        columns["note"] = [
            " ".join(rng.choice(words, 7, p=weights if bad else weights[::-1])) for bad in event
        ]
        assert not refused(columns)


def test_a_category_that_only_events_carry():
    rng, event, columns = base()
    states = rng.choice(["current", "late", "very late"], ROWS).astype(object)
    states[event & (rng.random(ROWS) < 0.4)] = "charged off"
    columns["state"] = states
    found = found_in(columns)
    assert found["state",].severity == "error"
    assert "state = charged off" in found["state",].message


def test_a_flag_with_a_false_hit():
    rng, event, columns = base()
    flag = event & (rng.random(ROWS) < 0.9)
    flag[np.flatnonzero(~event)[0]] = True
    columns["flag"] = flag.astype(int)
    assert refused(columns) == {("flag",)}


def test_events_of_more_than_half_of_the_rows():
    rng, event, columns = base(share=0.65)
    columns["flag"] = np.where(event & (rng.random(ROWS) < 0.8), "seen", "unseen")
    assert refused(columns) == {("flag",)}


def test_an_amount_that_hardly_any_other_has():
    rng, event, columns = base(share=0.75)  # cards given, and what was spent on them
    columns["spent"] = np.where(event, rng.gamma(2, 100, ROWS), 0.0)
    columns["spent"][np.flatnonzero(event)[:9]] = 0.0
    assert refused(columns) == {("spent",)}


@pytest.mark.parametrize("name", ["breast_cancer", "iris", "wine"])
def test_no_column_of_the_field_s_own_tables_is_refused(name):
    frame = getattr(datasets, f"load_{name}")()
    columns = dict(zip(frame.feature_names, frame.data.T, strict=True))
    assert not refused({**columns, "y": frame.target.astype(str)})


def test_no_column_of_diabetes_is_refused():
    frame = datasets.load_diabetes()
    columns = dict(zip(frame.feature_names, frame.data.T, strict=True))
    assert not refused({**columns, "y": frame.target}, "tabular-regression")


def test_a_strong_and_honest_test_is_left_alone():
    for seed in range(5):
        rng, event, columns = base(seed, 0.3)
        positive = np.where(event, rng.random(ROWS) < 0.9, rng.random(ROWS) < 0.05)
        columns["test"] = np.where(positive, "positive", "negative")
        columns["grade"] = np.where(
            positive, rng.choice(["III", "IV"], ROWS), rng.choice(["I", "II"], ROWS)
        )
        columns["size"] = rng.normal(0, 1, ROWS) + 3.5 * event
        assert not refused(columns)


def test_rare_categories_gain_nothing_by_chance():
    for seed in range(5):
        rng, _, columns = base(seed)
        columns["branch"] = [f"branch {n}" for n in rng.integers(0, 150, ROWS)]
        assert not found_in(columns)


def target(seed=3):
    rng = np.random.default_rng(seed)
    y = rng.gamma(2, 50, ROWS)
    return rng, {"y": y, "guess": y + rng.normal(0, 30, ROWS)}


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (1, 1, 1)])
def test_a_target_that_is_a_sum(signs):
    rng, columns = target()
    parts = [rng.gamma(2, 20, ROWS) for _ in signs[1:]]
    columns["a"] = columns["y"] - sum(s * p for s, p in zip(signs[1:], parts, strict=True))
    columns |= dict(zip("bc", parts, strict=False))
    names = tuple("abc"[: len(signs)])
    assert refused(columns, "tabular-regression") == {names}
    allowed = QuestionSettings(leaks=names)
    assert not refused(columns, "tabular-regression", allowed)
    assert refused(columns, "tabular-regression", QuestionSettings(leaks=("a",))) == {names}


def test_columns_that_sum_to_nearly_the_target_are_left_alone():
    rng, columns = target()
    columns["a"] = columns["y"] * 0.7 + rng.normal(0, 3, ROWS)
    columns["b"] = columns["y"] * 0.3 + rng.normal(0, 3, ROWS)
    assert not refused(columns, "tabular-regression")


@pytest.mark.parametrize("how", ["flag", "bands"])
def test_a_target_cut_into_ranges(how):
    _, columns = target()
    y = columns["y"]
    columns["told"] = {
        "flag": np.where(y > 100, "high", "low"),
        "bands": np.array(["D", "B", "A", "C"])[np.searchsorted([50, 90, 150], y)],
    }[how]
    found = found_in(columns, "tabular-regression")
    assert found["told",].severity == "error"
    assert found["told",].details["how"] == "bands"


def test_a_column_that_began_later_is_told_and_not_refused():
    rng, columns = target()
    columns["y"] = np.sort(columns["y"])  # rising with time
    since = np.where(columns["y"] > 100, rng.normal(0, 1, ROWS), np.nan)
    columns["since"] = pl.Series(since).fill_nan(None)
    assert found_in(columns, "tabular-regression")["since",].severity == "warning"


def test_years_of_a_series_are_no_sums():
    rng, columns = target()
    growth = rng.normal(0.02, 0.02, ROWS)
    noise = [rng.normal(1, 0.002, ROWS) for _ in range(4)]
    columns["y"] = columns["y"] * 1e3
    columns |= {f"y{n}": columns["y"] * (1 + growth) ** n * noise[n] for n in range(1, 4)}
    assert not {f for f in refused(columns, "tabular-regression") if len(f) > 1}


def test_strong_levels_are_left_alone():
    rng, columns = target()
    level = rng.integers(0, 4, ROWS)
    columns["y"] = level * 100.0 + rng.normal(0, 10, ROWS)
    columns["guess"] = rng.normal(0, 30, ROWS)
    columns["level"] = np.array(["one", "two", "three", "four"])[level]
    columns["near"] = columns["y"] > 200 + rng.normal(0, 20, ROWS)
    assert not refused(columns, "tabular-regression")


def test_a_number_with_gaps():
    rng, columns = target()
    gross = 1.19 * columns["y"]
    gross[rng.random(ROWS) < 0.6] = np.nan
    columns["gross"] = gross
    assert refused(columns, "tabular-regression") == {("gross",)}


def test_a_large_table_takes_seconds():
    rng = np.random.default_rng(0)
    rows = 300_000
    event = rng.random(rows) < 0.1
    columns = {f"n{i}": rng.normal(0, 1, rows) for i in range(20)}
    columns |= {f"c{i}": rng.choice(list("abcdefgh"), rows) for i in range(10)}
    table = pl.DataFrame({"y": np.where(event, "bad", "good"), **columns})
    started = time.process_time()
    assert not refused(table)
    assert time.process_time() - started < 20  # three on a quiet core
