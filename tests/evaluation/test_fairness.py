"""Fairness by hand-made answers whose rates are known."""

from __future__ import annotations

import numpy as np
import pytest

from luodi.contracts import Classified, Grouping, Valued
from luodi.evaluation import by_group
from luodi.evaluation.fairness import FAIRNESS, comparable
from luodi.evaluation.gate import judge, parse_rule
from luodi.evaluation.intervals import intervals
from luodi.evaluation.measure import applicable, compute


def scored(favourable: int = 1, protected: bool = True, rows: int = 400) -> Classified:
    """Two groups: of the first 60 % are answered yes, of the second 30 %; half deserve it."""
    index = np.repeat([0, 1], rows // 2)
    place = np.tile(np.arange(rows // 2), 2)
    truth = (place % 2).astype(np.int64)
    share = np.where(index == 0, 0.6, 0.3)
    # Equal shares of the deserving and of the others: so opportunity differs as selection does.
    predicted = (place // 2 < share * rows / 4).astype(np.int64)
    probability = np.where(predicted == 1, 0.8, 0.2)
    return Classified(
        weight=np.ones(rows),
        cluster=np.arange(rows),
        truth=truth,
        predicted=predicted,
        probability=np.column_stack([1 - probability, probability]),
        labels=("no", "yes"),
        groups={"sex": Grouping(("f", "m"), index, protected)},
        favourable=favourable,
    )


def values(answers):
    found = compute(FAIRNESS, answers, np.ones((1, answers.rows)))
    return {name: float(value[0]) for name, value in found.items()}


def test_known_rates():
    found = values(scored())
    assert found["demographic_parity"] == pytest.approx(0.3)
    assert found["equal_opportunity"] == pytest.approx(0.3)
    assert found["equalized_odds"] == pytest.approx(0.3)
    assert found["four_fifths"] == pytest.approx(0.5)


def test_the_favourable_label_decides_what_is_compared():
    assert values(scored(favourable=0))["four_fifths"] == pytest.approx(0.4 / 0.7)


def test_small_groups_decide_nothing():
    answers = scored()
    index = answers.groups["sex"].index.copy()
    index[:10] = 2  # ten people of a third group, all answered yes
    third = {"sex": Grouping(("f", "m", "x"), index, True)}
    changed = Classified(**{**vars(answers), "groups": third})
    assert values(changed)["four_fifths"] == pytest.approx(0.3 / (110 / 190), abs=1e-6)


def test_slices_stand_in_where_nothing_is_protected():
    assert comparable(scored(protected=False))
    assert values(scored(protected=False))["demographic_parity"] == pytest.approx(0.3)


def test_not_applicable_without_groups():
    answers = Classified(**{**vars(scored()), "groups": {}})
    assert applicable(FAIRNESS, answers) == []
    assert all(np.isnan(value) for value in values(answers).values())


def test_intervals_hold_the_value():
    for name, interval in intervals(scored(), FAIRNESS, resamples=300).items():
        assert interval.low <= interval.value <= interval.high, name
        assert interval.high - interval.low < 0.5


def test_the_report_shows_every_group():
    table, bars = by_group.sections(scored(), 0.95)
    assert [row[0] for row in table.rows] == ["f", "m"]
    assert table.rows[0][3]["value"] == pytest.approx(0.6)
    assert table.rows[0][3]["low"] < 0.6 < table.rows[0][3]["high"]
    assert bars.values == pytest.approx([0.6, 0.3])


def test_numbers_by_group():
    answers = Valued(
        weight=np.ones(100), cluster=np.arange(100), truth=np.zeros(100),
        value=np.repeat([1.0, -2.0], 50),
        groups={"site": Grouping(("a", "b"), np.repeat([0, 1], 50))},
    )  # fmt: skip
    (table,) = by_group.sections(answers, 0.95)
    assert [row[2]["value"] for row in table.rows] == [1.0, 2.0]
    assert [row[3]["value"] for row in table.rows] == [1.0, -2.0]


def only(answered: dict[str, float], rows: int = 30, deserved: float = 0.5) -> Classified:
    """Groups of `rows`, each answered yes as often as named."""
    names = tuple(answered)
    index = np.repeat(np.arange(len(names)), rows)
    place = np.tile(np.arange(rows), len(names))
    predicted = (place < np.array(list(answered.values()))[index] * rows).astype(np.int64)
    truth = (place % 2 < deserved * 2).astype(np.int64) if deserved else np.zeros_like(place)
    chance = np.where(predicted == 1, 0.8, 0.2)
    return Classified(
        weight=np.ones(len(index)), cluster=np.arange(len(index)), truth=truth,
        predicted=predicted, probability=np.column_stack([1 - chance, chance]),
        labels=("no", "yes"), groups={"sex": Grouping(names, index, True)},
    )  # fmt: skip


def test_where_nobody_is_favoured_there_is_no_ratio_and_the_gate_says_so():
    answers = only({"f": 0.0, "m": 0.0})
    assert np.isnan(values(answers)["four_fifths"])
    found = intervals(answers, FAIRNESS, resamples=200)
    verdict = judge([parse_rule("four_fifths", ">= 0.8")], found, {})
    assert not verdict.passed
    assert "cannot be judged" in verdict.reason
    assert "0 of 0" in verdict.reason
    # One group favoured and the other not is a ratio: the worst there is.
    assert values(only({"f": 0.0, "m": 0.5}))["four_fifths"] == 0


def test_a_gap_of_which_one_side_is_unknown_is_not_nought():
    answers = only({"f": 0.4, "m": 0.4}, deserved=0.0)  # nobody deserves: opportunity is of nobody
    assert np.isnan(values(answers)["equal_opportunity"])
    assert values(answers)["demographic_parity"] == 0
    verdict = judge(
        [parse_rule("equal_opportunity", "<= 0.1")], intervals(answers, FAIRNESS, resamples=200), {}
    )
    assert not verdict.passed
    assert "fewer than two groups" in verdict.reason


def test_none_of_a_few_does_not_prove_none():
    table, bars = by_group.sections(only({"f": 0.0, "m": 1.0}, rows=30), 0.95)
    none, every = table.rows[0][3], table.rows[1][3]
    reach = 1 - 0.025 ** (1 / 30)  # Clopper and Pearson
    assert none == pytest.approx({"value": 0.0, "low": 0.0, "high": reach})
    assert every == pytest.approx({"value": 1.0, "low": 1 - reach, "high": 1.0})
    assert bars.high[0] == pytest.approx(reach)
    deserving = table.rows[0][4]  # of fifteen
    assert deserving["high"] == pytest.approx(1 - 0.025 ** (1 / 15))


def test_copies_are_no_more_evidence_than_one_row():
    answers = only({"f": 0.0, "m": 0.5}, rows=30)
    cluster = np.r_[np.zeros(30, np.int64), np.arange(1, 31)]  # all of f is one row, thirty times
    table, _ = by_group.sections(Classified(**{**vars(answers), "cluster": cluster}), 0.95)
    assert table.rows[0][3]["high"] == pytest.approx(0.975)
    assert isinstance(table.rows[0][6], float)  # how far chances lie off: no interval of one row
