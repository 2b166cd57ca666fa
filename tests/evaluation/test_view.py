"""What the template is given."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luodi.contracts import Bars, Interval, Lines, Table, use_language
from luodi.evaluation.page import drawing, wording
from luodi.evaluation.page.view import candidate, column, curves, gauges, side_by_side
from luodi.evaluation.report import Report


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.86134, "0.8613"),
        (1.0, "1.0000"),
        (2.0489, "2.049"),
        (17562, "17,562"),
        (-0.0123, "−0.0123"),
        (0.00001234, "1.23e−05"),
        (0.000158, "0.0002"),
        (math.nan, "–"),
        (None, "–"),
        (0.0, "0"),
        (1234567.8, "1,234,568"),
    ],
)
def test_numbers_to_four_figures(value: float, written: str) -> None:
    assert wording.number(value) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.42, "0.4 s"), (59.7, "1 min"), (237.2, "3 min 57 s"), (7260, "2 h 1 min"), (7200, "2 h")],
)
def test_durations(seconds: float, written: str) -> None:
    assert wording.duration(seconds) == written


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_round_and_inside(low: float, width: float) -> None:
    width = max(width, 1e-6 * abs(low))  # below that, ticks would need more digits than fit
    found = drawing.ticks(low, low + width)
    assert 1 <= len(found) <= 12
    assert all(low - width * 1e-6 <= tick <= low + width * (1 + 1e-6) for tick in found)
    assert found == sorted(set(found))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_a_scale_holds_its_values(values: list[float]) -> None:
    low, high = drawing.snapped(drawing.domain(values, 0, 1), 0, 1)
    assert 0 <= low <= min(values) + 1e-9
    assert max(values) - 1e-9 <= high <= 1


def test_gated_metrics_come_first(report: Callable[..., Report]) -> None:
    names = [gauge.name for gauge in gauges(report())]
    assert names[:2] == ["accuracy", "log_loss"]
    assert sorted(names) == ["accuracy", "ece", "log_loss", "macro_f1"]


def test_curves_part_losses_from_scores() -> None:
    history = [{"epoch": e, "train_loss": 1 / e, "valid_accuracy": 0.5} for e in (1, 2)]
    found = curves(history)
    assert [set(chart.series) for chart in found] == [{"loss, training"}, {"Accuracy, validation"}]
    assert curves(history[:1]) == []


def test_records_are_told_in_their_units() -> None:
    row = candidate(
        {"learner": "linear", "value": 0.8, "low": 0.7, "high": 0.9, "level": 0.95, "seconds": 75.0}
    )
    assert row["seconds"] == "1 min 15 s"
    assert wording.as_interval(row["value"]) == Interval(0.8, 0.7, 0.9)
    profile = column({"name": "text", "rows": 200, "missing": 5, "top": [("good", 9)]})
    assert profile["missing"] == "5 (2.5%)"
    assert profile["top"] == ["good (9)"]


def test_pictures_share_a_row() -> None:
    lines, bars = Lines("l", "x", "y", {}), Bars("b", [], [])
    table = Table("t", [], [])
    assert side_by_side([table, lines, bars, lines, table]) == [
        [table],
        [lines, bars],
        [lines],
        [table],
    ]


def test_records_of_several_models_are_no_line_through_time():
    """Each model's seconds begin anew: the curve goes by record then, and never back."""
    history = [{"seconds": second, "valid_loss": 0.5} for second in (0.02, 0.03, 0.01)]
    (lines,) = curves(history)
    (points,) = lines.series.values()
    assert [x for x, _ in points] == [1.0, 2.0, 3.0]
    (rising,) = curves(sorted(history, key=lambda record: record["seconds"]))
    assert [x for x, _ in next(iter(rising.series.values()))] == [0.01, 0.02, 0.03]


def test_what_a_column_is_found_to_be_is_said_in_the_pages_language():
    use_language("zh")
    codes = wording.code_names("personal-data, personal-numbers, target-leak, near-leak")
    assert not any(sign.isascii() and sign.isalpha() for sign in codes)
