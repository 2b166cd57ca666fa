"""What is proposed: the defaults first, the same again from the same trials, nothing twice."""

from __future__ import annotations

import pytest

from luodi.contracts import Choice, Range, SearchSpace
from luodi.training.search import Trial, best, propose, searched

pytest.importorskip("optuna")

SPACE: SearchSpace = {
    "rate": Range(0.001, 1.0, 0.1, log=True),
    "leaves": Range(2, 64, 8, whole=True),
    "kind": Choice((None, "a", "b")),
}


def value(options) -> float:
    """Best at rate 0.01, many leaves, kind b."""
    import math

    rate = abs(math.log10(options["rate"]) + 2)
    return -rate + options["leaves"] / 64 + (options["kind"] == "b")


def trials(count: int, seed: int = 7, sign: int = 1) -> list[Trial]:
    tried: list[Trial] = []
    for _ in range(count):
        options = propose(SPACE, tried, sign > 0, seed)
        assert options is not None
        tried.append(Trial(options, sign * value(options), 0.1))
    return tried


def test_the_defaults_come_first_and_are_left_behind():
    tried = trials(40)
    assert tried[0].options == {"rate": 0.1, "leaves": 8, "kind": None}
    top = tried[best(tried, True)]
    assert top.value is not None
    assert top.value > 1.5 > tried[0].value  # of at most 2.0
    later = [trial.value for trial in tried[20:]]
    earlier = [trial.value for trial in tried[:20]]
    assert sum(later) > sum(earlier)  # it learns where to look


def test_lower_is_better_is_the_same_search_turned_round():
    assert [t.options for t in trials(15, sign=-1)] == [t.options for t in trials(15)]


def test_the_same_trials_and_seed_give_the_same_proposal_and_another_seed_another():
    assert trials(15) == trials(15)
    assert trials(15)[5].options != trials(15, seed=8)[5].options


def test_every_value_lies_in_its_place_and_can_be_told():
    for trial in trials(30):
        assert 0.001 <= trial.options["rate"] <= 1
        assert len(f"{trial.options['rate']:g}") <= 7
        assert isinstance(trial.options["leaves"], int)
        assert trial.options["kind"] in (None, "a", "b")


def test_a_small_space_is_tried_whole_and_nothing_twice():
    space: SearchSpace = {"kind": Choice((None, "a", "b")), "n": Range(1, 2, 1, whole=True)}
    tried: list[Trial] = []
    while (options := propose(space, tried, True, 7)) is not None:
        tried.append(Trial(options, 0.0, 0.0))
    assert len(tried) == 6
    assert len({repr(trial.options) for trial in tried}) == 6


def test_what_could_not_be_trained_is_passed_over():
    tried = trials(3)
    failed = [*tried, Trial({"rate": 0.5, "leaves": 3, "kind": "a"}, None, 0.0, "no")]
    assert propose(SPACE, failed, True, 7) is not None
    assert best(failed, True) < 3


def test_only_what_leaves_a_choice_is_searched():
    space: SearchSpace = SPACE | {
        "alone": Choice((None,)),
        "rounds": Range(1, 10, 5, searched=False),
        "mode": Choice(("x", "y"), searched=False),
    }
    assert set(searched(space, {"rate": 0.2})) == {"leaves", "kind"}
