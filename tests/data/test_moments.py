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
        ["31/05/2024"],
        [1.0, float("nan")],
        [True, False],
        [[1], [2]],
    ],
)
def test_what_is_no_time_is_shown(values: list[object]) -> None:
    with pytest.raises(DataError, match="values that are no times"):
        moments(pl.Series("when", values))
