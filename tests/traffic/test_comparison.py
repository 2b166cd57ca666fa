import asyncio
import json

import numpy as np
import pytest

from luodi.traffic import comparison
from luodi.traffic.comparison import compare_versions
from luodi.traffic.feedback import Feedback, FeedbackLog
from luodi.traffic.log import Entry, TrafficLog


@pytest.fixture(autouse=True)
def _fewer_draws(monkeypatch):
    monkeypatch.setattr(comparison, "DRAWS", 500)


def write(home, told):
    """told: (version, arm, request id, answers, truths, seconds, failure)."""
    log = TrafficLog(home, compact=False)
    feedback = []
    for version, arm, number, answers, truths, seconds, failure in told:
        rows = [{"text": "x"}] * max(1, len(answers))
        log.add(Entry("m", version, number, arm, "predict", rows, answers, seconds, failure))
        feedback += [Feedback(number, row, truth) for row, truth in enumerate(truths)]
    log.close()

    async def tell():
        kept = FeedbackLog(home)
        await kept.add("m", feedback)
        kept.close()

    if feedback:
        asyncio.run(tell())


def labels(rights):
    answers = [{"label": "pos" if right else "neg"} for right in rights]
    return answers, [{"label": "pos"}] * len(rights)


def some(version, arm, rights, offset=0):
    return [
        (version, arm, f"{arm}-{offset + n}", *labels([right]), 0.01, "")
        for n, right in enumerate(rights)
    ]


def draw(share, count, seed):
    return np.random.default_rng(seed).random(count) < share


def test_a_better_canary_is_found(tmp_path):
    write(
        tmp_path, some("a", "champion", draw(0.7, 300, 1)) + some("b", "canary", draw(0.85, 200, 2))
    )
    (champion, canary), (test,) = compare_versions(tmp_path, "m", "a", {"b": "canary"})
    assert (champion.requests, canary.requests, canary.judged) == (300, 200, 200)
    assert champion.score == pytest.approx(0.7, abs=0.06)
    assert test.verdict == "better"
    assert test.low > 0
    assert test.p_value < 0.05
    assert (test.measure, test.paired) == ("accuracy", False)


def test_a_worse_one_is_too(tmp_path):
    write(
        tmp_path, some("a", "champion", draw(0.9, 200, 1)) + some("b", "canary", draw(0.6, 100, 2))
    )
    _, (test,) = compare_versions(tmp_path, "m", "a", {"b": "canary"})
    assert test.verdict == "worse"
    assert test.high < 0


def test_no_difference_is_seldom_called_one(tmp_path):
    """Of 60 A/B tests of a version with itself, about three may be called a difference."""
    called = 0
    for seed in range(60):
        ours = draw(0.8, 120, 2 * seed).astype(float)
        theirs = draw(0.8, 120, 2 * seed + 1).astype(float)
        drawn = comparison._permuted(ours, theirs)
        called += comparison._judged("b", "accuracy", 120, drawn).verdict != "undecided"
    assert called <= 8


def test_rows_of_one_request_count_as_one(tmp_path):
    """Ten requests of 50 equal rows each are ten observations, not 500."""
    told = [
        (version, arm, f"{arm}-{n}", *labels([n % 2 == (version == "b")] * 50), 0.01, "")
        for version, arm in (("a", "champion"), ("b", "canary"))
        for n in range(10)
    ]
    write(tmp_path, told)
    figures, (test,) = compare_versions(tmp_path, "m", "a", {"b": "canary"})
    assert [each.judged for each in figures] == [10, 10]
    assert test.verdict == "too few"


def test_a_shadow_is_paired_with_the_champion(tmp_path):
    champion, shadow = draw(0.8, 100, 1), draw(0.8, 100, 1)
    shadow[~champion] |= draw(0.7, int((~champion).sum()), 3)  # never worse, sometimes better
    told = [
        (version, arm, f"r{n}", *labels([rights[n]]), 0.01, "")
        for version, arm, rights in (("a", "champion", champion), ("s", "shadow", shadow))
        for n in range(100)
    ]
    write(tmp_path, told)
    _, (test,) = compare_versions(tmp_path, "m", "a", {"s": "shadow"})
    assert test.paired
    assert test.requests == 100
    assert test.verdict == "better"


def test_numbers_are_held_by_their_error(tmp_path):
    random = np.random.default_rng(5)
    told = []
    for version, arm, scale in (("a", "champion", 2.0), ("b", "canary", 1.0)):
        for n in range(80):
            answer = {"value": 10 + float(random.normal(0, scale))}
            told.append((version, arm, f"{arm}-{n}", [answer], [{"value": 10.0}], 0.01, ""))
    write(tmp_path, told)
    figures, (test,) = compare_versions(tmp_path, "m", "a", {"b": "canary"})
    assert test.measure == "absolute_error"
    assert test.difference < 0
    assert test.verdict == "better"
    assert figures[0].score > figures[1].score


def test_of_scores_the_greatest_is_the_answer():
    assert comparison._score('{"p": {"a": 0.2, "b": 0.8}}', '{"p": "b"}') == (1.0, False)
    assert comparison._score('{"p": {"a": 0.2, "b": null}}', '{"p": "b"}') == (0.0, False)
    assert comparison._score('{"label": "1"}', '{"label": 1}') == (1.0, False)
    assert comparison._score('{"label": "a"}', '{"other": "a"}') == (None, False)


def test_failures_and_latencies_are_told_and_pinned_requests_are_not(tmp_path):
    told = [("a", "champion", f"r{n}", *labels([True]), n / 100, "") for n in range(100)]
    told += [("a", "champion", f"f{n}", [], [], 1.0, "ValueError") for n in range(3)]
    told += [("b", "pinned", f"p{n}", *labels([False]), 9.0, "") for n in range(50)]
    write(tmp_path, told)
    (champion, other), (test,) = compare_versions(tmp_path, "m", "a", {"b": "canary"})
    assert (champion.requests, champion.failures) == (103, 3)
    assert champion.seconds["p50"] == pytest.approx(0.51, abs=0.02)
    assert (other.requests, other.seconds["p50"], other.score) == (0, None, None)
    assert test.verdict == "too few"
    json.dumps([champion.to_json(), test.to_json()])


def test_nothing_at_all(tmp_path):
    figures, tests = compare_versions(tmp_path, "m", "a", {"b": "canary", "c": "shadow"})
    assert [each.requests for each in figures] == [0, 0, 0]
    assert {test.verdict for test in tests} == {"too few"}


def test_equal_answers_are_no_difference(tmp_path):
    told = [
        (version, arm, f"r{n}", *labels([n % 3 > 0]), 0.01, "")
        for version, arm in (("a", "champion"), ("s", "shadow"))
        for n in range(60)
    ]
    write(tmp_path, told)
    _, (test,) = compare_versions(tmp_path, "m", "a", {"s": "shadow"})
    assert (test.difference, test.p_value, test.verdict) == (0.0, 1.0, "undecided")
