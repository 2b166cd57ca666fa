"""What a report shows: a few kinds of picture that any task can fill.

A task returns sections; the page knows how to draw each kind. A new task needs no new page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from luodi.contracts.json import JsonValue


@dataclass(frozen=True)
class Table:
    """Rows under column heads. Numbers are shown to four figures, intervals as `v [low, high]`."""

    kind: ClassVar[str] = "table"
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[JsonValue]]
    note: str = ""


@dataclass(frozen=True)
class Lines:
    """Curves: series name -> points (x, y).

    `diagonal` draws the line y = x over both axes, which then are alike; the legend calls it
    `diagonal_name`.
    `spread` (series name -> (low, high) a point) draws a whisker through each point.
    """

    kind: ClassVar[str] = "lines"
    title: str
    x_label: str
    y_label: str
    series: Mapping[str, Sequence[tuple[float, float]]]
    diagonal: bool = False
    note: str = ""
    diagonal_name: str = ""
    spread: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Bars:
    """A bar a label; `low` and `high`, when given, draw whiskers."""

    kind: ClassVar[str] = "bars"
    title: str
    labels: Sequence[str]
    values: Sequence[float]
    low: Sequence[float] = field(default_factory=tuple)
    high: Sequence[float] = field(default_factory=tuple)
    note: str = ""


@dataclass(frozen=True)
class Matrix:
    """Counts by row label (truth) and column label (answer)."""

    kind: ClassVar[str] = "matrix"
    title: str
    row_labels: Sequence[str]
    column_labels: Sequence[str]
    values: Sequence[Sequence[float]]
    row_axis: str = ""
    column_axis: str = ""
    note: str = ""


Section = Table | Lines | Bars | Matrix
