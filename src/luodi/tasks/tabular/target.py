"""What is asked of a table's rows: one of a few labels, or a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from luodi.contracts import COPIES, Dataset, Role, Schema
from luodi.data.levels import levels

if TYPE_CHECKING:
    from luodi.tasks.tabular.codes import Floats

LABEL, SCORES, VALUE = "label", "probabilities", "value"
"""The fields of an answer."""


@dataclass(frozen=True)
class Classes:
    """One of k labels; of two the second is the event."""

    labels: tuple[str, ...]

    def truth(self, data: Dataset) -> NDArray[np.int64]:
        """(n,) each row's place among the labels."""
        place = {label: index for index, label in enumerate(self.labels)}
        names = data.table.get_column(data.column(Role.LABEL)).to_list()
        return np.array([place[name] for name in names], dtype=np.int64)


@dataclass(frozen=True)
class Numbers:
    """A number."""

    def truth(self, data: Dataset) -> Floats:
        """(n,)."""
        values = data.table.get_column(data.column(Role.LABEL)).to_numpy()
        return np.asarray(values, dtype=np.float64)


Target = Classes | Numbers


def target_of(schema: Schema) -> Target:
    """What a schema's answer is about."""
    fields = {field.name: field for field in schema.answer}
    return Classes(fields[LABEL].categories) if LABEL in fields else Numbers()


def clusters_of(data: Dataset) -> NDArray[np.int64]:
    """(n,) rows of one number are copies or of one group: no independent evidence."""
    groups = data.columns(Role.GROUP)
    if groups:
        return levels(data.table.get_column(groups[0]))[1]
    if COPIES in data.table.columns:
        return np.asarray(data.table.get_column(COPIES).to_numpy(), dtype=np.int64)
    return np.arange(data.rows)
