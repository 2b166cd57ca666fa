"""Every metric against scikit-learn, weighted and not, and at its edges."""

from __future__ import annotations

import dataclasses
import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from luodi.contracts import Classified, UsageError, Valued, use_language
from luodi.evaluation.measure import applicable
from luodi.evaluation.metrics import CLASSIFICATION, REGRESSION, by_name, title
from luodi.evaluation.regression import relative

Make = Callable[..., Classified]


def _sk(name: str, scored: Classified, weight: Any) -> float:
    truth, predicted, p = scored.truth, scored.predicted, scored.probability
    k = range(p.shape[1])
    macro = {"average": "macro", "zero_division": 0, "sample_weight": weight}
    computed = {
        "accuracy": lambda: sk.accuracy_score(truth, predicted, sample_weight=weight),
        "macro_f1": lambda: sk.f1_score(truth, predicted, **macro),
        "weighted_f1": lambda: sk.f1_score(truth, predicted, **{**macro, "average": "weighted"}),
        "precision": lambda: sk.precision_score(truth, predicted, **macro),
        "recall": lambda: sk.recall_score(truth, predicted, **macro),
        "log_loss": lambda: sk.log_loss(truth, p, labels=list(k), sample_weight=weight),
        "brier": lambda: sk.brier_score_loss(
            truth, p[:, 1] if len(k) == 2 else p, labels=list(k), sample_weight=weight
        ),
        "mcc": lambda: sk.matthews_corrcoef(truth, predicted, sample_weight=weight),
        "kappa": lambda: sk.cohen_kappa_score(truth, predicted, sample_weight=weight),
    }
    return float(computed[name]())


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize(
    "name",
    [
        "accuracy",
        "macro_f1",
        "weighted_f1",
        "precision",
        "recall",
        "log_loss",
        "brier",
        "mcc",
        "kappa",
    ],
)
def test_agrees_with_scikit_learn(classified: Make, name: str, classes: int) -> None:
    scored = classified(labels=tuple("abcdefg"[:classes]))
    weight = np.random.default_rng(5).integers(0, 4, size=scored.rows).astype(float)
    ours = by_name(name).compute(scored, np.stack([np.ones(scored.rows), weight]))
    assert ours[0] == pytest.approx(_sk(name, scored, None), abs=1e-12)
    assert ours[1] == pytest.approx(_sk(name, scored, weight), abs=1e-12)


@pytest.mark.parametrize("labels", [("a", "b"), ("a", "b", "c")])
def test_a_weight_of_two_is_the_row_twice(classified: Make, labels: tuple[str, ...]) -> None:
    scored = classified(labels=labels, rows=60)
    scored = dataclasses.replace(scored, costs=1 - np.eye(len(labels)))
    weight = np.random.default_rng(1).integers(0, 3, size=60)
    index = np.repeat(np.arange(60), weight)
    twice = dataclasses.replace(
        scored,
        weight=np.ones(len(index)),
        cluster=scored.cluster[index],
        truth=scored.truth[index],
        predicted=scored.predicted[index],
        probability=scored.probability[index],
    )
    for metric in applicable(CLASSIFICATION, scored):
        weighted = metric.compute(scored, weight[None, :].astype(float))
        repeated = metric.compute(twice, np.ones((1, len(index))))
        assert weighted == pytest.approx(repeated, abs=1e-12), metric.name


def test_classes_in_neither_truth_nor_answers_are_left_out(classified: Make) -> None:
    scored = classified(labels=("a", "b"))
    wider = dataclasses.replace(
        scored,
        labels=("a", "b", "c"),
        probability=np.c_[scored.probability, np.zeros(scored.rows)],
    )
    ones = np.ones((1, scored.rows))
    for name in ("macro_f1", "precision", "recall"):
        assert by_name(name).compute(wider, ones) == by_name(name).compute(scored, ones)


def test_ece_by_its_definition(classified: Make) -> None:
    scored = classified(labels=("a", "b", "c"))
    confidence = scored.probability.max(axis=1)
    right = scored.truth == scored.predicted
    edges, expected = np.linspace(0, 1, 16), 0.0
    for low, high in itertools.pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            expected += gap * inside.mean()
    found = by_name("ece").compute(scored, np.ones((1, scored.rows)))
    assert found[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["rmse", "mae", "mape", "r2"])
