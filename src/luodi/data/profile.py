"""Each column on one card: what it is, what is missing, how it is spread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from luodi.contracts import RESERVED, JsonValue
from luodi.data.examples import shorten

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

ColumnKind = Literal["text", "category", "number", "boolean", "date", "identifier", "empty"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_TOP = 10
_MANY = 0.9
"""Different values, as a share of all, above which none is told as frequent."""
_CATEGORIES = 1000


@dataclass(frozen=True)
class ColumnProfile:
    """What one column holds.

    Attributes:
        name: the column.
        kind: what its values look like.
        dtype: its type in the table.
        rows: all of them.
        missing: rows without a value; blank texts count.
        distinct: different values.
        minimum: the least value: a number, an ISO date; for texts the shortest length.
        maximum: the greatest, likewise.
        mean: of numbers; for texts of their lengths.
        quantiles: "0.5" -> value, of numbers; for texts of their lengths in characters.
        top: the most frequent values and how often they stand there; personal data masked.
    """

    name: str
    kind: ColumnKind
    dtype: str
    rows: int
    missing: int
    distinct: int
    minimum: float | str | None = None
    maximum: float | str | None = None
    mean: float | None = None
    quantiles: dict[str, float] = field(default_factory=dict)
    top: list[tuple[str, int]] = field(default_factory=list)

    def to_json(self) -> dict[str, JsonValue]:
        """The profile as JSON."""
        return dict(vars(self))


def profile(table: pl.DataFrame) -> list[ColumnProfile]:
    """A profile of each column, reserved ones left out, in the table's order."""
    return [
        profile_column(column) for column in table.iter_columns() if column.name not in RESERVED
    ]


def shown_values(column: pl.Series) -> pl.Series:
    """The values as they are looked at: blank texts and NaN as null, what is nested as text."""
    import numpy as np
    import polars as pl

    kind = column.dtype
    if isinstance(kind, pl.Categorical | pl.Enum) or kind == pl.Null:
        column = column.cast(pl.String)
    elif kind.is_nested() or kind in (pl.Binary, pl.Object):
        shown = [None if value is None else str(value) for value in column.to_list()]
        column = pl.Series(column.name, shown, dtype=pl.String)
    if column.dtype == pl.String:
        blank = column.str.strip_chars() == ""
        return column.set(blank, None) if blank.any() else column
    if column.dtype.is_decimal():
        return column.cast(pl.Float64)
    if not column.dtype.is_float() or not np.isnan(column.to_numpy()).any():
        return column  # most columns; nulls are no numbers there
    return column.fill_nan(None)


def profile_column(column: pl.Series, shown: pl.Series | None = None) -> ColumnProfile:
    """The profile of one column; `shown` are its `shown_values` where they are at hand."""
    import polars as pl

    kind = column.dtype
    column = shown_values(column) if shown is None else shown
    if column.dtype == pl.String:
        return _text(column, str(kind))
    if column.dtype.is_numeric():
        return _numbers(column, str(kind))
    present = column.drop_nulls()
    common = (str(kind), len(column), len(column) - len(present), present.n_unique())
    if not len(present):
        return ColumnProfile(column.name, "empty", *common)
    if column.dtype == pl.Boolean:
        mean = float(present.cast(pl.Float64).sum()) / len(present)
        return ColumnProfile(column.name, "boolean", *common, mean=mean, top=_top(present))
    least, most = str(present.min()), str(present.max())
    return ColumnProfile(column.name, "date", *common, minimum=least, maximum=most)


def _numbers(column: pl.Series, dtype: str) -> ColumnProfile:
    """By one sort: what is different, frequent, least, greatest and in the middle follows."""
    import numpy as np

    ordered = np.sort(column.drop_nulls().to_numpy())
    rows = len(column)
    if not len(ordered):
        return ColumnProfile(column.name, "empty", dtype, rows, rows, 0)
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    common = (dtype, rows, rows - len(ordered), len(starts))
    unique = column.dtype.is_integer() and len(starts) == rows >= 20
    # Whole numbers, each once, few gaps: numbers given out, not measured.
    given = unique and float(ordered[-1]) - float(ordered[0]) < 2 * rows
    return ColumnProfile(
        column.name,
        "identifier" if given else "number",
        *common,
        *_spread(ordered.astype(np.float64)),
        top=_frequent(column, ordered, starts),
    )


