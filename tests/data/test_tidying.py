"""Texts and categories are tidied, in rows and requests alike; dates and numbers are not."""

from __future__ import annotations

from typing import Any

import polars as pl

from luodi.contracts import ROW, CleanSettings, ColumnMending, Dataset, Role
from luodi.data.clean import Prepared, inspect, prepare
from luodi.data.tidying import text_ways


def table(rows: int = 60) -> Dataset:
    values: dict[str, Any] = {
        "city": ["Beijing", "ＢＥＩＪＩＮＧ ", "上海"] * (rows // 3),
        "said": [f"<b>Good</b> number {n}, and more words to make it a text" for n in range(rows)],
        "at": [f"2025-01-{n % 28 + 1:02}T08:00:00" for n in range(rows)],
        "label": ["x", "y"] * (rows // 2),
    }
    roles = {Role.FEATURE: ("city", "said", "at"), Role.LABEL: ("label",)}
    return Dataset(pl.DataFrame(values).with_row_index(ROW), roles)


def prepared(data: Dataset, clean: CleanSettings, test: Dataset | None = None) -> Prepared:
    contents = [str(row) for row in data.table.rows()]
    seen = inspect(data, contents, clean)
    return prepare(data, seen, clean, test, [str(r) for r in test.table.rows()] if test else None)


def test_rows_and_requests_alike() -> None:
    clean = CleanSettings(
        duplicates="keep",
        test_copies="keep",
        conflicts="keep",
        normalise=("width", "case", "space"),
        columns={"said": ColumnMending(normalise=("html", "space"))},
    )
    data = table()
    found = prepared(data, clean, table(6))
    assert set(found.data.table["city"].to_list()) == {"beijing", "上海"}
    assert found.test is not None
    assert set(found.test.table["city"].to_list()) == {"beijing", "上海"}
    assert found.data.table["said"][0] == "Good number 0, and more words to make it a text"
    assert found.data.table["at"][0] == "2025-01-01T08:00:00"
    asked = data.table.select("city", "said", "at").to_dicts()
    assert (
        found.preparation.apply(asked) == found.data.table.select("city", "said", "at").to_dicts()
    )


def test_a_text_columns_own_ways_reach_its_requests() -> None:
    texts = pl.DataFrame({"review": ["A <i>Fine</i> Book", "Bad"], "label": ["p", "n"]})
    data = Dataset(texts.with_row_index(ROW), {Role.TEXT: ("review",), Role.LABEL: ("label",)})
    clean = CleanSettings(columns={"review": ColumnMending(normalise=("html", "case", "space"))})
    found = prepared(data, clean)
    assert found.data.table["review"].to_list() == ["a fine book", "bad"]
    assert found.preparation.apply([{"text": "A <i>Fine</i> Book"}]) == [{"text": "a fine book"}]
    assert text_ways(data, CleanSettings()) == {}
