"""What is learnt is learnt on the training part; rows and requests are treated to the bit alike."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.contracts import (
    CleanSettings,
    ColumnMending,
    DataError,
    Dataset,
    Field,
    Parts,
    Reason,
    Role,
    Schema,
)
from luodi.data.mending import Mended, mend, missing_rows
from luodi.data.preparation import Clip, Fill, Flag, Preparation, Scale

FIELDS = (
    Field("收入", "number", required=False),
    Field("city.name", "category", required=False),
    Field("vip", "boolean", required=False),
    Field("full", "number"),
)


def part(rows: int, seed: int) -> Dataset:
    rng = random.Random(seed)

    def holed(value: Any) -> Any:
        return None if rng.random() < 0.2 else value

    table = pl.DataFrame(
        {
            "收入": [holed(round(rng.gauss(100 + seed, 9), 2)) for _ in range(rows)],
            "city.name": [holed(rng.choice(["a", "b", "b"])) for _ in range(rows)],
            "vip": [holed(rng.random() < 0.3) for _ in range(rows)],
            "full": [rng.randrange(10, 99) for _ in range(rows)],
            "day": [f"2025-01-{n % 28 + 1:02}" for n in range(rows)],
            "label": [rng.choice(["x", "y"]) for _ in range(rows)],
        }
    )
    roles = {Role.FEATURE: tuple(f.name for f in FIELDS), Role.LABEL: ("label",)}
    return Dataset(table, roles)


def mended(clean: CleanSettings, train: Dataset | None = None) -> Mended:
    parts = Parts(train or part(200, 1), part(40, 20), part(40, 30))
    return mend(parts, Schema(FIELDS, (Field("label", "category"),)), clean)


def requests(data: Dataset, fields: tuple[Field, ...]) -> list[dict[str, Any]]:
    return data.table.select([field.name for field in fields]).to_dicts()


SETTINGS = [
    CleanSettings(missing="mean"),
    CleanSettings(missing="median", scale="standard"),
    CleanSettings(missing="mode", outliers="clip", scale="minmax"),
    CleanSettings(missing="flag", scale="robust"),
    CleanSettings(missing="interpolate"),
    CleanSettings(outliers="clip"),
    CleanSettings(scale="standard", columns={"full": ColumnMending(scale="none")}),
    CleanSettings(
        columns={
            "收入": ColumnMending("constant", -1, "clip", scale="robust"),
            "city.name": ColumnMending("constant", "未知"),
            "vip": ColumnMending("flag"),
        }
    ),
]


@pytest.mark.parametrize("clean", SETTINGS, ids=range(len(SETTINGS)))
def test_rows_and_requests_are_treated_alike(clean: CleanSettings) -> None:
    found = mended(clean)
    stored = json.loads(json.dumps(Preparation(found.steps).to_json()))
    preparation = Preparation.from_json(stored)
    assert preparation == Preparation(found.steps)
    for name in ("train", "valid", "test"):
        if clean.missing == "interpolate" and name == "train":
            continue  # rows have neighbours, requests have none
        asked = requests(getattr(found.asked, name), FIELDS)
        taught = requests(getattr(found.parts, name), found.schema.request)
        answered = preparation.apply(asked)
        for request, row in zip(answered, taught, strict=True):
            assert request.keys() == row.keys()
            assert all(_same(request[key], row[key]) for key in row)
    # Nothing was learnt from the other parts.
    other = mend(
        Parts(part(200, 1), part(40, 77), part(40, 88)),
        Schema(FIELDS, (Field("label", "category"),)),
        clean,
    )
    assert other.steps == found.steps


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) or isinstance(other, float):
        return float(one) == float(other)
    return bool(one == other)


def test_what_is_learnt() -> None:
    income = part(200, 1).table["收入"].drop_nulls()
    (fill,) = [s for s in mended(CleanSettings(missing="mean")).steps if s.field == "收入"]
    assert isinstance(fill, Fill)
    assert fill.value == pytest.approx(income.mean())
    steps = mended(CleanSettings(missing="flag", outliers="clip", scale="standard")).steps
    own = [step for step in steps if step.field == "收入"]
    assert [type(step) for step in own] == [Flag, Clip, Fill, Scale]
    assert [
        s.value for s in mended(CleanSettings(missing="mean")).steps if s.field == "city.name"
    ] == ["b"]


def test_flags_become_features_and_filled_fields_may_be_left_out() -> None:
    found = mended(CleanSettings(missing="flag"))
    names = [field.name for field in found.schema.request]
    assert "收入 is missing" in names
    assert found.parts.test.columns(Role.FEATURE)[-1] == "full is missing"
    assert not any(field.required for field in found.outer.request)
    assert [field.name for field in found.outer.request] == [field.name for field in FIELDS]
    flags = found.parts.train.table["收入 is missing"]
    assert flags.to_list() == found.asked.train.table["收入"].is_null().to_list()
    assert found.parts.train.table["收入"].null_count() == 0


def test_outliers_leave_the_training_part_alone() -> None:
    train, valid = part(200, 1), part(40, 20)
    far = [*train.table["full"].to_list()]
    far[7] = 100_000
    train = Dataset(train.table.with_columns(pl.Series("full", far)), train.roles)
    wild = Dataset(valid.table.with_columns(pl.lit(10**6).alias("full")), valid.roles)
    parts = Parts(train, wild, part(40, 30))
    found = mend(parts, Schema(FIELDS, ()), CleanSettings(outliers="drop"))
    assert found.dropped == 1
    assert found.parts.train.rows == 199
    assert 100_000 not in found.asked.train.table["full"].to_list()
    assert found.parts.valid.rows == 40
    assert found.steps == ()


def test_interpolation_goes_between_neighbours_in_time_by_group() -> None:
    table = pl.DataFrame(
        {
            "at": [3, 1, 2, 1, 2, 3, 4],
            "who": ["a", "a", "a", "b", "b", "b", "b"],
            "x": [30.0, 10.0, None, 5.0, None, None, 8.0],
        }
    )
    roles = {Role.FEATURE: ("x",), Role.TIME: ("at",), Role.GROUP: ("who",)}
    train = Dataset(table, roles)
    found = mend(
        Parts(train, train, train),
        Schema((Field("x", "number", False),), ()),
        CleanSettings(missing="interpolate"),
    )
    assert found.parts.train.table["x"].to_list() == [30, 10, 20, 5, 6, 7, 8]
    assert found.parts.test.table["x"].to_list()[2] == 9.0  # as a request: the training median


def between(times: Any, values: list[float | None]) -> list[float | None]:
    columns: dict[str, Any] = {"x": values} | ({"at": times} if times is not None else {})
    roles = {Role.FEATURE: ("x",)} | ({Role.TIME: ("at",)} if times is not None else {})
    train = Dataset(pl.DataFrame(columns), roles)
    schema = Schema((Field("x", "number", False),), ())
    found = mend(Parts(train, train, train), schema, CleanSettings(missing="interpolate"))
    return found.parts.train.table["x"].to_list()


def test_interpolation_heeds_how_far_apart_the_times_are() -> None:
    assert between([0, 1, 10], [0.0, None, 100.0]) == [0, 10, 100]
    days = ["2024-01-01", "2024-01-04", "2024-01-05"]
    assert between(days, [0.0, None, 8.0]) == [0, 6, 8]
    assert between([0.0, 0.25, 1.0], [4.0, None, 8.0]) == [4, 5, 8]
    # Two that are known at the gap's very time: in the middle of them.
    assert between([5, 5, 5], [4.0, None, 8.0]) == [4, 6, 8]
    assert between([1, 1, 9], [4.0, None, 8.0]) == [4, 4, 8]
    assert between([3, 1, 2], [30.0, 10.0, None]) == [30, 10, 20]
    assert between(None, [1.0, None, None, 4.0]) == [1, 2, 3, 4]
    assert between([1, 2, 9], [4.0, 6.0, None]) == [4, 6, 5]  # at an end: the median


def test_rows_with_gaps_are_told() -> None:
    data = part(100, 3)
    clean = CleanSettings(columns={"vip": ColumnMending("drop")})
    assert missing_rows(data, clean).tolist() == data.table["vip"].is_null().to_list()
    assert not missing_rows(data, CleanSettings()).any()


@pytest.mark.parametrize("fill", [None, "much", True])
def test_a_constant_that_does_not_fit(fill: Any) -> None:
    clean = CleanSettings(columns={"收入": ColumnMending("constant", fill)})
    with pytest.raises(DataError, match="收入"):
        mended(clean)


def test_an_empty_or_constant_column_stops_nothing() -> None:
    data = part(50, 1)
    table = data.table.with_columns(pl.lit(None, pl.Float64).alias("收入"), pl.lit(3).alias("full"))
    found = mended(
        CleanSettings(missing="mean", outliers="clip", scale="standard"), Dataset(table, data.roles)
    )
    values = found.parts.test.table["full"].to_list()
    assert all(math.isfinite(value) for value in values)


@settings(deadline=None, max_examples=50)
@given(
    values=st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=40, max_size=40),
    way=st.sampled_from(["mean", "median", "mode", "flag"]),
    scale=st.sampled_from(["none", "standard", "minmax", "robust"]),
    outliers=st.sampled_from(["keep", "clip"]),
)
def test_any_numbers(values: list[float | None], way: Any, scale: Any, outliers: Any) -> None:
    table = pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)})
    data = Dataset(table, {Role.FEATURE: ("x",)})
    schema = Schema((Field("x", "number", False),), ())
    clean = CleanSettings(missing=way, scale=scale, outliers=outliers)
    found = mend(Parts(data, data, data), schema, clean)
    asked = [{"x": value} for value in values]
    rows = found.parts.train.table["x"].to_list()
    for request, row in zip(Preparation(found.steps).apply(asked), rows, strict=True):
        assert (request["x"] is None and row is None) or request["x"] == row
    assert len(rows) == len(np.array(values, dtype=object))


def test_reasons_speak_of_the_callers_fields_and_numbers() -> None:
    preparation = Preparation((Flag("x", "x is missing"), Fill("x", 3.0), Scale("x", 10.0, 4.0)))
    told = Reason("x", -1.75, 0.5, "log-odds", "x = -1.75 speaks for y (+0.5 log-odds).")
    outward = preparation.outward(told)
    assert (outward.value, outward.text) == (3.0, "x = 3 speaks for y (+0.5 log-odds).")
    flag = Reason("x is missing", True, 0.1, "log-odds", "x is missing = yes speaks for y.")
    assert preparation.outward(flag).field == "x"
    other = Reason("z", 1.0, 0.1, "log-odds", "z = 1")
    assert preparation.outward(other) == other
