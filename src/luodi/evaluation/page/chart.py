"""Curves on two axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from luodi.contracts import Lines
from luodi.evaluation.page.drawing import (
    Domain,
    Element,
    add,
    bounded,
    domain,
    markup,
    picture,
    short,
    snapped,
    ticks,
)
from luodi.evaluation.page.wording import number

Point = tuple[float, float]

WIDTH, RIGHT, TOP, BOTTOM = 460.0, 14.0, 12.0, 46.0
LEFT = 64.0
DASHES = 4
"""Kinds of line that the page's style tells apart; the fifth series looks like the first."""
MARKED = 40
"""Points up to which each is marked with a dot that tells its numbers."""


@dataclass(frozen=True)
class Plane:
    """Where numbers stand on the drawing."""

    across: Domain
    up: Domain
    height: float

    def place(self, point: Point) -> Point:
        """A point of the data in the drawing's units."""
        x, y = (
            (value - low) / (high - low) if high > low else 0.5
            for value, (low, high) in zip(point, (self.across, self.up), strict=True)
        )
        return (
            round(LEFT + x * (WIDTH - LEFT - RIGHT), 1),
            round(self.height - BOTTOM - y * (self.height - TOP - BOTTOM), 1),
        )


def lines(chart: Lines) -> Markup:
    """The curves. Series differ by dash and by mark, not by colour alone."""
    series = {
        name: [
            (bounded(float(x)), bounded(float(y)))
            for x, y in points
            if math.isfinite(x) and math.isfinite(y)
        ]
        for name, points in chart.series.items()
    }
    points = [point for found in series.values() for point in found]
    if chart.diagonal:
        ends = _square(points, chart)
        plane = Plane(ends, ends, 400.0)
    else:
        plane = Plane(_tight(x for x, _ in points), domain(y for _, y in points), 280.0)
    label = f"{chart.title}: {chart.y_label or chart.title} / {chart.x_label}"
    svg = picture("chart", label, viewBox=f"0 0 {WIDTH:g} {plane.height:g}")
    _frame(svg, chart, plane)
    if chart.diagonal:
        _path(svg, [(end, end) for end in ends], plane, "diagonal")
    for index, (name, found) in enumerate(series.items()):
        look = f"s{index % DASHES}"
        _path(svg, found, plane, f"series {look}")
        _whiskers(svg, chart, name, plane)
        for point in found if len(found) <= MARKED else ():
            x, y = plane.place(point)
            dot = add(svg, "circle", class_=f"point {look}", cx=x, cy=y, r=3.2)
            add(dot, "title", f"{name}: {number(point[0])}, {number(point[1])}")
    return markup(svg)


def _square(points: Sequence[Point], chart: Lines) -> tuple[float, float]:
    """The ends of both axes of a chart with a diagonal.

    Shares reach from 0 to 1, or less where all lie near 0; other numbers from end to end.
    """
    spread = [end for ends in chart.spread.values() for pair in ends for end in pair]
    every = [value for point in points for value in point]
    every += [end for end in spread if math.isfinite(end)]
    low, high = min(every, default=0.0), max(every, default=1.0)
    if low < 0 or high > 1:
        return snapped((low, high if high > low else low + 1))
    return 0.0, 1.0 if not 0 < high < 0.5 else min(1.0, snapped((0.0, high))[1])


def _whiskers(svg: Element, chart: Lines, name: str, plane: Plane) -> None:
    """A line from the low to the high end of each point that has one."""
    for (x, _), (low, high) in zip(chart.series[name], chart.spread.get(name, ()), strict=False):
        if math.isfinite(x) and math.isfinite(low) and math.isfinite(high):
            (at, bottom), (_, top) = plane.place((x, low)), plane.place((x, high))
            add(svg, "line", class_="whisker", x1=at, x2=at, y1=bottom, y2=top)


def _path(svg: Element, points: Sequence[Point], plane: Plane, look: str) -> None:
    placed = " ".join(f"{x:g},{y:g}" for x, y in map(plane.place, points))
    add(svg, "polyline", class_=look, points=placed)


def _frame(svg: Element, chart: Lines, plane: Plane) -> None:
    """Grid, ticks and the names of the axes."""
    bottom = plane.height - BOTTOM
    for tick in ticks(*plane.up):
        _, y = plane.place((plane.across[0], tick))
        add(svg, "line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
        add(svg, "text", short(tick), class_="tick", x=LEFT - 7, y=y + 4, text_anchor="end")
    whole = all(float(x).is_integer() for points in chart.series.values() for x, _ in points)
    across = ticks(*plane.across)
    if whole and not chart.diagonal and len(across) > 1:  # there is no epoch 1.2
        across = [tick for tick in across if tick.is_integer()]
    for tick in across:
        x, _ = plane.place((tick, plane.up[0]))
        add(svg, "text", short(tick), class_="tick", x=x, y=bottom + 18, text_anchor="middle")
    middle = (LEFT + WIDTH - RIGHT) / 2
    low = plane.height - 8
    add(svg, "text", chart.x_label, class_="name", x=middle, y=low, text_anchor="middle")
    turned = f"translate(12 {(bottom + TOP) / 2:g}) rotate(-90)"
    add(svg, "text", chart.y_label, class_="name", transform=turned, text_anchor="middle")


def _tight(values: Iterable[float]) -> Domain:
    known = list(values) or [0.0, 1.0]
    low, high = min(known), max(known)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
