"""Rows of a unit become rows that tell what was lately: the same for a table and for a request."""

from __future__ import annotations

import json
import math

import numpy as np
import polars as pl
import pytest

from luodi.contracts import (
    ROW,
    DataError,
    HistorySettings,
    RemainingSettings,
    RequestError,
)
from luodi.data.histories import feature_names, features, roll, unfold
from luodi.data.preparation import Preparation

HISTORY = HistorySettings("unit", "时间", ("heat", "shake"), (3, 5), RemainingSettings("left", 6))


def log(units=3, seed=0):
    rng = np.random.default_rng(seed)
    parts = []
    for unit in range(units):
        rows = 8 + unit
        parts.append(
            pl.DataFrame({
                "unit": [f"机器 {unit}"] * rows,
                "时间": np.arange(1, rows + 1),
                "heat": rng.normal(size=rows).round(3),
                "shake": rng.normal(size=rows).round(3),
                "mode": rng.choice(["a", "b"], rows),
            })
        )  # fmt: skip
    return pl.concat(parts).with_row_index(ROW)


def test_windows_are_what_numpy_says():
    rng = np.random.default_rng(1)
    values, when = rng.normal(size=(9, 2)), np.arange(9.0)
    found = features(values, when, (4,))
    np.testing.assert_allclose(found[:2], values[-1])
    np.testing.assert_allclose(found[2:4], values[-4:].mean(0))
    slopes = [np.polyfit(when[-4:], values[-4:, column], 1)[0] for column in range(2)]
    np.testing.assert_allclose(found[4:6], slopes)
    np.testing.assert_allclose(found[6:], values[-4:].std(0))


def test_missing_values_are_left_out_of_every_sum():
    values = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan], [7.0, np.nan]])
    when = np.array([0.0, 1.0, 2.0, 5.0])
    found = features(values, when, (4,))
    assert found[2] == pytest.approx(11 / 3)
    assert found[4] == pytest.approx(np.polyfit([0, 2, 5], [1, 3, 7], 1)[0])
    assert np.isnan(found[[1, 3, 5, 7]]).all()


def test_a_row_knows_its_own_unit_and_its_past_alone():
    table = log()
    whole = roll(table, HISTORY)
    assert whole.height == table.height
    assert set(whole[ROW].to_list()) == set(range(table.height))
    # A row is told the same whatever comes after it, and whatever other units do.
    cut = roll(table.filter((pl.col("unit") == "机器 1") & (pl.col("时间") <= 5)), HISTORY)
    names = feature_names(HISTORY)
    same = whole.filter((pl.col("unit") == "机器 1") & (pl.col("时间") <= 5))
    assert cut.select(names).equals(same.select(names))
    # The order of the rows as they came tells nothing.
    mixed = roll(table.sample(fraction=1.0, shuffle=True, seed=3), HISTORY)
    assert mixed.sort(ROW).equals(whole.sort(ROW))


def test_what_is_left_is_counted_and_capped_or_taken_as_told():
    whole = roll(log(), HISTORY)
    unit = whole.filter(pl.col("unit") == "机器 2")
    assert unit["left"].to_list() == [6, 6, 6, 6, 5, 4, 3, 2, 1, 0]
    told = roll(log().with_columns(left=pl.lit(20)), HISTORY, last_only=True)
    assert told["left"].to_list() == [6.0, 6.0, 6.0]
    assert told["时间"].to_list() == [8, 9, 10]


def test_a_request_is_told_what_the_table_was_told():
    table = log()
    whole = roll(table, HISTORY)
    known = {*feature_names(HISTORY), "mode", "时间"}
    for end in (1, 2, 4, 8):
        rows = table.filter((pl.col("unit") == "机器 0") & (pl.col("时间") <= end)).drop(ROW)
        request = json.loads(json.dumps({"history": rows.to_dicts()}))
        found = unfold(request, HISTORY, known, "inputs[0]")
        expected = whole.filter((pl.col("unit") == "机器 0") & (pl.col("时间") == end))
        for name in known:
            assert found[name] == expected[name][0], name
        assert "unit" not in found  # which machine it is, the model was not asked to learn
    # What lies before the longest window is not even looked at.
    long = [{"heat": "broken"}] * 10 + rows.to_dicts()[-5:]
    found = unfold({"history": long}, HISTORY, known, "")
    assert found["heat (mean of 5)"] == expected["heat (mean of 5)"][0]


