"""Times in the forms that tables hold, in their order."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from luodi.contracts import DataError
from luodi.data.moments import moments


def test_forms_may_be_mixed() -> None:
    texts = [
        "2024-01-01",
        "2024/1/1 08:00",
        "2024-01-01 09",
        "2024年1月1日 09:30:15",
        "2024-01-01T10:00:00.250",
        "2024-01-01T19:00:00+08:00",  # eleven o'clock in UTC
        "2024-01-01T12:00:00Z",
        "2024.1.2",
        "20240103",
        " 2024-01-04 ",
    ]
    assert moments(pl.Series(texts)).tolist() == list(range(len(texts)))
    assert moments(pl.Series(texts[::-1])).tolist() == list(range(len(texts)))[::-1]


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([3, 1, 2, 1]),
        pl.Series([0.3, 0.1, 0.2, 0.1]),
        pl.Series([dt.date(2024, 1, day) for day in (3, 1, 2, 1)]),
        pl.Series([dt.datetime(2024, 1, day, tzinfo=dt.UTC) for day in (3, 1, 2, 1)]),
    ],
)
def test_equal_times_have_equal_ranks(values: pl.Series) -> None:
    assert moments(values).tolist() == [2, 0, 1, 0]


@pytest.mark.parametrize(
    "values",
    [
        ["2024-01-01", "soon"],
        ["2024-01-01", None],
        ["2024-13-01", "2024-01-01"],
        ["05/04/2024"],
        [1.0, float("nan")],
        [True, False],
        [[1], [2]],
    ],
)
def test_what_is_no_time_is_shown(values: list[object]) -> None:
    with pytest.raises(DataError, match="values that are no times"):
        moments(pl.Series("when", values))


def test_the_day_first_where_the_column_tells() -> None:
    assert moments(pl.Series(["24.05.2020", "01.06.2020", "2.5.2019"])).tolist() == [1, 2, 0]
    assert moments(pl.Series(["05/24/2020 08:00", "06/01/2020"])).tolist() == [0, 1]
    with pytest.raises(DataError, match="05/04/2020"):
        moments(pl.Series(["05/04/2020", "06/01/2020"]))
