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
