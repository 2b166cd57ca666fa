"""The gate's lines."""

from __future__ import annotations

import math

import pytest

from luodi.contracts import parse_rule


@pytest.mark.parametrize(
    ("value", "operator", "threshold", "on"),
    [
        (">= 0.85", ">=", 0.85, "low"),
        (">=0.85", ">=", 0.85, "low"),
        ("≥ 0.85", ">=", 0.85, "low"),
        ("<= 0.1", "<=", 0.1, "high"),
        ("< 1e-3", "<", 0.001, "high"),
        (">= 85%", ">=", 0.85, "low"),
        ({"threshold": ">= 0.85", "on": "value"}, ">=", 0.85, "value"),
        ({"threshold": "<= 2"}, "<=", 2.0, "high"),
    ],
)
def test_a_bound(value, operator, threshold, on):
    rule = parse_rule("accuracy", value)
    assert (rule.operator, rule.threshold, rule.on) == (operator, threshold, on)


def test_baselines_to_beat():
    assert parse_rule("beats", "linear").beats == ("linear",)
    assert parse_rule("beats", ["naive", "linear"]).beats == ("naive", "linear")


@pytest.mark.parametrize(
    "value",
    ["", "high", "0.85", 0.85, None, [], {}, {"on": "low"}, {"threshold": ">= 1", "on": "middle"},
     {"threshold": ">= 1", "extra": 1}, ">= ", "=> 0.8"],
)  # fmt: skip
def test_no_bound(value):
    with pytest.raises(ValueError, match="expected"):
        parse_rule("accuracy", value)


@pytest.mark.parametrize("value", [None, [], 7, [7], {}])
def test_no_baseline(value):
    with pytest.raises(ValueError, match="expected"):
        parse_rule("beats", value)


def test_nan_never_holds():
    for bound in (">= 0", "<= 0", "> 0", "< 0"):
        assert not parse_rule("accuracy", bound).holds(math.nan)
    assert parse_rule("accuracy", ">= 0.5").holds(0.5)
    assert not parse_rule("accuracy", "> 0.5").holds(0.5)
