"""The gate: fails closed, says why, in both languages."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from luodi.contracts import Interval, use_language
from luodi.evaluation.gate import Verdict, judge, parse_rule
from luodi.evaluation.paired import Paired

METRICS = {
    "accuracy": Interval(0.86, 0.845, 0.875),
    "log_loss": Interval(0.35, 0.30, 0.40),
    "auc": Interval(math.nan, math.nan, math.nan),
}
BETTER = Paired("accuracy", 0.03, 0.01, 0.05, 0.004, True, "mcnemar")
EQUAL = Paired("accuracy", 0.005, -0.01, 0.02, 0.4, False, "mcnemar")


def _judge(paired: dict[str, Paired] | None = None, **rules: Any) -> Verdict:
    return judge([parse_rule(k, v) for k, v in rules.items()], METRICS, paired or {})


@pytest.mark.parametrize(
    ("metric", "rule", "passed"),
    [
        ("accuracy", ">= 0.845", True),
        ("accuracy", "> 0.845", False),
        ("accuracy", ">= 0.85", False),
        ("accuracy", {"threshold": ">= 0.85", "on": "value"}, True),
        ("accuracy", {"threshold": ">= 0.87", "on": "high"}, True),
        ("log_loss", "<= 0.4", True),
        ("log_loss", "< 0.4", False),
        ("log_loss", "<= 0.35", False),
        ("log_loss", {"threshold": "<= 0.35", "on": "value"}, True),
    ],
)
def test_holds_the_unfavourable_end(metric: str, rule: Any, passed: bool) -> None:
    verdict = _judge(**{metric: rule})
    assert verdict.passed is passed
    assert verdict.lines[0].passed is passed


def test_says_when_only_the_evidence_is_missing() -> None:
    verdict = _judge(accuracy=">= 0.85")
    assert "the interval's low end, 0.8450, misses >= 0.85" in verdict.sentence
    assert "evidence is not enough" in verdict.sentence
    use_language("zh")
    assert "证据不足" in _judge(accuracy=">= 0.85").sentence


@pytest.mark.parametrize("metric", ["auc", "no_such_metric"])
def test_no_number_fails_closed(metric: str) -> None:
    verdict = _judge(**{metric: "<= 5"})
    assert not verdict.passed
    assert math.isnan(verdict.lines[0].used)
    assert verdict.lines[0].reason


def test_one_line_is_enough_to_refuse() -> None:
    verdict = _judge(accuracy=">= 0.8", log_loss="<= 0.1", auc=">= 0.5")
    assert [line.passed for line in verdict.lines] == [True, False, False]
    assert not verdict.passed
    assert "Log loss" in verdict.sentence
    assert "1 more failed" in verdict.sentence


def test_baselines_must_be_beaten_beyond_chance() -> None:
    assert _judge({"linear": BETTER}, beats="linear").passed
    refused = _judge({"naive": BETTER, "linear": EQUAL}, beats=["naive", "linear"])
    assert [line.passed for line in refused.lines] == [True, False]
    assert "Not significantly better than the linear baseline" in refused.sentence
    missing = _judge({"naive": BETTER}, beats="linear")
    assert not missing.passed
    assert "compared here: naive" in missing.sentence


def test_an_unbeaten_baseline_is_always_said() -> None:
    verdict = _judge({"naive": BETTER, "linear": EQUAL}, accuracy=">= 0.8")
    assert verdict.passed
    assert len(verdict.warnings) == 1
    assert "linear" in verdict.warnings[0]
    demanded = _judge({"linear": EQUAL}, accuracy=">= 0.8", beats="linear")
    assert not demanded.warnings  # the line itself says it


def test_without_rules_the_plainest_baseline_must_be_beaten() -> None:
    assert judge([], METRICS, {"naive": BETTER, "linear": EQUAL}).passed
    assert not judge([], METRICS, {"naive": EQUAL}).passed
    assert not judge([], METRICS, {}).passed


def test_a_near_miss_shows_digits_that_tell_it() -> None:
    metrics = {"accuracy": Interval(0.86, 0.84999, 0.87)}
    verdict = judge([parse_rule("accuracy", ">= 0.85")], metrics, {})
    assert "0.84999" in verdict.sentence


def test_a_sign_the_wrong_way_round_is_said() -> None:
    verdict = _judge(accuracy="<= 0.95", log_loss="<= 0.5")
    assert verdict.passed
    assert len(verdict.warnings) == 1
    assert "Accuracy is better when higher" in verdict.warnings[0]


def test_a_percentage_is_out_of_reach() -> None:
    verdict = _judge(accuracy=">= 85")
    assert not verdict.passed
    assert "never exceeds 1" in verdict.sentence


def test_json_and_back() -> None:
    verdict = _judge({"linear": EQUAL}, accuracy=">= 0.8", auc=">= 0.5", beats="linear")
    written = json.dumps(verdict.to_json(), allow_nan=False)
    read = Verdict.from_json(json.loads(written))
    assert read.to_json() == verdict.to_json()
    assert math.isnan(read.lines[1].used)
    assert read.sentence == verdict.sentence
