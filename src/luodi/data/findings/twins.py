"""Columns that say what another one says already: copies, and numbers on one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from luodi.contracts import Role, say
from luodi.data.findings.column import (
    Column,
    Noticed,
    Record,
    Sheet,
    by_column,
    columns_said,
    listed,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAME = 0.9999
"""The correlation (Pearson's, by its absolute value) from which two columns are one."""
_CLOSE = 0.98  # on a sample of the rows; all of them then decide
_SAMPLE, _COLUMNS, _PAIRS, _ROWS = 5000, 500, 50, 20
_APART = (Role.LABEL, Role.TIME, Role.WEIGHT)


def copied_columns(sheet: Sheet) -> list[Noticed]:
    """Columns whose every value is that of an earlier column."""
    alike: dict[tuple[object, ...], list[Column]] = {}
    for column in _compared(sheet):
        card, kind = column.card, column.values.dtype
        known = (card.missing, card.distinct, card.minimum, card.maximum, card.mean)
        alike.setdefault(("" if kind.is_numeric() else str(kind), *known), []).append(column)
    records: list[Record] = []
    for group in alike.values():
        firsts: list[Column] = []
        for column in group:
            one = next((first for first in firsts if _equal(first, column)), None)
            if one is None:
                firsts.append(column)
            else:
                records.append({"column": column.name, "as": one.name})
    if not records:
        return []
    en, zh = listed([f"{record['column']} = {record['as']}" for record in records])
    finding = by_column(
        "copied-columns",
        "warning",
        say(
            f"{columns_said(len(records), 'repeat')} another value for value: {en}.",
            f"{len(records)} 列与另一列逐值相同：{zh}。",
        ),
        records,
        count=len(records),
        remedy=say("Leave the copies out.", "请去掉重复的列。"),
    )
    return [Noticed(finding)]


def correlated_columns(sheet: Sheet) -> list[Noticed]:
    """Numbers that follow another column's on a straight line, copies left aside."""
    import numpy as np

    numbers = [column for column in _compared(sheet) if column.card.kind == "number"][:_COLUMNS]
    if len(numbers) < 2 or sheet.table.height < _ROWS:
        return []
    step = max(1, sheet.table.height // _SAMPLE)
    sample = np.stack([_standard(_every(column, step)) for column in numbers])
    close = np.triu(np.abs(_correlations(sample)) >= _CLOSE, 1)
    records: list[Record] = []
    for one, other in np.argwhere(close)[:_PAIRS].tolist():
        found = _correlation(numbers[one].floats, numbers[other].floats)
        if abs(found) >= SAME and not _equal(numbers[one], numbers[other]):
            records.append(
                {"column": numbers[other].name, "with": numbers[one].name, "r": round(found, 6)}
            )
    if not records:
        return []
    en, zh = listed([f"{record['column']} ~ {record['with']}" for record in records])
    finding = by_column(
        "correlated-columns",
        "info",
        say(
            f"{len(records)} pairs of columns lie on one line (|r| ≥ {SAME}): {en}.",
            f"{len(records)} 对列完全线性相关（|r| ≥ {SAME}）：{zh}。",
        ),
        records,
        count=len(records),
        remedy=say(
            "One of each says all; leave the other out.", "每对保留一列即可，另一列没有新信息。"
        ),
    )
    return [Noticed(finding)]


def _compared(sheet: Sheet) -> Iterator[Column]:
    """Constant columns are told as such; one that gives the label away is a leak."""
    return (
        column
        for column in sheet.columns.values()
        if column.role not in _APART and column.card.distinct > 1
    )


def _every(column: Column, step: int) -> NDArray[np.float64]:
    """One number of each `step`; the whole column would be held as floats for it otherwise."""
    import polars as pl

    some = column.values.gather_every(step).cast(pl.Float64)
    found: NDArray[np.float64] = some.fill_null(float("nan")).to_numpy()
    return found


def _equal(one: Column, other: Column) -> bool:
    return one.values.equals(other.values, null_equal=True)


def _correlations(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k, k) Pearson's r of each two of (k, n) over what both have; 0 where that is too little."""
    import numpy as np

    known = np.isfinite(columns).astype(np.float64)
    values = np.nan_to_num(columns, nan=0.0, posinf=0.0, neginf=0.0)
    both, sums, squares = known @ known.T, values @ known.T, (values * values) @ known.T
    together = both * (values @ values.T) - sums * sums.T
    spread = both * squares - sums * sums
    apart = np.sqrt(np.maximum(spread * spread.T, 0.0))
    enough = (both >= _ROWS) & (apart > 0)
    return np.divide(together, apart, out=np.zeros_like(together), where=enough)


def _standard(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) with mean 0 and length 1; what is missing or infinite is NaN."""
    import numpy as np

    known = np.isfinite(numbers)
    found = np.full(len(numbers), np.nan)
    if known.any():
        scale = float(np.abs(numbers[known]).max()) or 1.0  # the largest floats have no square
        moved = numbers[known] / scale
        moved -= moved.mean()
        length = float(np.sqrt(moved @ moved))
        found[known] = moved / length if length > 0 else moved
    return found


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Pearson's r over the rows that have both; 0 where that is too few."""
    import numpy as np

    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < _ROWS:
        return 0.0
    return float(_standard(one[both]) @ _standard(other[both]))
