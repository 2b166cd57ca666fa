"""A table whose columns have roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from luodi.contracts.errors import DataError
from luodi.contracts.language import say
from luodi.contracts.settings import QuestionSettings

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

ROW = "__row__"
"""Reserved column: the row's place in what was collected, from 0, kept through every step."""
COPIES = "__copies__"
"""Reserved column: rows with the same number are near-copies of one another."""
RESERVED = (ROW, COPIES)


class Role(StrEnum):
    """What a column is for."""

    TEXT = "text"
    LABEL = "label"
    FEATURE = "feature"
    GROUP = "group"
    TIME = "time"
    SLICE = "slice"
    PROTECTED = "protected"
    WEIGHT = "weight"
    ID = "id"


@dataclass(frozen=True)
class RoleRule:
    """How a task uses a role.

    Attributes:
        required: must it be named?
        many: may several columns play it?
        meaning: what it is for, to a reader.
        kind: what texts and labels are read as; columns of other roles stay as they came.
        rest: when no column is named, all that play no other role of their own play this one.
        shared: its columns may be among the `rest` as well.
    """

    required: bool = False
    many: bool = False
    meaning: str = ""
    kind: Literal["text", "number"] = "text"
    rest: bool = False
    shared: bool = False


@dataclass(frozen=True)
class Dataset:
    """A table (rows x columns) and the columns that play each role.

    The table carries the reserved columns ROW and, once duplicates were sought, COPIES.
    `question` is what the project file says of the question beside the roles.
    """

    table: pl.DataFrame
    roles: Mapping[Role, tuple[str, ...]]
    question: QuestionSettings = field(default_factory=QuestionSettings)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.table.height

    def columns(self, role: Role) -> tuple[str, ...]:
        """The columns that play `role`; empty when none does."""
        return self.roles.get(role, ())

    def column(self, role: Role) -> str:
        """The one column that plays `role`.

        Raises:
            DataError: when none or several do.
        """
        names = self.columns(role)
        if len(names) != 1:
            raise DataError(
                say(
                    f"{len(names)} columns play the role {role}.",
                    f"有 {len(names)} 列担任 {role} 角色。",
                ),
                say("Exactly one is needed.", "需要恰好一列。"),
            )
        return names[0]

    def take(self, rows: NDArray[np.int64]) -> Dataset:
        """The rows at these positions, in this order."""
        return replace(self, table=self.table[rows])


@dataclass(frozen=True)
class Parts:
    """What is learnt from, chosen on, and judged on. No near-copy stands in two of them."""

    train: Dataset
    valid: Dataset
    test: Dataset
