"""Gaps filled, outliers clipped or dropped, numbers scaled: learnt on the training part alone.

What is learnt becomes steps of the bundle's preparation, and the parts are mended by those very
steps: a request is treated to the bit as the rows were. Only `interpolate` needs neighbours, which
a request has not: training rows are filled between theirs, requests by the training median.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from luodi.contracts import (
    CleanSettings,
    ColumnMending,
    DataError,
    Dataset,
    Field,
    JsonValue,
    Parts,
    Role,
    Schema,
    say,
)
from luodi.contracts.numbers import SQUARABLE
from luodi.data.preparation import Clip, Fill, Flag, Scale, Step

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

FLAG = "{} is missing"


@dataclass(frozen=True)
class Mended:
    """Parts as a learner sees them.

    Attributes:
        parts: every gap filled, every number clipped and scaled, as the settings say.
        asked: the same rows as a caller of the service would send them.
        steps: what was learnt, for the bundle's preparation.
        schema: of what reaches the learner.
        outer: of what a caller sends: a field that is filled may be left out.
        dropped: training rows left out as outliers.
    """

    parts: Parts
    asked: Parts
    steps: tuple[Step, ...]
    schema: Schema
    outer: Schema
    dropped: int = 0


def mend(parts: Parts, schema: Schema, clean: CleanSettings) -> Mended:
    """Learn from the training part what the settings ask for, and mend all parts by it.

    Args:
        parts: as they were dealt out.
        schema: the task's, made from them.
        clean: what is to be done; a column's own settings go first.

    Raises:
        DataError: a constant is asked for and not given, or of another kind than its column.
    """
    fields = [field for field in schema.request if field.name in parts.train.columns(Role.FEATURE)]
    wanted = {field.name: clean.of(field.name) for field in fields}
    if not any(_asks(mending) for mending in wanted.values()):
        return Mended(parts, parts, (), schema, schema)
    kept = _without_outliers(parts.train, fields, wanted)
    train = parts.train.take(kept)
    steps: list[Step] = []
    inner: list[Field] = []
    outer: list[Field] = []
    for field in schema.request:
        mending = wanted.get(field.name)
        learnt = [] if mending is None else _learn(train, field, mending)
        steps += learnt
        filled = any(isinstance(step, Fill) for step in learnt)
        inner += [replace(field, required=field.required or filled), *_flags(learnt)]
        outer.append(replace(field, required=field.required and not filled))
    asked = Parts(train, parts.valid, parts.test)
    between = [field for field in fields if wanted[field.name].missing == "interpolate"]
    told = _interpolated(train, [field for field in between if field.kind == "number"])
    mended = Parts(
        *(mended_table(part, schema.request, steps) for part in (told, parts.valid, parts.test))
    )
    return Mended(
        mended,
        asked,
        tuple(steps),
        Schema(tuple(inner), schema.answer),
        Schema(tuple(outer), schema.answer),
        parts.train.rows - len(kept),
    )


def missing_rows(data: Dataset, clean: CleanSettings) -> NDArray[np.bool_]:
    """(n,) the rows that lack a feature whose gaps are to be dropped."""
    import numpy as np

    from luodi.data.formats import known

    found = np.zeros(data.rows, np.bool_)
    for name in data.columns(Role.FEATURE):
        if clean.of(name).missing == "drop":
            column = data.table.get_column(name)
            if not column.dtype.is_nested():
                found |= known(column).is_null().to_numpy()
    return found


def mended_table(data: Dataset, fields: Sequence[Field], steps: Sequence[Step]) -> Dataset:
    """The rows after the steps: each value as a request's would be, to the bit.

    A flag becomes a column, and a feature.
    """

    if not steps:
        return data
    by_name = {field.name: field for field in fields}
    columns: dict[str, pl.Series] = {}
    flags: list[str] = []

    def column(name: str) -> pl.Series:
        if name not in columns:
            columns[name] = _values(data, by_name[name])
        return columns[name]

    for step in steps:
        match step:
            case Flag():
                columns[step.flag] = column(step.field).is_null().alias(step.flag)
                flags.append(step.flag)
            case Clip():
                columns[step.field] = column(step.field).clip(step.low, step.high)
            case Fill():
                columns[step.field] = column(step.field).fill_null(step.value)
            case Scale():
                columns[step.field] = _scaled(column(step.field), step)
            case _:
                raise TypeError(f"no step of mending: {step}")
    roles = dict(data.roles)
    roles[Role.FEATURE] = (*data.columns(Role.FEATURE), *flags)
    return replace(data, table=data.table.with_columns(columns.values()), roles=roles)


def _scaled(values: pl.Series, step: Scale) -> pl.Series:
    """By NumPy: Polars divides by multiplying, which may end a bit beside a request's quotient."""
    import polars as pl

    numbers = (values.fill_null(float("nan")).to_numpy() - step.centre) / step.width
    return pl.Series(values.name, numbers).fill_nan(None)


def _asks(mending: ColumnMending) -> bool:
    gaps = mending.missing not in ("keep", "drop")
    return gaps or mending.outliers != "keep" or mending.scale != "none"


def _values(data: Dataset, field: Field) -> pl.Series:
    """A field's values as its requests would carry them."""
    from luodi.data.kinds import read

    return read(data.table.get_column(field.name), field.kind, field.format)


def _without_outliers(
    train: Dataset, fields: Sequence[Field], wanted: Mapping[str, ColumnMending]
) -> NDArray[np.int64]:
    """The places of the training rows that stay."""
    import numpy as np

    kept = np.ones(train.rows, np.bool_)
    for field in fields:
        if field.kind == "number" and wanted[field.name].outliers == "drop":
            numbers = _values(train, field).fill_null(float("nan")).to_numpy()
            low, high = _ends(numbers)
            kept &= ~((numbers < low) | (numbers > high))
    return np.flatnonzero(kept)


