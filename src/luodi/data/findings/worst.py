"""The rows that have the most against them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from luodi.data.examples import shorten
from luodi.data.findings.column import (
    Noticed,
    Record,
    Sheet,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WEIGHT = {"error": 3.0, "warning": 2.0, "info": 1.0}
_CELLS = 8


@dataclass(frozen=True)
class WorstRow:
    """A row with what is wrong with it.

    Attributes:
        place: from 0.
        score: the surprise of its faults, in bits, warnings counted twice.
        faults: column -> the finding's code; "" for the row as a whole.
        cells: the values at fault, shortened, personal data masked.
    """

    place: int
    score: float
    faults: dict[str, str]
    cells: Record


def worst_rows(sheet: Sheet, noticed: Sequence[Noticed], most: int = 20) -> list[WorstRow]:
    """The rows whose faults are the most surprising, the worst first.

    A fault that one row in a thousand has weighs ten bits, one that half of them have one bit:
    what is wrong everywhere is the column's fault, not the row's.
    """
    import numpy as np

    rows = sheet.table.height
    score = np.zeros(rows)
    cells: list[tuple[str, str, NDArray[np.int64]]] = []
    for finding, marks in noticed:
        for column, places in marks.items():
            if not len(places):
                continue
            bits = math.log2(rows / len(places)) if rows else 0.0
            score[places] += _WEIGHT[finding.severity] * max(bits, 0.1)
            cells.append((column, finding.code, places))
    order = np.argsort(-score, kind="stable")[:most]
    order = order[score[order] > 0]
    found = [WorstRow(int(place), round(float(score[place]), 2), {}, {}) for place in order]
    by_place = {row.place: row for row in found}
    for column, code, places in cells:
        for place in places[np.isin(places, order)].tolist():
            row = by_place[place]
            row.faults[column] = f"{row.faults[column]}, {code}" if column in row.faults else code
            if column and len(row.cells) < _CELLS:
                value = sheet.columns[column].values[place]
                row.cells[column] = value if value is None else shorten(str(value), 60)
    return found
