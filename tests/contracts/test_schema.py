"""The check at the door."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.contracts import Field, RequestError, Schema

SCHEMA = Schema(
    request=(
        Field("text", "text", aliases=("review",), example="fine"),
        Field("age", "number", required=False),
        Field("kind", "category", required=False, categories=("a", "b")),
        Field("new", "boolean", required=False),
    ),
    answer=(Field("label", "category", categories=("x", "y")),),
)
ONE = Schema((Field("text", "text"),), ())


def test_a_right_request_comes_back_whole():
    read = SCHEMA.read({"review": "good", "age": 3, "kind": 7, "new": True})
    assert read == {"text": "good", "age": 3.0, "kind": "7", "new": True}
    assert SCHEMA.read({"text": "good"}) == {"text": "good", "age": None, "kind": None, "new": None}
    assert ONE.read("bare") == {"text": "bare"}


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({}, "text"),
        ({"text": None}, "text"),
        ({"text": 7}, "text"),
        ({"text": "\ud800"}, "text"),
        ({"text": "a", "txt": "b"}, "txt"),
        ({"text": "a", "age": "seven"}, "age"),
        ({"text": "a", "age": math.nan}, "age"),
        ({"text": "a", "age": math.inf}, "age"),
        ({"text": "a", "age": 10**400}, "age"),
        ({"text": "a", "age": True}, "age"),
        ({"text": "a", "new": 2}, "new"),
        ({"text": "a", "new": "perhaps"}, "new"),
        ("bare", "inputs[0]"),
        (None, "inputs[0]"),
        ([], "inputs[0]"),
    ],
)
def test_a_wrong_request_names_its_field(value, field):
    with pytest.raises(RequestError) as caught:
        SCHEMA.read_all([value])
    assert field in caught.value.field
    assert field in str(caught.value)


def test_an_error_is_short_however_long_the_names():
    crowd = {str(number): number for number in range(20_000)}
    for value in ({"text": "a", "k" * 100_000: 1}, {"text": "a", "review": "b", **crowd}):
        with pytest.raises(RequestError) as caught:
            SCHEMA.read_all([value])
        assert len(caught.value.field) < 200
        assert len(str(caught.value)) < 1000


def test_json_and_back():
    assert Schema.from_json(json.loads(json.dumps(SCHEMA.to_json()))) == SCHEMA


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(anything)
def test_nothing_but_our_own_error_ever_comes_out(value):
    try:
        read = SCHEMA.read(value)
    except RequestError:
        return
    json.dumps(read, allow_nan=False)