def _ends(numbers: NDArray[np.float64]) -> tuple[float, float]:
    """The fences; without any, no number is outside."""
    from luodi.data.findings.outliers import far_fences

    low, high = far_fences(numbers)
    return (low, high) if low < high else (float("-inf"), float("inf"))


def _learn(train: Dataset, field: Field, mending: ColumnMending) -> list[Step]:
    """The steps of one field, in the order in which they are done: flag, clip, fill, scale."""
    import numpy as np

    values = _values(train, field)
    steps: list[Step] = []
    if mending.missing == "flag":
        steps.append(Flag(field.name, FLAG.format(field.name)))
    numeric = field.kind == "number"
    if numeric and mending.outliers == "clip":
        low, high = _ends(values.fill_null(float("nan")).to_numpy())
        if np.isfinite([low, high]).all():
            steps.append(Clip(field.name, low, high))
            values = values.clip(low, high)
    if mending.missing not in ("keep", "drop"):
        value = _filling(values, field, mending)
        if value is not None:
            steps.append(Fill(field.name, value))
            values = values.fill_null(value)
    if numeric and mending.scale != "none":
        centre, width = _SCALES[mending.scale or "none"](_bounded(values.drop_nulls()))
        steps.append(Scale(field.name, centre, width if width > 0 else 1.0))
    return steps


def _filling(values: pl.Series, field: Field, mending: ColumnMending) -> JsonValue:
    """What stands in a gap; None where the training part has nothing to go by."""
    if mending.missing == "constant":
        return _constant(field, mending)
    present = values.drop_nulls()
    if not len(present):
        return None
    if field.kind == "number" and mending.missing != "mode":
        mean = mending.missing == "mean"
        found: Any = _bounded(present).mean() if mean else present.median()
        return float(found)
    return present.mode().sort()[0]  # of several commonest the least, on every machine


def _bounded(numbers: pl.Series) -> pl.Series:
    return numbers.clip(-SQUARABLE, SQUARABLE)


def _constant(field: Field, mending: ColumnMending) -> JsonValue:
    value = mending.fill
    if field.kind == "boolean":
        value = field.read(value, f"data.clean.columns.{field.name}.fill")
    wanted = {"number": (int, float), "boolean": (bool,)}.get(field.kind, (str,))
    fits = isinstance(value, wanted) and (field.kind == "boolean" or not isinstance(value, bool))
    if not fits:
        raise DataError(
            say(
                f"data.clean.fill for {field.name} is {value!r}.",
                f"列 {field.name} 的 data.clean.fill 为 {value!r}。",
            ),
            say(f"Expected a {field.kind}.", f"应为 {field.kind} 类型的值。"),
            say(
                f"Set data.clean.columns.{field.name}: {{missing: constant, fill: ...}}.",
                f"请设置 data.clean.columns.{field.name}: {{missing: constant, fill: ...}}。",
            ),
        )
    return float(value) if field.kind == "number" and value is not None else value


def _flags(steps: Sequence[Step]) -> list[Field]:
    return [Field(step.flag, "boolean", example=False) for step in steps if isinstance(step, Flag)]


def _number(value: Any) -> float:
    return 0.0 if value is None else float(value)


_SCALES: dict[str, Callable[[pl.Series], tuple[float, float]]] = {
    "standard": lambda x: (_number(x.mean()), _number(x.std(ddof=0))),
    "minmax": lambda x: (_number(x.min()), _number(x.max()) - _number(x.min())),
    "robust": lambda x: (
        _number(x.median()),
        _number(x.quantile(0.75, "linear")) - _number(x.quantile(0.25, "linear")),
    ),
}


def _interpolated(data: Dataset, fields: Sequence[Field]) -> Dataset:
    """Number columns filled between their neighbours in time, each group by itself.

    On the straight line between the two, as far along as the time is; without a time column rows
    are equally far apart. At an end, and where a group has no value, the gap is left to the median.
    """
    import polars as pl

    from luodi.data.moments import instants

    if not fields:
        return data
    names = [field.name for field in fields]
    times, groups = data.columns(Role.TIME), data.columns(Role.GROUP)
    place = pl.int_range(pl.len())
    if times:
        at: pl.Series | pl.Expr = pl.Series("__at__", instants(data.table.get_column(times[0])))
    else:
        at = place.over("__group__").alias("__at__")
    keys = data.table.get_column(groups[0]).cast(pl.String) if groups else pl.lit("")
    frame = pl.DataFrame([_values(data, field) for field in fields])
    frame = frame.with_columns(place.alias("__place__"), keys.alias("__group__")).with_columns(at)
    filled = (
        frame.sort("__group__", "__at__", "__place__")
        .with_columns(_between(name).over("__group__") for name in names)
        .sort("__place__")
    )
    return replace(data, table=data.table.with_columns(filled.select(names).iter_columns()))


def _between(name: str) -> pl.Expr:
    """The column with each gap on the line between the known values around it, over `__at__`."""
    import polars as pl

    at, value = pl.col("__at__"), pl.col(name)
    known = pl.when(value.is_not_null()).then(at)
    since, until = at - known.forward_fill(), known.backward_fill() - at
    share = (since / (since + until)).fill_nan(0.5)  # both at the very time of the gap
    before, after = value.forward_fill(), value.backward_fill()
    return value.fill_null(before + (after - before) * share)
