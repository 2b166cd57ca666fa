"""Curves beside a diagonal stay in sight, whatever numbers they are of."""

from __future__ import annotations

import re

import pytest

from luodi.contracts import Lines
from luodi.evaluation.page.chart import lines


@pytest.mark.parametrize(
    "points",
    [
        [(0.1, 0.2), (0.9, 0.8)],
        [(0.001, 0.002), (0.02, 0.01)],
        [(3.0, 5.0), (125.0, 110.0)],
        [(-40.0, -35.0), (-3.0, 2.0)],
        [(1e6, 1.1e6), (2e6, 2.5e6)],
        [(7.0, 7.0)],
    ],
)
def test_curve_and_diagonal_lie_inside_the_picture(points):
    drawn = str(lines(Lines("t", "x", "y", {"model": points}, diagonal=True)))
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn).groups())
    curves = re.findall(r'points="([^"]*)"', drawn)
    assert len(curves) == 2
    for curve in curves:
        for pair in curve.split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= width, drawn
            assert 0 <= y <= height, drawn


def _across(chart: Lines) -> set[str]:
    """The words below the picture."""
    found = re.findall(r'<text[^>]*text-anchor="middle"[^>]*>([^<]*)</text>', str(lines(chart)))
    return set(found) - {chart.x_label, chart.y_label}


def test_what_is_counted_has_no_fractions_below_it() -> None:
    epochs = Lines("Loss", "epoch", "loss", {"train": [(1.0, 0.5), (2.0, 0.3)]})
    assert _across(epochs) == {"1", "2"}
    shares = Lines("Loss", "share", "loss", {"train": [(1.0, 0.5), (1.5, 0.4), (2.0, 0.3)]})
    assert "1.2" in _across(shares)
