"""Sections of a classifier's report."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics as sk

from luodi.contracts import Bars, Classified, Lines, Matrix, Section, Table, use_language
from luodi.evaluation.classification import MATRIX_CLASSES, by_class, sections, shorten

Make = Callable[..., Classified]


def _named(found: list[Section], title: str) -> Section:
    return next(section for section in found if section.title.startswith(title))


def _sections(scored: Classified, **options: int) -> list[Section]:
    texts = [f"row {row}" for row in range(scored.rows)]
    return sections(texts, [{"label": "a"}] * scored.rows, scored, **options)


def test_classes_agree_with_scikit_learn_and_stand_weakest_first(classified: Make) -> None:
    scored = classified(labels=("a", "b", "c"))
    table = by_class(scored, 0.95, resamples=200)
    expected = sk.precision_recall_fscore_support(scored.truth, scored.predicted)
    for name, *cells, support in table.rows:
        c = scored.labels.index(name)
        for cell, column in zip(cells, expected, strict=False):
            assert cell["value"] == pytest.approx(column[c])
            assert cell["low"] <= cell["value"] <= cell["high"]
        assert support == expected[3][c]
    f1 = [row[3]["value"] for row in table.rows]
    assert f1 == sorted(f1)


def test_a_class_of_three_is_not_proven_perfect() -> None:
    truth = np.array([0, 0, 0] + [1] * 30)
    scored = Classified(
        np.ones(33), np.arange(33), truth, truth, np.eye(2)[truth], ("rare", "common")
    )
    rare = {row[0]: row for row in by_class(scored, 0.95).rows}["rare"]
    assert rare[2]["high"] == 1
    assert rare[2]["low"] == pytest.approx(0.025 ** (1 / 3))


def test_classes_without_rows_say_nothing(classified: Make) -> None:
    scored = classified(labels=("a", "b"))
    wider = dataclasses.replace(
        scored,
        labels=("a", "b", "ghost"),
        probability=np.c_[scored.probability, np.zeros(scored.rows)],
    )
    assert "ghost" not in [row[0] for row in by_class(wider, 0.95, resamples=20).rows]


def test_the_matrix_counts_every_row(classified: Make) -> None:
    scored = classified(labels=("a", "b", "c"))
    matrix = _named(_sections(scored), "Confusion")
    assert isinstance(matrix, Matrix)
    expected = sk.confusion_matrix(scored.truth, scored.predicted)
    assert np.array_equal(np.array(matrix.values), expected)


def test_many_classes_show_the_worst(classified: Make) -> None:
    scored = classified(labels=tuple(f"class {i}" for i in range(40)), rows=2000)
    found = _sections(scored)
    matrix, pairs = _named(found, "Confusion"), _named(found, "Most confused")
    assert isinstance(matrix, Matrix)
    assert isinstance(pairs, Table)
    assert len(matrix.row_labels) == MATRIX_CLASSES
    counts = [row[2] for row in pairs.rows]
    assert counts == sorted(counts, reverse=True)
    truth, answer = (scored.labels.index(name) for name in pairs.rows[0][:2])
    assert counts[0] == ((scored.truth == truth) & (scored.predicted == answer)).sum()


def test_calibration_holds_every_row(classified: Make) -> None:
    scored = classified(labels=("a", "b", "c"))
    found = _sections(scored)
    curve, counts = _named(found, "Calibration"), _named(found, "Answers by")
    assert isinstance(curve, Lines)
    assert isinstance(counts, Bars)
    assert curve.diagonal
    assert sum(counts.values) == scored.rows
    for stated, right in next(iter(curve.series.values())):
        assert 0 <= stated <= 1
        assert 0 <= right <= 1


def test_of_two_labels_the_event_is_looked_at(classified: Make) -> None:
    found = _sections(classified())
    titles = [section.title for section in found]
    assert {"Calibration", "ROC curve", "Precision and recall", "Gains and lift"} <= set(titles)
    assert "Answers by stated probability" not in titles


def test_mistakes_are_wrong_and_the_surest_first(classified: Make) -> None:
    scored = classified(skill=0.5)
    table = _named(_sections(scored, mistakes=7), "Most confident")
    assert isinstance(table, Table)
    assert len(table.rows) == 7
    sure = [row[3] for row in table.rows]
    assert sure == sorted(sure, reverse=True)
    for content, truth, answer, _ in table.rows:
        row = int(content.removeprefix("row "))
        assert truth != answer
        assert scored.labels[scored.truth[row]] == truth
        assert scored.labels[scored.predicted[row]] == answer


def test_faultless_answers_have_no_mistakes(classified: Make) -> None:
    scored = classified(skill=60.0)
    titles = [section.title for section in _sections(scored)]
    assert "Most confident mistakes" not in titles
    assert "Texts cut short" not in titles


def test_cut_texts_are_counted_by_class(classified: Make) -> None:
    scored = classified()
    cut = [row % 5 == 0 for row in range(scored.rows)]
    answers = [{"label": "x", "truncated": True} if c else {"label": "x"} for c in cut]
    found = sections(["t"] * scored.rows, answers, scored)
    table = _named(found, "Texts cut short")
    assert isinstance(table, Table)
    assert sum(row[1] for row in table.rows) == sum(cut)
    assert sum(row[2] for row in table.rows) == scored.rows


def test_long_texts_are_cut_and_put_on_one_line() -> None:
    assert shorten("a\n b\t c") == "a b c"
    assert shorten("x" * 500, 10) == "xxxxxxxxx…"


def test_titles_speak_chinese(classified: Make) -> None:
    use_language("zh")
    titles = [section.title for section in _sections(classified(skill=0.5))]
    assert "混淆矩阵" in titles
    assert "最自信的错误" in titles
