"""Whether the order of the rows gives the label away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import Finding, Role, say
from luodi.data.findings.column import (
    Column,
    Noticed,
    Sheet,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ROWS, _BLOCKS = 100, 20
_TELLS, _TELLS_MUCH = 0.3, 0.5
"""Cramér's V (Bergsma's correction, 2013) of blocks of rows and labels; |rho| for numbers."""


def row_order(sheet: Sheet) -> list[Noticed]:
    """Labels that follow the row's place: rows sorted by label, or a label that drifts.

    Sorted rows are common and harmless once they are shuffled, as every split of ours does: a
    remark. A drift without sorting is a warning: the rows are of several sources or times.
    """
    column = sheet.label
    if column is None or column.rows < _ROWS or column.card.distinct < 2:
        return []
    if column.values.dtype.is_float() or column.card.distinct > max(50, column.rows // 20):
        return _drifting_number(column)
    labels, times = column.counts
    usable = [label for label, count in zip(labels, times.tolist(), strict=True) if count >= 2]
    codes = _codes(column, usable)
    known = codes >= 0
    strength = _cramer(codes[known], len(usable))
    runs = 1 + int((codes[known][1:] != codes[known][:-1]).sum())
    if strength < _TELLS:
        return []
    by_time = any(other.role is Role.TIME for other in sheet.columns.values())
    if runs <= max(2 * len(usable), known.sum() // 50):
        return [_sorted(column, runs, strength)]
    return [_drift(column, strength, by_time)]


def _codes(column: Column, labels: list[str]) -> NDArray[np.int64]:
    import polars as pl

    values = column.values.cast(pl.String)
    codes: NDArray[np.int64] = (
        values.replace_strict(labels, list(range(len(labels))), default=-1, return_dtype=pl.Int64)
        .fill_null(-1)
        .to_numpy()
    )
    return codes


def _cramer(codes: NDArray[np.int64], count: int) -> float:
    """Cramér's V between blocks of rows and labels, corrected for bias."""
    import numpy as np

    if count < 2 or len(codes) < _ROWS:
        return 0.0
    blocks = np.arange(len(codes)) * _BLOCKS // len(codes)
    table = np.bincount(blocks * count + codes, minlength=_BLOCKS * count).reshape(_BLOCKS, count)
    whole = table.sum()
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / whole
    with np.errstate(invalid="ignore", divide="ignore"):
        phi = np.nansum((table - expected) ** 2 / expected) / whole
    free = (_BLOCKS - 1) * (count - 1) / (whole - 1)
    rows = _BLOCKS - (_BLOCKS - 1) ** 2 / (whole - 1)
    columns = count - (count - 1) ** 2 / (whole - 1)
    return float(np.sqrt(max(0.0, phi - free) / max(min(rows, columns) - 1, 1e-9)))


def _sorted(column: Column, runs: int, strength: float) -> Noticed:
    return Noticed(
        Finding(
            "sorted-by-label",
            "info",
            column.rows,
            say(
                f"The rows are sorted by {column.name}: {runs} runs of equal labels.",
                f"数据按 {column.name} 排序：相同标签共 {runs} 段。",
            ),
            (),
            (column.name,),
            say("Never split such rows by their order.", "切勿按行的先后划分这样的数据。"),
            say("The split shuffles them.", "划分时会打乱顺序。"),
            {"strength": round(strength, 3), "runs": runs},
        )
    )


def _drift(column: Column, strength: float, by_time: bool) -> Noticed:
    return Noticed(
        Finding(
            "row-order",
            "info" if by_time or strength < _TELLS_MUCH else "warning",
            column.rows,
            say(
                f"The place of a row tells much of its {column.name} "
                f"(Cramér's V {strength:.2f} over {_BLOCKS} blocks of rows).",
                f"行的先后顺序与 {column.name} 关系密切"
                f"（{_BLOCKS} 段数据的 Cramér's V 为 {strength:.2f}）。",
            ),
            (),
            (column.name,),
            say(
                "Look where the rows come from; if time drives it, set data.split.time.",
                "请查清数据来源；若由时间引起，请设置 data.split.time。",
            ),
            details={"strength": round(strength, 3)},
        )
    )


def _drifting_number(column: Column) -> list[Noticed]:
    """Spearman's correlation of place and label, for labels that are numbers."""
    import numpy as np

    if not column.values.dtype.is_numeric():
        return []
    numbers = column.floats
    numbers = numbers[np.isfinite(numbers)]
    if len(numbers) < _ROWS:
        return []
    ranks = np.argsort(np.argsort(numbers, kind="stable"), kind="stable")
    strength = float(np.corrcoef(np.arange(len(ranks)), ranks)[0, 1])
    if abs(strength) < _TELLS:
        return []
    if abs(strength) > 0.99:
        return [_sorted(column, 1, strength)]
    finding = Finding(
        "row-order",
        "warning" if abs(strength) >= _TELLS_MUCH else "info",
        column.rows,
        say(
            f"{column.name} follows the order of the rows (Spearman {strength:+.2f}).",
            f"{column.name} 随行的先后变化（Spearman {strength:+.2f}）。",
        ),
        (),
        (column.name,),
        say("If time drives it, set data.split.time.", "若由时间引起，请设置 data.split.time。"),
        details={"strength": round(strength, 3)},
    )
    return [Noticed(finding)]