def test_regression_agrees_with_scikit_learn(name: str, valued: Valued) -> None:
    weight = np.random.default_rng(2).uniform(0.5, 3, size=valued.rows)
    theirs = {
        "rmse": sk.root_mean_squared_error,
        "mae": sk.mean_absolute_error,
        "mape": sk.mean_absolute_percentage_error,
        "r2": sk.r2_score,
    }[name]
    ours = by_name(name).compute(valued, np.stack([np.ones(valued.rows), weight]))
    assert ours[0] == pytest.approx(theirs(valued.truth, valued.value), abs=1e-12)
    assert ours[1] == pytest.approx(
        theirs(valued.truth, valued.value, sample_weight=weight), abs=1e-12
    )


def test_the_relative_error_leaves_rows_out_whose_truth_is_nought(valued: Valued) -> None:
    nought = dataclasses.replace(
        valued, truth=np.where(np.arange(valued.rows) < 9, 0, valued.truth)
    )
    there = nought.truth != 0
    found = by_name("mape").compute(nought, np.ones((1, nought.rows)))[0]
    assert found == pytest.approx(
        sk.mean_absolute_percentage_error(nought.truth[there], nought.value[there])
    )
    (table,) = relative(nought)
    assert [row[1] for row in table.rows] == [nought.rows - 9, 9]
    assert relative(valued) == []
    none = dataclasses.replace(valued, truth=np.zeros(valued.rows))
    assert np.isnan(by_name("mape").compute(none, np.ones((1, none.rows)))[0])
    assert relative(none)[0].rows[0][1] == 0


def test_pinball_agrees_with_scikit_learn(valued: Valued) -> None:
    scored = dataclasses.replace(valued, low=valued.value - 5, high=valued.value + 7, coverage=0.8)
    weight = np.random.default_rng(2).uniform(0.5, 3, size=valued.rows)
    theirs = [
        sk.mean_pinball_loss(scored.truth, end, alpha=alpha, sample_weight=weight)
        for end, alpha in ((scored.low, 0.1), (scored.high, 0.9))
    ]
    ours = by_name("pinball").compute(scored, weight[None, :])
    assert ours[0] == pytest.approx(np.mean(theirs), abs=1e-12)


def test_coverage_and_width_of_intervals(valued: Valued) -> None:
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    scored = dataclasses.replace(
        valued, weight=np.ones(4), cluster=np.arange(4), truth=truth, value=truth,
        low=np.array([1.0, 2.5, 0.0, 0.0]), high=np.array([2.0, 3.0, 2.0, 8.0]),
    )  # fmt: skip
    weights = np.array([[1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 1.0, 0.0]])
    assert by_name("coverage").compute(scored, weights).tolist() == [0.5, 0.5]
    assert by_name("interval_width").compute(scored, weights).tolist() == [11.5 / 4, 4.5 / 4]
    # Answers without intervals have none of these.
    without = dataclasses.replace(scored, low=None, high=None)
    measured = {metric.name for metric in applicable(REGRESSION, without)}
    assert measured == {"rmse", "mae", "mape", "r2"}
    assert np.isnan(by_name("coverage").compute(without, weights)).all()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_stays_in_its_range_or_is_nan(data: st.DataObject) -> None:
    rows = data.draw(st.integers(1, 12))
    k = data.draw(st.integers(2, 4))
    index = st.lists(st.integers(0, k - 1), min_size=rows, max_size=rows)
    truth, predicted = np.array(data.draw(index)), np.array(data.draw(index))
    raw = data.draw(
        st.lists(st.floats(0, 1), min_size=rows * k, max_size=rows * k).map(np.array)
    ).reshape(rows, k)
    probability = (raw + 1e-9) / (raw + 1e-9).sum(axis=1, keepdims=True)
    scored = Classified(
        np.ones(rows), np.arange(rows), truth, predicted, probability, tuple("abcd"[:k])
    )
    counts = np.array(
        data.draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows)), dtype=float
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for metric in CLASSIFICATION:
            value = metric.compute(scored, counts[None, :])[0]
            inside = metric.lowest - 1e-9 <= value <= metric.highest + 1e-9
            assert inside or np.isnan(value), metric.name
            if counts.sum() == 0:
                assert np.isnan(value), metric.name


def test_no_rows_are_nan(classified: Make) -> None:
    scored = classified(rows=0)
    for metric in CLASSIFICATION:
        assert np.isnan(metric.compute(scored, np.ones((3, 0)))).all()


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean macro_f1"):
        by_name("macro-f1x")
    with pytest.raises(UsageError, match=r"Known: accuracy"):
        by_name("zzzzzz")


def test_titles_speak_both_languages() -> None:
    assert title("accuracy") == "Accuracy"
    use_language("zh")
    assert title("accuracy") == "准确率"
    assert title("their_own") == "their_own"
