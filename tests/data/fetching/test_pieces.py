"""Whatever values a driver or an interface gives, each finds a place, in one type a column."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import uuid

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.contracts import DataError
from luodi.data.fetching.messages import row_of, table_of
from luodi.data.fetching.pieces import Pieces, series
from luodi.data.fetching.pieces import table_of as table_of_rows

DAY = dt.date(2024, 5, 31)
MOMENT = dt.datetime(2024, 5, 31, 10, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@pytest.mark.parametrize(
    ("values", "kind", "kept"),
    [
        ([1, None, 2], pl.Int64, [1, None, 2]),
        ([1, 2.5], pl.Float64, [1.0, 2.5]),
        ([2**70, 1], pl.String, [str(2**70), "1"]),
        ([True, None], pl.Boolean, [True, None]),
        ([True, 1], pl.String, ["true", "1"]),
        ([None, None], pl.Null, [None, None]),
        ([decimal.Decimal("1.25"), None, decimal.Decimal("NaN")], pl.Float64, [1.25, None, None]),
        ([DAY, None], pl.Date, [DAY, None]),
        ([b"\x00\xff", None], pl.String, ["00ff", None]),
        ([{"a": "好"}, [1]], pl.String, ['{"a": "好"}', "[1]"]),
        ([uuid.UUID(int=1)], pl.String, ["00000000-0000-0000-0000-000000000001"]),
        (["a", 1, DAY], pl.String, ["a", "1", "2024-05-31"]),
        (["half \ud800"], pl.String, ["half ?"]),
        ([dt.timedelta(hours=1)], pl.String, ["1:00:00"]),
    ],
)
def test_each_kind_of_value(values, kind, kept) -> None:
    made = series("a", values)
    assert made.dtype == kind
    assert made.to_list() == kept


def test_moments() -> None:
    zoned = series("t", [MOMENT, None])
    assert str(zoned.dtype) == "Datetime(time_unit='us', time_zone='UTC')"
    assert zoned.to_list()[0].astimezone(dt.UTC) == MOMENT
    plain = MOMENT.replace(tzinfo=None)
    assert series("t", [plain]).to_list() == [plain]
    assert series("t", [plain, MOMENT]).dtype == pl.String


@given(st.lists(JSON, max_size=8))
def test_any_json_finds_a_place(values: list[object]) -> None:
    made = series("a", values)
    assert len(made) == len(values)
    assert made.null_count() == sum(value is None for value in values)


@given(st.lists(st.binary(max_size=20) | JSON.map(lambda v: repr(v).encode()), min_size=1))
def test_any_payload_is_a_row(payloads: list[bytes]) -> None:
    rows = [row_of(payload, time=MOMENT, topic="t") for payload in payloads]
    table = table_of(rows)
    assert table.height == len(payloads)
    assert table["topic"].to_list() == ["t"] * len(payloads)


def test_names_that_stand_twice() -> None:
    with pytest.raises(DataError, match="one name: a"):
        table_of_rows(["a", "b", "a"], [(1, 2, 3)], "the query")


def test_pieces_go_on_where_they_were(tmp_path) -> None:
    pieces = Pieces(tmp_path)
    pieces.add(pl.DataFrame({"a": [1, 2]}), page=1)
    pieces.add(pl.DataFrame({"a": []}), page=2)
    (tmp_path / "piece-000001.parquet").write_bytes(b"half of one that no state counts")
    again = Pieces(tmp_path)
    assert (again.count, again.rows, again.state) == (1, 2, {"page": 2})
    again.add(pl.DataFrame({"a": [3]}), page=3)
    assert [pl.read_parquet(path)["a"].to_list() for path in again.files] == [[1, 2], [3]]
    again.restart()
    assert Pieces(tmp_path).files == []
    assert not math.isnan(again.rows)
