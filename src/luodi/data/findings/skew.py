"""Two tables that should be alike: what one was taught on, and what the other brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from luodi.contracts import Finding, Role, say
from luodi.data.examples import shorten
from luodi.data.findings.column import (
    Column,
    Noticed,
    Record,
    Sheet,
    by_column,
    columns_said,
    listed,
    sheet,
)
from luodi.data.sketch import chance_limit

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

MOVED, MOVED_FAR = 0.1, 0.25
"""The population stability index from which a column has moved, and has moved far (the bounds that
credit scoring goes by: Siddiqi, Credit Risk Scorecards, 2006)."""
_BINS, _CATEGORIES = 10, 30
_MISSING = 0.05


class Shift(NamedTuple):
    """How far one column has moved.

    `psi` is the population stability index, `chance` what two samples of one source exceed once
    in a thousand times, `missing` the change of the share without a value, `new` the share of
    rows whose category the first table does not know.
    """

    column: str
    psi: float
    chance: float
    missing: float
    new: float
    what: str

    @property
    def beyond_chance(self) -> float:
        """The index; 0 where chance alone may give as much."""
        return self.psi if self.psi > self.chance else 0.0


def skew(
    reference: pl.DataFrame,
    other: pl.DataFrame,
    roles: Mapping[Role, Sequence[str]] | None = None,
    names: tuple[str, str] | None = None,
) -> list[Noticed]:
    """Columns that lack, differ in type, or are spread otherwise.

    Args:
        reference: what is learnt from.
        other: what will be asked, or is judged on.
        roles: of the columns.
        names: how the two tables are called in the sentences.
    """
    called = names or (say("the first table", "第一张表"), say("the second table", "第二张表"))
    first, second = sheet(reference, roles), sheet(other, roles)
    return [
        *_columns(first, second, called),
        *_types(first, second, called),
        *_moved(shifts(first, second), called),
    ]


def shifts(first: Sheet, second: Sheet) -> list[Shift]:
    """How far each shared column has moved, the farthest first."""
    found = [
        _shift(column, second.columns[name])
        for name, column in first.columns.items()
        if name in second.columns and column.role is not Role.ID
    ]
    return sorted(
        (shift for shift in found if shift), key=lambda shift: -shift.beyond_chance - shift.new
    )


def _columns(first: Sheet, second: Sheet, called: tuple[str, str]) -> list[Noticed]:
    lacking = [name for name in first.columns if name not in second.columns]
    extra = [name for name in second.columns if name not in first.columns]
    if not lacking and not extra:
        return []
    records: list[Record] = [{"column": name, "only in": called[0]} for name in lacking] + [
        {"column": name, "only in": called[1]} for name in extra
    ]
    en, zh = listed([str(record["column"]) for record in records])
    finding = by_column(
        "skew-columns",
        "warning" if lacking else "info",
        say(
            f"{columns_said(len(records))} are only in one of {called[0]} and {called[1]}: {en}.",
            f"{len(records)} 列只存在于{called[0]}或{called[1]}之一：{zh}。",
        ),
        records,
        count=len(records),
        remedy=say("Learn from what will be there.", "请只使用预测时也有的列。"),
    )
    return [Noticed(finding)]


def _types(first: Sheet, second: Sheet, called: tuple[str, str]) -> list[Noticed]:
    records: list[Record] = []
    for name, column in first.columns.items():
        other = second.columns.get(name)
        if other is None or "empty" in (column.card.kind, other.card.kind):
            continue
        if column.textual != other.textual:
            kinds = {called[0]: column.card.dtype, called[1]: other.card.dtype}
            records.append({"column": name, **kinds})
    if not records:
        return []
    en, zh = listed([str(record["column"]) for record in records])
    finding = by_column(
        "skew-types",
        "warning",
        say(
            f"{columns_said(len(records))} are of another type in {called[1]}: {en}.",
            f"{len(records)} 列在{called[1]}中的类型不同：{zh}。",
        ),
        records,
        count=len(records),
        remedy=say("Bring both tables in one form.", "请统一两张表的格式。"),
    )
    return [Noticed(finding)]


def _moved(found: list[Shift], called: tuple[str, str]) -> list[Noticed]:
    moved = [
        shift
        for shift in found
        if shift.beyond_chance >= MOVED or abs(shift.missing) >= _MISSING or shift.new >= _MISSING
    ]
    if not moved:
        return []
    far = any(s.beyond_chance >= MOVED_FAR or abs(s.missing) >= 0.2 or s.new >= 0.2 for s in moved)
    records: list[Record] = [
        {
            "column": shift.column,
            "stability index": round(shift.psi, 3),
            "missing": f"{shift.missing:+.1%}",
            "new values": f"{shift.new:.1%}",
            "what": shift.what,
        }
        for shift in moved
    ]
    en, zh = listed([f"{shift.column} ({shift.psi:.2f})" for shift in moved])
    finding = Finding(
        "skew",
        "warning" if far else "info",
        len(moved),
        say(
            f"{columns_said(len(moved), 'spread')} otherwise in {called[1]} than in {called[0]} "
            f"(stability index): {en}.",
            f"{len(moved)} 列在{called[1]}与{called[0]}中的分布不同（稳定性指数）：{zh}。",
        ),
        tuple(records[:10]),
        tuple(shift.column for shift in moved),
        say(
            "Look what changed; learn from rows like those that will be asked.",
            "请查明变化原因；应从与预测对象相似的数据中学习。",
        ),
        details={shift.column: round(shift.psi, 4) for shift in moved},
    )
    return [Noticed(finding)]


def _shift(column: Column, other: Column) -> Shift | None:
    rows = (column.rows, other.rows)
    if min(rows) < 30 or column.textual != other.textual:
        return None
    missing = other.card.missing / rows[1] - column.card.missing / rows[0]
    kinds = {column.card.kind, other.card.kind}
    if kinds <= {"identifier"} or "empty" in kinds:
        return Shift(column.name, 0.0, 0.0, missing, 0.0, "") if abs(missing) >= _MISSING else None
    if "text" in kinds and column.textual:
        lengths = (_lengths(column), _lengths(other))
        index, chance = stability(*lengths)
        return Shift(column.name, index, chance, missing, 0.0, say("length of texts", "文本长度"))
    if column.textual or "boolean" in kinds:
        return _categories(column, other, missing)
    if not (column.values.dtype.is_numeric() and other.values.dtype.is_numeric()):
        return None
    index, chance = stability(column.floats, other.floats)
    if column.card.mean is not None and other.card.mean is not None:
        what = say("mean", "均值") + f" {column.card.mean:.4g} → {other.card.mean:.4g}"
    else:
        what = ""
    return Shift(column.name, index, chance, missing, 0.0, what)


def _lengths(column: Column) -> NDArray[np.float64]:
    import polars as pl

    lengths: NDArray[np.float64] = (
        column.values.drop_nulls().str.len_chars().cast(pl.Float64).to_numpy()
    )
    return lengths


def stability(reference: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """The population stability index over the tenths of `reference`, and chance's limit."""
    import numpy as np

    reference, other = (x[np.isfinite(x)] for x in (reference, other))
    if not len(reference) or not len(other):
        return 0.0, 0.0
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, _BINS + 1)[1:-1]))
    counts = [
        np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1)
        for x in (reference, other)
    ]
    # Few values make few edges; one alone tells below, at and above it.
    if len(edges) < 4:
        counts = [
            np.bincount(
                np.searchsorted(edges, x, side="left") + np.searchsorted(edges, x, side="right"),
                minlength=2 * len(edges) + 1,
            )
            for x in (reference, other)
        ]
    return _index(*counts)


