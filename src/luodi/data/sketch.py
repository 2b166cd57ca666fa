"""A table in a few kilobytes, and how far one such table lies from another.

A sketch outlives the rows: two fingerprints can be compared long after their tables are gone.
Drift is the population stability index (PSI; Siddiqi 2006, "Credit Risk Scorecards"): over the
tenths of the first table for numbers, over its commonest values for the rest, over the length for
long texts. By the usual rule 0.1 is worth a look and 0.25 is another population.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from luodi.contracts import RESERVED

if TYPE_CHECKING:
    import polars as pl

LOOK, OTHER = 0.1, 0.25
_QUANTILES = 101
_VALUES = 50
_LONG = 60  # mean characters from which on a text is compared by its length
_RARE = 1e-3
_LARGEST = 8e307
_LEAST = 1e-4  # share that stands for none: PSI has no value there


@dataclass(frozen=True)
class ColumnSketch:
    """One column.

    Attributes:
        type: as Polars names it.
        quantiles: 101 of a number, or of a long text's length; empty for others.
        values: the commonest values with their counts; empty for numbers and long texts.
    """

    type: str
    nulls: int
    distinct: int
    quantiles: Sequence[float] = ()
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Sketch:
    """A table: its fingerprint, rows, and columns by name; `hidden` where values went through what
    hides personal data."""

    fingerprint: str
    rows: int
    columns: Mapping[str, ColumnSketch]
    hidden: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Sketch:
        """What `to_json` wrote."""
        columns = {name: ColumnSketch(**column) for name, column in value["columns"].items()}
        return Sketch(value["fingerprint"], value["rows"], columns, value.get("hidden", False))


@dataclass(frozen=True)
class ColumnDrift:
    """A column in both tables. `psi` is None where there is nothing to compare; `chance` is what
    two samples of one source exceed once in a thousand times."""

    name: str
    types: tuple[str, str]
    missing: tuple[float, float]
    distinct: tuple[int, int]
    psi: float | None
    chance: float = 0.0

    @property
    def verdict(self) -> str:
        """`same`, `look` or `other`."""
        if self.psi is None or self.psi < max(LOOK, self.chance):
            return "same"
        return "look" if self.psi < OTHER else "other"

    def to_json(self) -> dict[str, Any]:
        """The drift as JSON."""
        return asdict(self) | {"verdict": self.verdict}


@dataclass(frozen=True)
class Difference:
    """Two tables side by side; `columns` has those of both, the farthest first."""

    a: Sketch
    b: Sketch
    removed: Sequence[str]
    added: Sequence[str]
    columns: Sequence[ColumnDrift]

    @property
    def same(self) -> bool:
        """Whether they are one table."""
        return self.a.fingerprint == self.b.fingerprint

    def to_json(self) -> dict[str, Any]:
        """As `luodi data diff --json` prints it."""
        return {
            "same": self.same,
            "a": {"fingerprint": self.a.fingerprint, "rows": self.a.rows},
            "b": {"fingerprint": self.b.fingerprint, "rows": self.b.rows},
            "schema": {
                "removed": list(self.removed),
                "added": list(self.added),
                "changed": {c.name: list(c.types) for c in self.columns if len(set(c.types)) > 1},
            },
            "columns": [column.to_json() for column in self.columns],
        }


Hide = Callable[[Sequence[str]], Sequence[str]]
"""Takes personal data out of texts."""


def sketch(table: pl.DataFrame, fingerprint: str, hide: Hide | None = None) -> Sketch:
    """The sketch of a table whose fingerprint is known; reserved columns are left out."""
    columns = {
        column.name: _column(column, hide)
        for column in table.iter_columns()
        if column.name not in RESERVED
    }
    return Sketch(fingerprint, table.height, columns, hide is not None)


def _column(column: pl.Series, hide: Hide | None) -> ColumnSketch:
    import polars as pl

    kind, known = column.dtype, column.drop_nulls()
    nulls = column.null_count()
    if kind.is_nested() or kind in (pl.Binary, pl.Object):
        return ColumnSketch(str(kind), nulls, 0)
    distinct = known.n_unique()
    if kind.is_numeric() and not kind.is_decimal():
        return ColumnSketch(str(kind), nulls, distinct, _quantiles(known.cast(pl.Float64)))
    if kind.is_temporal():
        return ColumnSketch(str(kind), nulls, distinct, _quantiles(known.to_physical()))
    texts = known.cast(pl.String)
    lengths = texts.str.len_chars()
    if len(texts) and (lengths.mean() or 0) > _LONG:  # type: ignore[operator]
        return ColumnSketch(str(kind), nulls, distinct, _quantiles(lengths))
    counts = texts.value_counts(sort=True, name="__times__")
    if distinct > _VALUES:  # what stands once tells no class, and may tell a person
        counts = counts.filter(pl.col("__times__") > 1).head(_VALUES)
        if not counts.height:
            return ColumnSketch(str(kind), nulls, distinct, _quantiles(lengths))
    values, times = counts.get_columns()
    told = Counter[str]()
    for value, count in zip((hide or list)(values.to_list()), times.to_list(), strict=True):
        told[value] += count
    # A table in which values tie is sketched the same however its rows lie.
    pairs = sorted(told.items(), key=lambda pair: (-pair[1], pair[0]))
    return ColumnSketch(str(kind), nulls, distinct, (), dict(pairs))


def _quantiles(values: pl.Series) -> list[float]:
    import numpy as np

    numbers = values.to_numpy().astype(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    if not len(numbers):
        return []
    # Half of the largest float: between two numbers of either sign still lies one.
    numbers = np.clip(numbers, -_LARGEST, _LARGEST)
    found = np.quantile(numbers, np.linspace(0, 1, _QUANTILES))
    return [float(value) for value in found]


def compare(a: Sketch, b: Sketch) -> Difference:
    """What is between two tables."""
    drifts = [
        _drift(name, column, b.columns[name], a.rows, b.rows)
        for name, column in a.columns.items()
        if name in b.columns
    ]
    drifts.sort(key=lambda drift: -(drift.psi if drift.psi is not None else -1))
    return Difference(
        a,
        b,
        [name for name in a.columns if name not in b.columns],
        [name for name in b.columns if name not in a.columns],
        drifts,
    )


def _drift(name: str, a: ColumnSketch, b: ColumnSketch, rows_a: int, rows_b: int) -> ColumnDrift:
    missing = a.nulls / max(rows_a, 1), b.nulls / max(rows_b, 1)
    return ColumnDrift(name, (a.type, b.type), missing, (a.distinct, b.distinct),
                       *_psi(a, b, rows_a, rows_b))  # fmt: skip


def chance_limit(classes: int, rows_a: int, rows_b: int) -> float:
    """The 99.9 % quantile of the stability index over so many classes of two samples of one source.

    There the index is near (1/n + 1/m) times a chi-squared number of classes - 1 degrees (Yurdakul
    and Naranjo 2020), whose quantile is approximated (Wilson and Hilferty 1931).
    """
    free = classes - 1
    if free < 1 or not rows_a or not rows_b:
        return 0.0
    spread = 2 / (9 * free)
    limit = free * (1 - spread + 3.09 * math.sqrt(spread)) ** 3
    return limit * (1 / rows_a + 1 / rows_b)


def _psi(a: ColumnSketch, b: ColumnSketch, rows_a: int, rows_b: int) -> tuple[float | None, float]:
    """Over classes of values, missing ones a class of their own; and chance's limit."""
    if a.quantiles and b.quantiles:
        shares = _number_shares(a.quantiles, b.quantiles)
    elif a.values or b.values:
        if a.quantiles or b.quantiles:  # a number here, a text there: nothing is alike
            return None, 0.0
        shares = _value_shares(a, b, rows_a, rows_b)
    elif a.nulls == rows_a and b.nulls == rows_b:
        return 0.0, 0.0
    else:
        return None, 0.0
    known_a, known_b = 1 - a.nulls / max(rows_a, 1), 1 - b.nulls / max(rows_b, 1)
    classes = [(p * known_a, q * known_b) for p, q in shares] + [(1 - known_a, 1 - known_b)]
    used = [(p, q) for p, q in classes if p > 0 or q > 0]
    # Half a row stands for none, in a long table less.
    least_a, least_b = (max(_LEAST, 0.5 / max(rows, 1)) for rows in (rows_a, rows_b))
    psi = sum(
        (p - q) * math.log(p / q) for p, q in ((max(p, least_a), max(q, least_b)) for p, q in used)
    )
    return psi, chance_limit(len(used), rows_a, rows_b)


