"""Small pictures as SVG, drawn so that they say the same in colour, in grey and to a screen reader.

Bars and intervals use percentages for widths: they fit any window without scaling their text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup

from luodi.contracts import Interval, Lines
from luodi.evaluation.page.wording import number, plain, spread

Domain = tuple[float, float]
Point = tuple[float, float]


def domain(values: Iterable[float], lowest: float = -math.inf, highest: float = math.inf) -> Domain:
    """A range that holds the finite values with room at both ends, within its natural limits."""
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = 0.12 * (high - low) or max(0.05, 0.05 * abs(high))
    return max(low - room, lowest), min(high + room, highest)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers between two ends."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    power: float = 10.0 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 2.5, 5, 10) if power * unit >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(step * k, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def short(value: float) -> str:
    """A tick's number, no longer than needed."""
    return f"{value:.6g}".replace("-", "−")


def _across(value: float, span: Domain) -> str:
    """Where a value stands between the ends, as a percentage kept within the picture."""
    low, high = span
    share = (value - low) / (high - low) if high > low else 0.5
    return f"{100 * min(1.0, max(0.0, share)):.2f}%"


def _picture(inside: str, label: str, height: int, kind: str) -> Markup:
    return Markup(
        f'<svg class="{kind}" role="img" width="100%" height="{height}" '
        f'aria-label="{plain(label)}"><title>{plain(label)}</title>{inside}</svg>'
    )


def interval_bar(
    name: str,
    interval: Interval,
    span: Domain,
    marks: Sequence[tuple[str, float]] = (),
    bound: float | None = None,
) -> Markup:
    """A value and its interval on a line from one end of `span` to the other.

    Args:
        marks: others to compare with, (name, value), as small ticks.
        bound: the gate's threshold, as a line through.
    """
    label = f"{name}: {number(interval.value)} {spread(interval)}"
    inside = ['<line class="rail" x1="0" x2="100%" y1="12" y2="12"/>']
    for mark, value in marks:
        if math.isfinite(value):
            x = _across(value, span)
            inside.append(
                f'<line class="other" x1="{x}" x2="{x}" y1="6" y2="18">'
                f"<title>{plain(mark)}: {number(value)}</title></line>"
            )
    if math.isfinite(interval.low) and math.isfinite(interval.high):
        low, high = _across(interval.low, span), _across(interval.high, span)
        inside.append(f'<line class="reach" x1="{low}" x2="{high}" y1="12" y2="12"/>')
    if bound is not None and math.isfinite(bound):
        x = _across(bound, span)
        inside.append(f'<line class="bound" x1="{x}" x2="{x}" y1="1" y2="23"/>')
        label += f" | {number(bound)}"
    if math.isfinite(interval.value):
        inside.append(f'<circle class="dot" cx="{_across(interval.value, span)}" cy="12" r="5"/>')
    return _picture("".join(inside), label, 24, "interval")


def axis(span: Domain) -> Markup:
    """Round numbers under pictures that share a span."""
    inside = []
    for tick in ticks(*span, count=4):
        x = _across(tick, span)
        share = float(x[:-1])
        anchor = "start" if share < 6 else "end" if share > 94 else "middle"
        inside.append(
            f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="4"/>'
            f'<text class="tick" x="{x}" y="17" text-anchor="{anchor}">{short(tick)}</text>'
        )
    return Markup(
        f'<svg class="axis" width="100%" height="22" aria-hidden="true">{"".join(inside)}</svg>'
    )


def bar(
    name: str, value: float, most: float, low: float = math.nan, high: float = math.nan
) -> Markup:
    """One bar of a row of bars, with whiskers where both ends are known."""
    span = (0.0, most if most > 0 else 1.0)
    inside = [f'<rect class="fill" x="0" y="3" width="{_across(value, span)}" height="14"/>']
    label = f"{name}: {number(value)}"
    if math.isfinite(low) and math.isfinite(high):
        inside.append(
            f'<line class="whisker" x1="{_across(low, span)}" x2="{_across(high, span)}" '
            'y1="10" y2="10"/>'
        )
        label += f" [{number(low)}, {number(high)}]"
    return _picture("".join(inside), label, 20, "bar")


