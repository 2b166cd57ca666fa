"""Each column on one card: what it is, what is missing, how it is spread."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

from luodi.contracts import RESERVED, JsonValue
from luodi.data.examples import shorten

if TYPE_CHECKING:
    import polars as pl

ColumnKind = Literal["text", "category", "number", "boolean", "date", "identifier", "empty"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_TOP = 10
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
        return asdict(self)


def profile(table: pl.DataFrame) -> list[ColumnProfile]:
    """A profile of each column, reserved ones left out, in the table's order."""
    return [
        profile_column(column) for column in table.iter_columns() if column.name not in RESERVED
    ]


def shown_values(column: pl.Series) -> pl.Series:
    """The values as they are looked at: blank texts and NaN as null, what is nested as text."""
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
    return column.fill_nan(None) if column.dtype.is_float() else column


def profile_column(column: pl.Series) -> ColumnProfile:
    """The profile of one column."""
    import polars as pl

    kind = column.dtype
    column = shown_values(column)
    if column.dtype == pl.String:
        return _text(column, str(kind))
    present = column.drop_nulls()
    common = (str(kind), len(column), len(column) - len(present), present.n_unique())
    if not len(present):
        return ColumnProfile(column.name, "empty", *common)
    if column.dtype == pl.Boolean:
        mean = float(present.cast(pl.Float64).sum()) / len(present)
        return ColumnProfile(column.name, "boolean", *common, mean=mean, top=_top(present))
    if column.dtype.is_temporal():
        least, most = str(present.min()), str(present.max())
        return ColumnProfile(column.name, "date", *common, minimum=least, maximum=most)
    numbers = present.cast(pl.Float64)
    ordered = numbers.sort()
    whole = column.dtype.is_integer()
    unique = whole and len(present) == len(column) >= 20 and common[3] == len(column)
    # Whole numbers, each once, few gaps: numbers given out, not measured.
    given = unique and float(ordered[-1]) - float(ordered[0]) < 2 * len(column)
    return ColumnProfile(
        column.name,
        "identifier" if given else "number",
        *common,
        *_spread(numbers),
        top=[] if unique else _top(present),
    )


def _text(column: pl.Series, dtype: str) -> ColumnProfile:
    import polars as pl

    present = column.drop_nulls()
    distinct = present.n_unique()
    common = (dtype, len(column), len(column) - len(present), distinct)
    if not len(present):
        return ColumnProfile(column.name, "empty", *common)
    lengths = present.str.len_chars().cast(pl.Float64)
    kind = _text_kind(present, lengths, distinct)
    top = [] if distinct == len(present) else _top(present)
    return ColumnProfile(column.name, kind, *common, *_spread(lengths), top=top)


def _text_kind(present: pl.Series, lengths: pl.Series, distinct: int) -> ColumnKind:
    middle = lengths.median()
    short = isinstance(middle, float) and middle <= 40
    dates = present.str.contains(r"^\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}(日|$|[T ])").mean()
    if isinstance(dates, float) and dates > 0.95:
        return "date"
    codes = present.str.contains(r"^[A-Za-z0-9_\-:./]*[0-9][A-Za-z0-9_\-:./]*$").mean()
    if isinstance(codes, float) and codes > 0.95 and short and distinct > 0.95 * len(present) >= 19:
        return "identifier"
    few = distinct <= min(_CATEGORIES, max(2, 0.2 * len(present)))
    return "category" if short and few else "text"


def _spread(
    numbers: pl.Series,
) -> tuple[float | None, float | None, float | None, dict[str, float]]:
    """Minimum, maximum, mean and quantiles; infinities count in none of them."""
    finite = numbers.filter(numbers.is_finite())
    if not len(finite):
        return None, None, None, {}
    ordered = finite.sort()
    quantiles = {str(q): float(ordered.quantile(q, "linear") or 0.0) for q in QUANTILES}
    return float(ordered[0]), float(ordered[-1]), float(finite.sum()) / len(finite), quantiles


def _top(present: pl.Series) -> list[tuple[str, int]]:
    import polars as pl

    counts = present.value_counts(sort=True, name="__times__").head(_TOP * 20)
    # Ties by value, so that the same table gives the same page.
    ordered = counts.sort("__times__", counts.columns[0], descending=[True, False]).head(_TOP)
    values = ordered.get_column(ordered.columns[0]).cast(pl.String).to_list()
    return [
        (shorten(value), int(times))
        for value, times in zip(values, ordered.get_column("__times__").to_list(), strict=True)
    ]
