"""Roles are found, or the nearest is named; labels are text, one form each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from luodi.contracts import ROW, DataError, Role, RoleRule
from luodi.data.roles import assign_roles

RULES = {
    Role.TEXT: RoleRule(required=True),
    Role.LABEL: RoleRule(required=True),
    Role.SLICE: RoleRule(many=True),
}
TABLE = pl.DataFrame({"Review": ["a", "b"], "label": [1, 0], "city": ["x", "y"]}).with_row_index(
    ROW
)


def test_columns_get_their_roles() -> None:
    data = assign_roles(
        TABLE, {"text": "Review", "label": "label", "slice": ["city", "label"]}, RULES
    )
    assert data.roles == {
        Role.TEXT: ("Review",),
        Role.LABEL: ("label",),
        Role.SLICE: ("city", "label"),
    }
    assert data.table["label"].to_list() == ["1", "0"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"text": "review", "label": "label"}, r"no column review .*Did you mean Review\?"),
        ({"text": "Review", "label": "lable"}, r"Did you mean label\?"),
        ({"txt": "Review", "label": "label"}, r"role txt.*text, label, slice.*Did you mean text\?"),
        ({"text": "Review"}, "No column is given for: label"),
        ({"text": ["Review", "city"], "label": "label"}, "2 columns are given for the role text"),
        ({"text": "Review", "label": "zzzz"}, "The columns are: Review, label, city"),
        ({"text": ROW, "label": "label"}, "no column __row__"),
    ],
)
def test_mistakes_are_named(columns: Mapping[str, str | Sequence[str]], words: str) -> None:
    with pytest.raises(DataError, match=words):
        assign_roles(TABLE, columns, RULES)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1, 0, None], ["1", "0", None]),
        ([1.0, 2.5, None, -3.0], ["1", "2.5", None, "-3"]),
        ([float("nan"), 1.0], [None, "1"]),
        ([1e300, 1e18, 0.1], ["1e+300", "1e+18", "0.1"]),
        ([True, False, None], ["true", "false", None]),
        (["007", " a ", None], ["007", " a ", None]),
        ([None, None], [None, None]),
    ],
)
def test_labels_become_text(values: list[object], texts: list[str | None]) -> None:
    table = pl.DataFrame({"t": ["x"] * len(values), "label": values})
    data = assign_roles(table, {"text": "t", "label": "label"}, RULES)
    assert data.table["label"].dtype == pl.String
    assert data.table["label"].to_list() == texts


def test_a_list_is_no_label() -> None:
    table = pl.DataFrame({"t": ["x"], "label": [[1, 2]]})
    with pytest.raises(DataError, match="label holds List"):
        assign_roles(table, {"text": "t", "label": "label"}, RULES)
