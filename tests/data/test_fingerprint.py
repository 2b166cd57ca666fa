"""One table, one fingerprint; any other table, another."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from luodi.contracts import COPIES, ROW
from luodi.data.fingerprint import fingerprint

TABLE = pl.DataFrame(
    {
        "text": ["好", None, "", "ab"],
        "n": [1, None, 0, -5],
        "x": [0.5, None, 0.0, 2.0],
        "yes": [True, None, False, True],
        "day": [dt.date(2024, 5, 31), None, dt.date(1970, 1, 1), None],
        "many": [[1], None, [], [2, 3]],
    }
)


def test_it_is_pinned() -> None:
    # Another number on another machine or library version would cut every bundle from its data.
    assert fingerprint(TABLE) == (
        "sha256:adb79fd23129f3ed59608289b2da0ee53897d8bf019772b8074bf76ac0a33768"
    )


def test_layout_does_not_show() -> None:
    pieces = pl.concat([TABLE.head(1), TABLE.slice(1, 2), TABLE.tail(1)], rechunk=False)
    assert fingerprint(pieces) == fingerprint(TABLE)
    numbered = TABLE.with_row_index(ROW).with_columns(pl.lit(1).alias(COPIES))
    assert fingerprint(numbered) == fingerprint(TABLE)


@pytest.mark.parametrize(
    "other",
    [
        TABLE.reverse(),
        TABLE.head(3),
        TABLE.rename({"n": "m"}),
        TABLE.select(reversed(TABLE.columns)),
        TABLE.with_columns(pl.col("n").cast(pl.Int32)),
        TABLE.with_columns(pl.col("n").fill_null(0)),
        TABLE.with_columns(pl.col("text").fill_null("")),
        TABLE.with_columns(pl.col("x").fill_null(0)),
        TABLE.with_columns(pl.col("yes").fill_null(False)),
        TABLE.with_columns(text=pl.Series(["好a", None, "", "b"])),
        TABLE.with_columns(pl.col("day").dt.offset_by("1d")),
        TABLE.with_columns(many=pl.Series([[1], None, [], [3, 2]])),
        TABLE.drop("many"),
    ],
)
def test_any_change_shows(other: pl.DataFrame) -> None:
    assert fingerprint(other) != fingerprint(TABLE)


def test_more_rows_than_are_hashed_at_once() -> None:
    big = pl.DataFrame({"a": [str(n) for n in range(300_000)]})
    assert fingerprint(big) != fingerprint(big.reverse())
    assert fingerprint(big) == fingerprint(pl.concat([big.head(5), big.tail(-5)], rechunk=False))
