"""Columns of two types are counted, with examples; codes and plain columns are not."""

from __future__ import annotations

import polars as pl
import pytest

from luodi.contracts import Role
from luodi.data.findings.column import sheet
from luodi.data.findings.types import mixed_truth, part_numbers

ROWS = 200


def numbers(share, word="about ten"):
    return [f"{n * 7 % 90}.5" if n % 100 < 100 * share else word for n in range(ROWS)]


def test_numbers_among_words_are_counted():
    table = pl.DataFrame({"size": numbers(0.7), "clean": numbers(1), "few": numbers(0.95),
                          "words": numbers(0.3), "y": numbers(0.7)})  # fmt: skip
    (noticed,) = part_numbers(sheet(table, {Role.LABEL: ["y"]}))
    finding = noticed.finding
    assert (finding.code, finding.count) == ("part-numbers", 60)
    assert [*finding.columns] == ["size"]
    assert "'about ten'" in finding.message
    assert len(noticed.marks["size"]) == 60


def test_names_with_digits_are_no_numbers():
    assert not part_numbers(sheet(pl.DataFrame({"children": ["0", "1", "2", "3+"] * 50})))


@pytest.mark.parametrize("odd", ["Y", "1", "是", "true"])
def test_yes_and_no_in_several_spellings_are_counted(odd):
    table = pl.DataFrame({"paid": ["yes", "no", "no", "yes", odd] * 40})
    (noticed,) = mixed_truth(sheet(table))
    assert noticed.finding.count == 40
    assert repr(odd) in noticed.finding.message


@pytest.mark.parametrize(
    "values", [["yes", "no"], ["Yes", "no"], ["1", "0"], ["a", "b"], ["yes", "maybe"], ["有", None]]
)
def test_one_spelling_is_no_finding(values):
    assert not mixed_truth(sheet(pl.DataFrame({"paid": values * 100})))
