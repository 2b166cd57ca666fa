"""What every topic looks at: a column with its card and its role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from luodi.contracts import RESERVED, Finding, JsonValue, Role, Severity
from luodi.data.profile import ColumnProfile, profile_column, shown_values

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Marks = dict[str, NDArray[np.int64]]

THREADS = 2
_CELLS = 1_000_000
"""Cells from which columns are looked at side by side."""
_FEW = 1000
SHOWN_COLUMNS = 10
"""Columns of which a finding shows a record; `details` names them all."""


Record = dict[str, JsonValue]
"""What a finding shows of one column."""


class Noticed(NamedTuple):
    """A finding, and the cells at fault: column -> places of rows, "" for rows as a whole."""

    finding: Finding
    marks: Marks = {}


@dataclass(frozen=True)
class Column:
    """One column of n rows.

    Attributes:
        values: (n,) blank texts and NaN as null; categories and nested values as text.
        card: its profile.
        role: what it is for, None where nothing was said.
    """

    values: pl.Series
    card: ColumnProfile
    role: Role | None = None

    @property
    def name(self) -> str:
        """As in the table."""
        return self.card.name

    @property
    def rows(self) -> int:
        """How many."""
        return self.card.rows

    @cached_property
    def textual(self) -> bool:
        """Whether the values are texts."""
        import polars as pl

        return self.values.dtype == pl.String

    @property
    def few(self) -> bool:
        """Whether looking at each different value once is the shorter way."""
        return self.card.distinct <= _FEW

    @cached_property
    def ascii(self) -> bool:
        """Whether texts hold plain ASCII alone."""
        texts = self.different if self.few else self.values
        return not (texts.str.len_bytes() != texts.str.len_chars()).any()

    @cached_property
    def different(self) -> pl.Series:
        """Of texts: each that stands there, the commonest first."""
        import polars as pl

        return pl.Series(self.counts[0], dtype=pl.String)

    @cached_property
    def counts(self) -> tuple[list[str], NDArray[np.int64]]:
        """Of texts: the different values and how often each stands there, the commonest first."""
        import polars as pl

        table = self.values.drop_nulls().value_counts(sort=True, name="__times__")
        values = table.get_column(table.columns[0]).cast(pl.String).to_list()
        return values, table.get_column("__times__").to_numpy()

    @cached_property
    def floats(self) -> NDArray[np.float64]:
        """(n,) the numbers, NaN where there is none."""
        import polars as pl

        numbers: NDArray[np.float64] = self.values.cast(pl.Float64).to_numpy()
        return numbers

    def places(self, mask: pl.Series) -> NDArray[np.int64]:
        """The places of the rows where a mask of n truth values holds."""
        return mask.fill_null(False).arg_true().to_numpy().astype("int64")


@dataclass(frozen=True)
class Sheet:
    """A table as its columns.

    Attributes:
        columns: name -> column, reserved ones left out.
        table: as it came.
    """

    table: pl.DataFrame
    columns: Mapping[str, Column] = field(default_factory=dict)

    def of_kind(self, *kinds: str) -> list[Column]:
        """The columns whose card says so."""
        return [column for column in self.columns.values() if column.card.kind in kinds]

    @property
    def label(self) -> Column | None:
        """The label column where there is one."""
        found = [column for column in self.columns.values() if column.role is Role.LABEL]
        return found[0] if len(found) == 1 else None

    @cached_property
    def compared(self) -> list[str]:
        """The columns by which rows are copies of one another: all but identifiers."""
        return [
            column.name
            for column in self.columns.values()
            if column.card.kind not in ("identifier", "empty") and column.role is not Role.ID
        ]

    @cached_property
    def contents(self) -> NDArray[np.int64]:
        """(n,) rows that are equal but for identifiers and the label have equal numbers.

        By a hash of 64 bits, checked on the values.
        """
        import numpy as np
        import polars as pl

        label = self.label.name if self.label else None
        values = [self.columns[name].values for name in self.compared if name != label]
        if not values:
            return np.zeros(self.table.height, np.int64)
        table = pl.DataFrame(values)
        hashes = table.hash_rows(seed=7)
        again = hashes.is_duplicated()
        groups = np.arange(self.table.height)
        if again.any():
            # Only rows that share a hash can be equal; of them the values decide.
            some = table.filter(again).select(pl.struct(pl.all()).rank("dense")).to_series()
            groups[again.to_numpy()] = self.table.height + some.to_numpy().astype(np.int64)
        return groups


def sheet(
    table: pl.DataFrame,
    roles: Mapping[Role, Sequence[str]] | None = None,
    cards: Sequence[ColumnProfile] | None = None,
) -> Sheet:
    """The table as columns; `cards` are its profile where that is known."""
    role_of = {name: role for role, names in (roles or {}).items() for name in names}
    known = {card.name: card for card in cards or ()}

    def looked_at(column: pl.Series) -> Column:
        shown = shown_values(column)
        card = known.get(column.name) or profile_column(column, shown)
        return Column(shown, card, role_of.get(column.name))

    wanted = [column for column in table.iter_columns() if column.name not in RESERVED]
    if table.height * len(wanted) < _CELLS:
        found = [looked_at(column) for column in wanted]
    else:  # Polars works outside of the interpreter's lock
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(looked_at, wanted))
    return Sheet(table, {column.name: column for column in found})


def by_column(  # the parts of one finding
    code: str,
    severity: Severity,
    message: str,
    records: Sequence[Mapping[str, JsonValue]],
    *,
    count: int,
    remedy: str = "",
    details: Mapping[str, JsonValue] | None = None,
) -> Finding:
    """A finding with a record a column; each record has the key `column`, the worst first."""
    names = list(dict.fromkeys(str(record["column"]) for record in records))
    return Finding(
        code,
        severity,
        count,
        message,
        tuple(records[:SHOWN_COLUMNS]),
        tuple(names),
        remedy,
        details=details or {},
    )


def rows_of(records: Sequence[Record]) -> int:
    """The rows of all records together."""
    return sum(int(record["rows"]) for record in records)


def listed(names: Sequence[str], most: int = 4) -> tuple[str, str]:
    """A few names in English and in Chinese, and how many more there are."""
    shown = list(names[:most])
    more = len(names) - len(shown)
    en = ", ".join(shown) + (f" and {more} more" if more else "")
    zh = "、".join(shown) + (f" 等另外 {more} 列" if more else "")
    return en, zh


def columns_said(count: int, verb: str = "") -> str:
    """`1 column holds`, `3 columns hold`."""
    said = f"{count} column" + ("s" if count != 1 else "")
    return f"{said} {verb}{'s' if count == 1 else ''}" if verb else said