def _number_shares(a: Sequence[float], b: Sequence[float]) -> list[tuple[float, float]]:
    """Shares between the tenths of `a`. Values that fill more than a tenth make one edge."""
    edges = sorted({a[place] for place in range(10, 100, 10)})
    below = [(_below(a, edge), _below(b, edge)) for edge in edges]
    bounds = [(0.0, 0.0), *below, (1.0, 1.0)]
    return [(high[0] - low[0], high[1] - low[1])
            for low, high in itertools.pairwise(bounds)]  # fmt: skip


def _below(quantiles: Sequence[float], edge: float) -> float:
    """The share of values at or below an edge, from 101 quantiles."""
    import bisect

    place = bisect.bisect_right(quantiles, edge)
    if place == 0:
        return 0.0
    if place == len(quantiles):
        return 1.0
    low, high = quantiles[place - 1], quantiles[place]
    inner = (edge - low) / (high - low) if high > low else 0.0
    return (place - 1 + inner) / (len(quantiles) - 1)


def _strangers(a: ColumnSketch, b: ColumnSketch) -> bool:
    """Whether two lists drawn from the same names would share so few once in a thousand times."""
    if not a.values or not b.values:
        return True
    expected = len(a.values) * len(b.values) / max(a.distinct, b.distinct)
    shared = len(a.values.keys() & b.values.keys())
    term = total = math.exp(-expected)  # Poisson's, up to what was found
    for count in range(1, shared + 1):
        term *= expected / count
        total += term
    return total < _RARE


def _value_shares(
    a: ColumnSketch, b: ColumnSketch, rows_a: int, rows_b: int
) -> list[tuple[float, float]]:
    """Of a sketch that keeps only its commonest values, another's share is not known: no more than
    the least of those, and as much as in the other table as far as that allows; none where the two
    lists meet in fewer names than chance alone would have it."""
    known_a, known_b = max(rows_a - a.nulls, 1), max(rows_b - b.nulls, 1)
    apart = _strangers(a, b)
    bounds = [
        0.0 if apart or one.distinct <= len(one.values) else min(one.values.values()) / known
        for one, known in ((a, known_a), (b, known_b))
    ]
    shares = []
    for name in dict.fromkeys([*a.values, *b.values]):
        p, q = a.values.get(name, 0) / known_a, b.values.get(name, 0) / known_b
        p, q = p or min(q, bounds[0]), q or min(p, bounds[1])
        shares.append((p, q))
    rest = 1 - sum(p for p, _ in shares), 1 - sum(q for _, q in shares)
    return [*shares, (max(rest[0], 0.0), max(rest[1], 0.0))]
