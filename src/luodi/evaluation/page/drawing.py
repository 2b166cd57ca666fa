"""Small pictures as SVG, drawn so that they say the same in colour, in grey and to a screen reader.

Bars and intervals use percentages for widths: they fit any window without scaling their text.
Everything is built as elements, so that text from data is escaped by the serialiser alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

from markupsafe import Markup

from luodi.contracts import Interval
from luodi.evaluation.page.wording import clean, number, spread

_FARTHEST = 1e300
Domain = tuple[float, float]
Element = ElementTree.Element


def bounded(value: float) -> float:
    """Within what a chart can span: the distance of two such numbers still is a number."""
    return max(-_FARTHEST, min(value, _FARTHEST))


def domain(values: Iterable[float], lowest: float = -math.inf, highest: float = math.inf) -> Domain:
    """A range that holds the finite values with room at both ends, within its natural limits."""
    known = [bounded(value) for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    room = 0.12 * (high - low) or max(0.05, 0.05 * abs(high))
    return max(low - room, lowest), min(high + room, highest)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers between two ends."""
    if not high - low > 1e-9 * max(1.0, abs(low), abs(high)):
        return [low]  # closer together than a tick's digits can tell
    rough = (high - low) / count
    power: float = 10.0 ** math.floor(math.log10(rough))
    step = next(power * unit for unit in (1, 2, 2.5, 5, 10) if power * unit >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(step * k, 12) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def snapped(span: Domain, lowest: float = -math.inf, highest: float = math.inf) -> Domain:
    """A range widened to round numbers, within its natural limits."""
    low, high = span
    found = ticks(low, high, count=4)
    if len(found) < 2:
        return span
    step = found[1] - found[0]
    low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return max(round(low, 12), lowest), min(round(high, 12), highest)


def short(value: float) -> str:
    """A tick's number, no longer than needed."""
    return f"{value:.6g}".replace("-", "−")


def add(parent: Element, tag: str, inner: str = "", **attributes: object) -> Element:
    """A child element; `class_` and `text_anchor` become `class` and `text-anchor`."""
    named = {name.strip("_").replace("_", "-"): str(value) for name, value in attributes.items()}
    child = ElementTree.SubElement(parent, tag, named)
    child.text = str(clean(inner)) or None
    return child


def picture(kind: str, label: str, **attributes: object) -> Element:
    """An empty picture that says what it shows to those who do not see it."""
    svg = Element("svg", {"class": kind, "role": "img", "aria-label": str(clean(label))})
    svg.attrib.update({name: str(value) for name, value in attributes.items()})
    return svg


def markup(svg: Element) -> Markup:
    """The picture for the page."""
    # Written by the XML serialiser from elements: all text in it is escaped.
    return Markup(ElementTree.tostring(svg, encoding="unicode"))  # noqa: S704


def _across(value: float, span: Domain) -> str:
    """Where a value stands between the ends, as a percentage kept within the picture."""
    low, high = span
    share = (value - low) / (high - low) if high > low else 0.5
    return f"{100 * min(1.0, max(0.0, share)):.2f}%"


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
    svg = picture("interval", label, width="100%", height=24)
    add(svg, "line", class_="rail", x1="0", x2="100%", y1=12, y2=12)
    if math.isfinite(interval.low) and math.isfinite(interval.high):
        low, high = _across(interval.low, span), _across(interval.high, span)
        add(svg, "line", class_="reach", x1=low, x2=high, y1=12, y2=12)
    for mark, value in marks:
        if math.isfinite(value):
            x = _across(value, span)
            line = add(svg, "line", class_="other", x1=x, x2=x, y1=5, y2=19)
            add(line, "title", f"{mark}: {number(value)}")
    if bound is not None and math.isfinite(bound):
        x = _across(bound, span)
        add(add(svg, "line", class_="bound", x1=x, x2=x, y1=0, y2=24), "title", number(bound))
    if math.isfinite(interval.value):
        add(svg, "circle", class_="dot", cx=_across(interval.value, span), cy=12, r=5)
    return markup(svg)


def axis(span: Domain) -> Markup:
    """Round numbers under pictures that share a span."""
    svg = Element("svg", {"class": "axis", "width": "100%", "height": "22", "aria-hidden": "true"})
    for tick in ticks(*span, count=4):
        x = _across(tick, span)
        share = float(x[:-1])
        anchor = "start" if share < 6 else "end" if share > 94 else "middle"
        add(svg, "line", class_="grid", x1=x, x2=x, y1=0, y2=4)
        add(svg, "text", short(tick), class_="tick", x=x, y=17, text_anchor=anchor)
    return markup(svg)


def bar(
    name: str, value: float, most: float, low: float = math.nan, high: float = math.nan
) -> Markup:
    """One bar of a row of bars, with whiskers where both ends are known."""
    span = (0.0, most if most > 0 else 1.0)
    told = f" [{number(low)}, {number(high)}]" if math.isfinite(low + high) else ""
    svg = picture("bar", f"{name}: {number(value)}{told}", width="100%", height=20)
    add(svg, "rect", class_="fill", x=0, y=3, width=_across(value, span), height=14)
    if told:
        ends = {"x1": _across(low, span), "x2": _across(high, span)}
        add(svg, "line", class_="whisker", y1=10, y2=10, **ends)
    return markup(svg)


def gap(label: str, honest: float, claimed: float, span: Domain) -> Markup:
    """The stretch between what is so and what was claimed."""
    svg = picture("interval", label, width="100%", height=24)
    ends = {"x1": _across(honest, span), "x2": _across(claimed, span)}
    add(svg, "line", class_="gap", y1=12, y2=12, **ends)
    for x in ends.values():
        add(svg, "line", class_="gap", x1=x, x2=x, y1=6, y2=18)
    return markup(svg)


def stack(parts: Sequence[tuple[str, float]], label: str) -> Markup:
    """Parts of a whole side by side; their names stand in the legend beneath."""
    whole = math.fsum(value for _, value in parts) or 1.0
    told = ", ".join(f"{name} {number(value)}" for name, value in parts)
    svg, start = picture("stack", f"{label}: {told}", width="100%", height=18), 0.0
    for index, (name, value) in enumerate(parts):
        share = 100 * value / whole
        width, x = f"{share:.3f}%", f"{start:.3f}%"
        part = add(svg, "rect", class_=f"part p{index % 6}", x=x, y=0, width=width, height=18)
        add(part, "title", f"{name}: {number(value)}")
        start += share
    return markup(svg)