def _frequent(
    column: pl.Series, ordered: NDArray[Any], starts: NDArray[np.int64]
) -> list[tuple[str, int]]:
    """The most frequent numbers, ties by value; none where nearly all are different."""
    import numpy as np
    import polars as pl

    if len(starts) > _MANY * len(ordered):
        return []
    counts = np.diff(starts, append=len(ordered))
    most = np.argsort(-counts, kind="stable")[:_TOP]
    shown = pl.Series(ordered[starts[most]], dtype=column.dtype).cast(pl.String).to_list()
    return list(zip(shown, counts[most].tolist(), strict=True))


def _text(column: pl.Series, dtype: str) -> ColumnProfile:
    import numpy as np

    present = column.drop_nulls()
    if not len(present):
        return ColumnProfile(column.name, "empty", dtype, len(column), len(column), 0)
    glance = present.head(2000)
    counts = None
    if glance.n_unique() <= _MANY * len(glance):
        counts = present.value_counts(name="__times__")
    distinct = present.n_unique() if counts is None else counts.height
    common = (dtype, len(column), len(column) - len(present), distinct)
    lengths = np.sort(present.str.len_chars().to_numpy()).astype(np.float64)
    spread = _spread(lengths)
    kind = _text_kind(present, spread[3].get("0.5", 0.0), distinct)
    top = [] if distinct > _MANY * len(present) else _top(present, counts)
    return ColumnProfile(column.name, kind, *common, *spread, top=top)


def _text_kind(present: pl.Series, middle: float, distinct: int) -> ColumnKind:
    short = middle <= 40
    if _mostly(present, r"^\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}(日|$|[T ])"):
        return "date"
    different = short and distinct > 0.95 * len(present) >= 19
    if different and _mostly(present, r"^[A-Za-z0-9_\-:./]*[0-9][A-Za-z0-9_\-:./]*$"):
        return "identifier"
    few = distinct <= min(_CATEGORIES, max(2, 0.2 * len(present)))
    return "category" if short and few else "text"


def _mostly(present: pl.Series, pattern: str) -> bool:
    """Whether all but one in twenty fit; a glance at the first thousand spares most the look."""
    for some in (present.head(1000), present):
        share = some.str.contains(pattern).mean()
        if not isinstance(share, float) or share <= (0.5 if some is not present else 0.95):
            return False
    return True


def _spread(
    ordered: NDArray[np.float64],
) -> tuple[float | None, float | None, float | None, dict[str, float]]:
    """Minimum, maximum, mean and quantiles of ascending numbers; infinities count in none."""
    import numpy as np

    if not (np.isfinite(ordered[0]) and np.isfinite(ordered[-1])):
        ordered = ordered[np.isfinite(ordered)]
    if not len(ordered):
        return None, None, None, {}
    # By linear interpolation between neighbours, as everyone's default is.
    places = np.array(QUANTILES) * (len(ordered) - 1)
    low = places.astype(np.int64)
    above = ordered[np.minimum(low + 1, len(ordered) - 1)]
    part = places - low
    found = ordered[low] * (1 - part) + above * part
    quantiles = {str(q): float(value) for q, value in zip(QUANTILES, found, strict=True)}
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(ordered.mean())
    if not np.isfinite(mean):  # the sum of the largest floats is none
        mean = float((ordered / len(ordered)).sum())
    return float(ordered[0]), float(ordered[-1]), mean, quantiles


def _top(present: pl.Series, counted: pl.DataFrame | None = None) -> list[tuple[str, int]]:
    """The most frequent values; `counted` are they with their `__times__` where that is known."""
    import polars as pl

    counts = present.value_counts(name="__times__") if counted is None else counted
    # Ties by value, so that the same table gives the same page.
    first = counts.columns[0]
    least = counts["__times__"].top_k(_TOP).min()
    counts = counts.filter(pl.col("__times__") >= least)
    ordered = counts.sort("__times__", first, descending=[True, False]).head(_TOP)
    values = ordered.get_column(first).cast(pl.String).to_list()
    return [
        (shorten(value), int(times))
        for value, times in zip(values, ordered.get_column("__times__").to_list(), strict=True)
    ]