def stack(parts: Sequence[tuple[str, float]], label: str) -> Markup:
    """Parts of a whole side by side; their names stand in the legend beneath."""
    whole = math.fsum(value for _, value in parts) or 1.0
    inside, start = [], 0.0
    for index, (name, value) in enumerate(parts):
        share = 100 * value / whole
        inside.append(
            f'<rect class="part p{index % 6}" x="{start:.3f}%" y="0" width="{share:.3f}%" '
            f'height="20"><title>{plain(name)}: {number(value)}</title></rect>'
        )
        start += share
    told = ", ".join(f"{name} {number(value)}" for name, value in parts)
    return _picture("".join(inside), f"{label}: {told}", 20, "stack")


WIDTH, HEIGHT = 460.0, 280.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 14.0, 12.0, 44.0


def lines(chart: Lines) -> Markup:
    """Curves on two axes. Series differ by dash and by mark, not by colour alone."""
    points = [p for series in chart.series.values() for p in series if all(map(math.isfinite, p))]
    if chart.diagonal:
        across = up = (0.0, 1.0)
    else:
        across, up = _tight(p[0] for p in points), domain(p[1] for p in points)

    def place(point: Point) -> Point:
        share = [
            (value - low) / (high - low) if high > low else 0.5
            for value, (low, high) in zip(point, (across, up), strict=True)
        ]
        return (
            _LEFT + share[0] * (WIDTH - _LEFT - _RIGHT),
            HEIGHT - _BOTTOM - share[1] * (HEIGHT - _TOP - _BOTTOM),
        )

    inside = [_frame(chart, across, up, place)]
    if chart.diagonal:
        (x1, y1), (x2, y2) = place((0.0, 0.0)), place((1.0, 1.0))
        inside.append(
            f'<line class="diagonal" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        )
    for index, (name, series) in enumerate(chart.series.items()):
        placed = [place((float(x), float(y))) for x, y in series if math.isfinite(x + y)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        inside.append(f'<polyline class="series s{index % 4}" points="{path}"/>')
        if len(placed) <= 40:
            inside.extend(
                f'<circle class="point s{index % 4}" cx="{x:.1f}" cy="{y:.1f}" r="3">'
                f"<title>{plain(name)}: {number(float(px))}, {number(float(py))}</title></circle>"
                for (x, y), (px, py) in zip(placed, series, strict=False)
            )
    label = f"{chart.title}: {chart.y_label} / {chart.x_label}"
    return Markup(
        f'<svg class="chart" role="img" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" '
        f'aria-label="{plain(label)}"><title>{plain(label)}</title>{"".join(inside)}</svg>'
    )


def _tight(values: Iterable[float]) -> Domain:
    known = list(values) or [0.0, 1.0]
    low, high = min(known), max(known)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _frame(chart: Lines, across: Domain, up: Domain, place: Callable[[Point], Point]) -> str:
    """Grid, ticks and the names of the axes."""
    inside = []
    bottom, middle = HEIGHT - _BOTTOM, (_LEFT + WIDTH - _RIGHT) / 2
    for tick in ticks(*up):
        y = place((across[0], tick))[1]
        inside.append(
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">'
            f"{short(tick)}</text>"
        )
    for tick in ticks(*across):
        x = place((tick, up[0]))[0]
        inside.append(
            f'<text class="tick" x="{x:.1f}" y="{bottom + 17:.1f}" text-anchor="middle">'
            f"{short(tick)}</text>"
        )
    inside.append(
        f'<text class="name" x="{middle:.1f}" y="{HEIGHT - 8:.1f}" text-anchor="middle">'
        f"{plain(chart.x_label)}</text>"
        f'<text class="name" transform="translate(12 {(bottom + _TOP) / 2:.1f}) rotate(-90)" '
        f'text-anchor="middle">{plain(chart.y_label)}</text>'
    )
    return "".join(inside)
