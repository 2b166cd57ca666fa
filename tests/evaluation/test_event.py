"""The sections of a question with an event, against scikit-learn's numbers and by brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from luodi.evaluation import event
from luodi.evaluation.metrics import by_name
from luodi.evaluation.page.chart import lines


def _area(points) -> float:
    x, y = np.array(points).T
    return float(np.trapezoid(y, x))


@pytest.mark.parametrize("rows", [60, 3000])
def test_the_roc_curve_is_the_one_of_scikit_learn(classified, rows):
    scored = classified(rows)
    curve = event.roc(scored, event.descent(scored)).series["model"]
    assert curve[0] == (0.0, 0.0)
    assert curve[-1] == (1.0, 1.0)
    assert _area(curve) == pytest.approx(roc_auc_score(scored.truth, scored.probability[:, 1]))
    alarms, caught, _ = roc_curve(scored.truth, scored.probability[:, 1], drop_intermediate=False)
    assert set(curve) <= {(float(a), float(c)) for a, c in zip(alarms, caught, strict=True)}


def test_a_curve_over_many_probabilities_is_thinned_and_keeps_its_ends(classified):
    scored = classified(3000)
    probability = np.random.default_rng(0).random(3000)
    scored = replace(scored, probability=np.column_stack([1 - probability, probability]))
    curve = event.roc(scored, event.descent(scored)).series["model"]
    assert len(curve) <= event.POINTS + 3
    assert curve[-1] == (1.0, 1.0)
    assert _area(curve) == pytest.approx(roc_auc_score(scored.truth, probability), abs=0.002)


def test_ks_of_the_picture_is_the_metric(classified):
    scored = classified()
    ks = by_name("ks").compute(scored, scored.weight[None, :])[0]
    (name,) = (n for n in event.separation(scored, event.descent(scored)).series if "KS" in n)
    assert float(name.split()[1]) == pytest.approx(ks, abs=5e-4)


def test_gains_add_up_and_keep_equal_probabilities_together(classified):
    scored = classified(500)
    table = event.gains(scored, 0.95)
    rows = [row[2] for row in table.rows]
    events = [row[3] for row in table.rows]
    assert sum(rows) == 500
    assert sum(events) == (scored.truth == 1).sum()
    assert table.rows[-1][6] == {"share": 1.0}
    rate = sum(events) / 500
    first = table.rows[0]
    assert first[5] == pytest.approx(events[0] / rows[0] / rate)
    bins = event.like_sized(-scored.probability[:, 1])
    for value in np.unique(scored.probability[:, 1]):
        assert len(set(bins[scored.probability[:, 1] == value])) == 1


def test_reliability_groups_say_what_happened(classified):
    scored = classified(1000)
    stated, true, cells, count = event.by_probability(scored, 0.95)
    bins = event.like_sized(scored.probability[:, 1])
    for place in range(len(count)):
        inside = bins == place
        assert true[place] == pytest.approx((scored.truth[inside] == 1).mean())
        assert stated[place] == pytest.approx(scored.probability[inside, 1].mean())
        assert cells[place]["low"] <= true[place] <= cells[place]["high"]


def test_one_probability_for_all_rows_is_one_group(classified):
    scored = classified(50)
    scored = replace(scored, probability=np.full((50, 2), 0.5))
    assert len(event.gains(scored, 0.95).rows) == 1
    assert event.sections(scored, 0.95)


def test_only_one_label_there_shows_nothing(classified):
    scored = classified(50)
    assert event.sections(replace(scored, truth=np.zeros(50, dtype=np.int64)), 0.95) == []


def test_whiskers_are_drawn_and_rare_events_fill_the_picture(classified):
    scored = classified(600)
    rare = np.column_stack([1 - scored.probability[:, 1] / 10, scored.probability[:, 1] / 10])
    truth = np.where(np.random.default_rng(0).random(600) < 0.1, scored.truth, 0)
    chart, _ = event.reliability(replace(scored, probability=rare, truth=truth), 0.95)
    drawn = str(lines(chart))
    assert drawn.count('class="whisker"') == len(next(iter(chart.series.values())))
    assert ">1</text>" not in drawn  # the axes end well below 1


def test_event_measures_are_scikit_learns(classified):
    from sklearn.metrics import f1_score, precision_score, recall_score

    scored = classified()
    for name, known in (("event_precision", precision_score), ("event_recall", recall_score),
                        ("event_f1", f1_score)):  # fmt: skip
        value = by_name(name).compute(scored, scored.weight[None, :])[0]
        assert value == pytest.approx(known(scored.truth, scored.predicted))
    gini = by_name("gini").compute(scored, scored.weight[None, :])[0]
    assert gini == pytest.approx(2 * roc_auc_score(scored.truth, scored.probability[:, 1]) - 1)


def test_event_measures_are_not_for_three_labels(classified):
    scored = classified(labels=("a", "b", "c"))
    for name in ("gini", "event_f1", "expected_cost"):
        assert not by_name(name).needs(scored)
        assert np.isnan(by_name(name).compute(scored, scored.weight[None, :])).all()
