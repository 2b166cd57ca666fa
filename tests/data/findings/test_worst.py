"""The row with the most against it stands first, with what is wrong with it."""

from __future__ import annotations

import datetime as dt

import polars as pl

from luodi.data.findings.column import sheet
from luodi.data.findings.survey import survey
from luodi.data.findings.worst import worst_rows
from tests.data.findings.tables import NOW, clean_table


def test_the_worst_rows_first() -> None:
    table = clean_table()
    ages, cities, days = (table[name].to_list() for name in ("age in years", "city", "day"))
    ages[77], cities[77], days[77] = 999, "北\ufffd京", dt.date(2077, 1, 1)
    ages[9] = 4000
    cities[100:300] = [None] * 200
    table = table.with_columns(
        pl.Series("age in years", ages), pl.Series("city", cities), pl.Series("day", days)
    )
    looked_at = sheet(table)
    rows = worst_rows(looked_at, survey(looked_at, now=NOW), most=5)
    assert [row.place for row in rows[:2]] == [77, 9]
    assert rows[0].faults == {
        "age in years": "outliers",
        "city": "mojibake",
        "day": "future-dates",
    }
    assert rows[0].cells["age in years"] == "999"
    assert all(row.score < rows[1].score for row in rows[2:])
    assert worst_rows(sheet(clean_table()), []) == []