def test_other_requests_pass_as_they_are():
    flat = {"heat": 1.0}
    assert unfold(flat, HISTORY, {"heat"}, "") is flat
    assert Preparation().unfold({"history": []}, {"heat"}, "") == {"history": []}


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([], "inputs[2].history"),
        ("rows", "inputs[2].history"),
        ([1, 2], "inputs[2].history"),
        ([{"时间": 2, "heat": 1}, {"时间": 1, "heat": 1}], "inputs[2].history"),
        ([{"heat": 1}], "inputs[2].history"),
        ([{"时间": 1, "heat": 1}, {"时间": 2, "heat": "hot"}], "inputs[2].history[1].heat"),
        ([{"时间": 1, "heat": True}], "inputs[2].history[0].heat"),
        ([{"时间": 1, "heat": math.inf}], "inputs[2].history[0].heat"),
    ],
)
def test_bad_histories_are_named(rows, named):
    with pytest.raises(RequestError) as caught:
        unfold({"history": rows}, HISTORY, {"heat"}, "inputs[2]")
    assert str(caught.value).startswith(f"{named}:")


def test_a_preparation_carries_its_history():
    kept = Preparation(history=HISTORY)
    assert Preparation.from_json(json.loads(json.dumps(kept.to_json()))) == kept
    assert Preparation.from_json({"steps": []}) == Preparation()
    assert "history" not in Preparation().to_json()


def test_columns_that_are_not_there_or_would_be_overwritten():
    with pytest.raises(DataError, match="shake"):
        roll(log().drop("shake"), HISTORY)
    with pytest.raises(DataError, match="mean of 3"):
        roll(log().with_columns(pl.lit(1).alias("heat (mean of 3)")), HISTORY)


def test_times_may_be_dates():
    table = log().with_columns(
        (pl.date(2026, 1, 1) + pl.duration(days=pl.col("时间"))).alias("时间")
    )
    found = roll(table, HISTORY)
    plain = roll(log(), HISTORY)
    for name in feature_names(HISTORY):
        np.testing.assert_allclose(
            found[name].to_numpy(), plain[name].to_numpy(), rtol=1e-9, atol=1e-9
        )
    texts = table.with_columns(pl.col("时间").cast(pl.String))
    again = roll(texts, HISTORY)
    assert again.select(feature_names(HISTORY)).equals(found.select(feature_names(HISTORY)))
    rows = texts.filter(pl.col("unit") == "机器 0").drop(ROW).to_dicts()
    request = unfold({"history": rows}, HISTORY, set(feature_names(HISTORY)), "")
    last = again.filter(pl.col("unit") == "机器 0")[-1]
    assert request["heat (slope of 5)"] == last["heat (slope of 5)"][0]
    with pytest.raises(RequestError, match="yesterday"):
        unfold({"history": [{"时间": "yesterday", "heat": 1}]}, HISTORY, {"heat"}, "")
    with pytest.raises(DataError, match="时间"):
        roll(texts.with_columns(pl.lit("soon").alias("时间")), HISTORY)


def cracks():
    """Three pieces: the first two grow past 1.4, the last never does."""
    grown = {"a": [1.0, 1.2, 1.5, 1.3, 1.9], "b": [1.0, 1.4], "c": [1.0, 1.1, 1.39]}
    return pl.concat(
        pl.DataFrame({"piece": [name] * len(values), "at": np.arange(len(values)) * 0.5,
                      "length": values, "wear": values[::-1]})
        for name, values in grown.items()
    )  # fmt: skip


def until(**bounds):
    left = RemainingSettings("left", until=bounds)
    return HistorySettings("piece", "at", ("length",), (2,), left)


def test_a_limit_ends_a_life():
    made = roll(cracks(), until(length=">= 1.4"))
    assert made.filter(piece="a")["left"].to_list() == [1.0, 0.5, 0.0]  # first past it, for good
    assert made.filter(piece="b")["left"].to_list() == [0.5, 0.0]
    assert made.filter(piece="c")["left"].to_list() == [None] * 3  # nobody knows
    assert made.filter(piece="a")["length"].to_list() == [1.0, 1.2, 1.5]


def test_the_first_of_several_limits_ends_a_life():
    made = roll(cracks(), until(length=">= 140%", wear="<= 1.25"))
    assert made.filter(piece="a")["left"].to_list() == [1.0, 0.5, 0.0]
    assert made.filter(piece="b")["left"].to_list() == [0.5, 0.0]
    assert made.filter(piece="c")["left"].to_list() == [0.5, 0.0]


def test_the_last_row_that_is_asked_about_is_the_last_before_the_end():
    made = roll(cracks(), until(length=">= 1.4"), last_only=True)
    assert made["at"].to_list() == [1.0, 0.5, 1.0]


def test_a_table_that_tells_what_is_left_needs_no_limit():
    told = cracks().with_columns(left=pl.lit(7.0)).drop("wear")
    made = roll(told, until(wear="<= 1"))
    assert made["left"].to_list() == [7.0] * 10
    with pytest.raises(DataError, match="wear"):
        roll(told.drop("left"), until(wear="<= 1"))


def test_a_limit_travels_with_the_bundle():
    kept = Preparation((), until(length=">= 1.4"))
    assert Preparation.from_json(json.loads(json.dumps(kept.to_json()))) == kept