def _index(reference: NDArray[np.int64], other: NDArray[np.int64]) -> tuple[float, float]:
    import numpy as np

    used = (reference > 0) | (other > 0)
    reference, other = reference[used], other[used]
    n, m = reference.sum(), other.sum()
    # Half a row in every bin: an empty one would make the index infinite.
    p = (reference + 0.5) / (n + 0.5 * len(reference))
    q = (other + 0.5) / (m + 0.5 * len(other))
    index = float(((q - p) * np.log(q / p)).sum())
    return index, chance_limit(len(reference), int(n), int(m))


def _categories(column: Column, other: Column, missing: float) -> Shift:
    import numpy as np

    known, times = column.counts
    found, found_times = other.counts
    place = {value: index for index, value in enumerate(known[:_CATEGORIES])}
    everything = set(known)
    counts = np.zeros((2, len(place) + 2), np.int64)
    counts[0, : len(place)] = times[: len(place)]
    counts[0, -2] = times[len(place) :].sum()
    strangers: list[str] = []
    for value, count in zip(found, found_times.tolist(), strict=True):
        if value in place:
            counts[1, place[value]] += count
        elif value in everything:
            counts[1, -2] += count
        else:
            counts[1, -1] += count
            strangers.append(value)
    new = float(counts[1, -1] / max(counts[1].sum(), 1))
    index, chance = _index(counts[0], counts[1])
    what = (
        say("new: ", "新值：") + ", ".join(shorten(v, 20) for v in strangers[:3])
        if strangers
        else ""
    )
    return Shift(column.name, index, chance, missing, new, what)
