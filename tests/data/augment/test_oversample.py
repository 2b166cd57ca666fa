"""Made rows of rare classes lie between rows of that class."""

from __future__ import annotations

import polars as pl
import pytest

from luodi.contracts import DataError
from luodi.data.augment.oversample import oversample
from tests.tables import make_table

FEATURES = ["age", "年收入 (元)", "city", "member", "since"]


def unbalanced() -> pl.DataFrame:
    table = make_table(400, seed=3)
    return pl.concat([table.filter(risk="good"), table.filter(risk="bad").head(20)])


def test_rare_classes_come_to_the_ratio() -> None:
    table = unbalanced()
    most = table.filter(risk="good").height
    made = oversample(table, FEATURES, "risk", 0.5, 7)
    assert made["risk"].unique().to_list() == ["bad"]
    assert made.height == round(0.5 * most) - 20
    assert made.schema == table.select(*FEATURES, "risk").schema
    rare = table.filter(risk="bad")
    assert made["age"].is_between(rare["age"].min(), rare["age"].max()).all()
    assert set(made["city"].to_list()) <= set(table["city"].to_list())
    assert (made["age"] == made["age"].round()).all()  # whole years stay whole
    assert made.equals(oversample(table, FEATURES, "risk", 0.5, 7))


@pytest.mark.parametrize("features", [["age", "年收入 (元)"], ["city", "member"], ["age", "city"]])
def test_numbers_words_and_both(features: list[str]) -> None:
    made = oversample(unbalanced(), features, "risk", 1.0, 7)
    assert made.height > 100
    assert made.columns == [*features, "risk"]


def test_a_class_of_one_row_and_balanced_classes() -> None:
    table = pl.DataFrame({"x": [1.0, 2, 3, 4, 5], "y": ["a", "a", "a", "a", "b"]})
    assert oversample(table, ["x"], "y", 1.0, 7).height == 0
    even = pl.DataFrame({"x": [1.0, 2, 3, 4], "y": [True, True, False, False]})
    assert oversample(even, ["x"], "y", 1.0, 7).height == 0
    pair = pl.DataFrame({"x": [1.0, 2, 3, 7, 9], "y": ["a", "a", "a", "b", "b"]})
    made = oversample(pair, ["x"], "y", 1.0, 7)
    assert made["y"].to_list() == ["b"]
    assert 7 <= made["x"][0] <= 9


def test_nothing_to_balance_is_told() -> None:
    table = pl.DataFrame({"x": [1.0, 2], "y": ["a", "a"]})
    with pytest.raises(DataError, match="1 classes"):
        oversample(table, ["x"], "y", 1.0, 7)
    with pytest.raises(DataError, match="0 features"):
        oversample(unbalanced(), [], "risk", 1.0, 7)
