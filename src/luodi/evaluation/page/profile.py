"""A table's profile as a page: what is wrong first, then each column."""

from __future__ import annotations

import contextvars
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from luodi.contracts import Finding, current_language, use_language
from luodi.evaluation.page.drawing import add, markup, picture
from luodi.evaluation.page.render import environment, style
from luodi.evaluation.page.wording import number

_CARDS = 200
"""Columns that get a card; those with findings go first where there are more."""
_HEIGHT = 56.0


def render_profile(looked: Mapping[str, Any], findings: Sequence[Finding]) -> str:
    """The page as one self-contained HTML file, in the look's language.

    Args:
        looked: source, rows, columns (profiles with `distribution` and `findings`), worst,
            missing, files, language, created, seconds.
        findings: in the order in which they are to be read.
    """

    def draw() -> str:
        use_language(looked["language"])
        language = "zh-CN" if current_language() == "zh" else "en"
        columns = looked["columns"]
        shown = columns
        if len(columns) > _CARDS:
            shown = sorted(columns, key=lambda column: not column["findings"])[:_CARDS]
        return environment().get_template("profile.html").render(
            looked=looked, findings=findings, columns=shown, lang=language, css=style(),
            histogram=histogram, top=top, report=None,
        )  # fmt: skip

    return contextvars.copy_context().run(draw)


def histogram(column: Mapping[str, Any]) -> Markup:
    """The bars of a column's distribution, the ends written beneath by the template."""
    spread = column["distribution"]
    counts, edges = spread["counts"], spread["edges"]
    most = max(counts, default=0) or 1
    width = 100 / max(len(counts), 1)
    svg = picture("histogram", f"{column['name']}: {edges[0]} – {edges[-1]}", width="100%",
                  height=_HEIGHT)  # fmt: skip
    for place, count in enumerate(counts):
        # One row among many must still be seen.
        tall = max(1.5, _HEIGHT * count / most) if count else 0.0
        bar = add(
            svg, "rect", class_="fill", x=f"{place * width + 0.06 * width:.3f}%",
            y=f"{_HEIGHT - tall:.2f}", width=f"{0.88 * width:.3f}%", height=f"{tall:.2f}",
        )  # fmt: skip
        add(bar, "title", f"{edges[place]} – {edges[place + 1]}: {number(count)}")
    return markup(svg)


def top(column: Mapping[str, Any], most: int = 6) -> list[tuple[str, int, float]]:
    """The commonest values with their rows, and their share of the commonest one's bar."""
    found = [(str(value), int(count)) for value, count in column["top"][:most]]
    longest = max((count for _, count in found), default=1)
    return [(value, count, count / longest) for value, count in found]
