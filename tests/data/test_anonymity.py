"""k, l and t of a table, against values worked out by hand."""

from __future__ import annotations

import polars as pl
import pytest

from luodi.contracts import AnonymitySettings, DataError
from luodi.data.anonymity import anonymity_findings, measure

TABLE = pl.DataFrame(
    {
        "年龄 段": ["20", "20", "20", "30", "30", "30"],
        "zip.code": ["a", "a", "a", "b", "b", None],
        "disease": ["flu", "flu", "cancer", "flu", "flu", "flu"],
    }
)


def test_the_measures_are_those_of_the_smallest_groups() -> None:
    found = measure(TABLE, ["年龄 段", "zip.code"], ["disease"], k=3)
    # Groups: 3, 2 and, for the missing value, 1.
    assert (found.k, found.groups, found.small_groups, found.below) == (1, 3, 2, 3)
    assert found.l == 1
    # flu 5/6, cancer 1/6 overall; in the first group 2/3 and 1/3: half of 1/6 + 1/6.
    assert found.t == pytest.approx(1 / 6)
    alone = measure(TABLE, ["年龄 段"], k=3)
    assert (alone.k, alone.l, alone.t, alone.below) == (3, None, None, 0)


def test_under_k_is_a_warning_that_names_nobody() -> None:
    settings = AnonymitySettings(("年龄 段", "zip.code"), ("disease",), k=3)
    [finding] = anonymity_findings(TABLE, settings)
    assert finding.severity == "warning"
    assert finding.count == 3
    assert finding.details["k"] == 1
    assert "cancer" not in str(finding.to_json())
    [fine] = anonymity_findings(TABLE, AnonymitySettings(("年龄 段",), k=3))
    assert (fine.severity, fine.count) == ("info", 0)


def test_numbers_constants_and_one_row() -> None:
    ages = pl.DataFrame({"age": [1.5, 1.5, None], "same": ["x"] * 3, "pay": [1, 2, 3]})
    assert measure(ages, ["same"], ["pay"]).k == 3
    assert measure(ages, ["age"], ["pay"]).k == 1
    assert measure(ages.head(1), ["age"], ["pay"]).k == 1


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(DataError, match="income"):
        measure(TABLE, ["income"])
    with pytest.raises(DataError, match="no rows"):
        measure(TABLE.head(0), ["disease"])


def test_a_column_that_is_named_twice_counts_once() -> None:
    twice = measure(TABLE, ["年龄 段", "年龄 段"], ["disease", "disease"])
    assert twice == measure(TABLE, ["年龄 段"], ["disease"])
