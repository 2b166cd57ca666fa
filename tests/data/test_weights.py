"""A weight that is none is refused before anything is learnt with it."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from luodi.contracts import DataError, Dataset, Role, RoleRule
from luodi.data.roles import assign_roles
from luodi.data.weights import row_weights

RULES = {
    Role.LABEL: RoleRule(required=True),
    Role.FEATURE: RoleRule(many=True, rest=True),
    Role.WEIGHT: RoleRule(),
}


def read(weights: list[object], **more: object) -> Dataset:
    size = len(weights)
    table = pl.DataFrame({"y": ["a", "b"] * (size // 2), "x": range(size)}).with_columns(
        pl.Series("w", weights, strict=False)
    )
    return assign_roles(table, {"label": "y", "weight": "w"}, RULES)


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ([1, 2, 3, 0], [1, 2, 3, 0]),
        (["1", "2.5", " 3 ", "1,000"], [1, 2.5, 3, 1000]),
        ([True, False, True, True], [1, 0, 1, 1]),
    ],
)
def test_weights_as_people_write_them(weights, found):
    assert row_weights(read(weights)).tolist() == found


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        (["a", "b", "1", "2"], "2 values of the weight column w are no weights: 'a', 'b'"),
        ([1, None, 2, 3], "1 values of the weight column w are no weights: None"),
        ([1.0, -2.0, 2, 3], "-2.0"),
        ([1.0, float("nan"), 2, 3], "nan"),
        ([1.0, float("inf"), 2, 3], "inf"),
        (["1", "", "2", "3"], "''"),
        ([0, 0, 0, 0], "All weights in w are 0"),
    ],
)
def test_what_is_no_weight_is_told(weights, told):
    with pytest.raises(DataError, match=told.replace("(", r"\(")):
        read(weights)


def test_rows_made_for_learning_count_as_others_do_on_average():
    data = read([1.0, 3.0])
    made = pl.concat([data.table, pl.DataFrame({"y": ["a"], "x": [5]})], how="diagonal")
    whole = Dataset(made, data.roles, data.question)
    assert row_weights(whole).tolist() == [1.0, 3.0, 2.0]


def test_no_column_no_difference():
    data = assign_roles(pl.DataFrame({"y": ["a", "b"], "x": [1, 2]}), {"label": "y"}, RULES)
    assert np.array_equal(row_weights(data), [1.0, 1.0])


def test_check_and_run_refuse_a_column_of_words(luodi, tmp_path):
    rows = "".join(f"{i * 7 % 11},{'ab'[i % 2]},{i}\n" for i in range(60))
    (tmp_path / "t.csv").write_text("x,w,y\n" + rows)
    (tmp_path / "luodi.yaml").write_text(
        "name: p\ntask: tabular-regression\n"
        "data: {source: t.csv, columns: {label: y, weight: w}}\nmodel: {learner: linear}\n"
    )
    for command in ("check", "run"):
        done = luodi(command, "--json", cwd=tmp_path)
        assert done.returncode == 1
        error = json.loads(done.stdout)["error"]
        assert error["code"] == "data"
        assert "60 values of the weight column w are no weights" in error["message"]
