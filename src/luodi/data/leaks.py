"""Columns that give the label away: known only once the answer is, or the answer in other words.

A column alone is asked for the label: its values are binned, each half of the rows is answered
from what the other half says of its bins, so that a column of many values (an account number)
gains nothing from learning rows by heart. What no honest column can do is an error; what few can
is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from luodi.contracts import Dataset, Finding, Role, Severity, say

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

CODE = "target-leak"
_BINS = 64
_ROWS_A_BIN = 20
_MOST_ROWS = 50_000
"""More rows than this are sampled: what gives a label away does so in a part as well."""
_LEAST_ROWS = 40
_LEAST_EVENTS = 10
_MOST_CLASSES = 50
_CHANCE = 1e-9
"""A flag whose rows all carry one label by less than this chance is no coincidence."""
Measured = Literal["auc", "balanced_accuracy", "r2"]
_BOUNDS: dict[Measured, tuple[float, float]] = {
    "auc": (0.97, 0.998),
    "balanced_accuracy": (0.97, 0.99),
    "r2": (0.98, 0.9995),
}
"""From which value on a column alone is told, and refused."""
_INDEX_BOUND = 0.9
"""A running number has no business to know the label at all: far less is enough to refuse it."""


@dataclass(frozen=True)
class Evidence:
    """What one column alone can tell of the label."""

    column: str
    how: Literal["values", "missing", "flag", "index"]
    measured: Measured | Literal["purity"]
    value: float
    rows: int
    label: str = ""
    shown: str = ""

    @property
    def severity(self) -> Severity:
        """`error` for what no honest column can do."""
        if self.how == "flag":
            return "error"
        if self.how == "index":
            return "error" if self.value >= _INDEX_BOUND else "info"
        assert self.measured != "purity"  # noqa: S101  # only flags are judged by purity
        told, refused = _BOUNDS[self.measured]
        return "error" if self.value >= refused else "warning" if self.value >= told else "info"


def find_leaks(data: Dataset, seed: int = 7) -> list[Finding]:
    """Findings on the feature columns that give the label away.

    Args:
        data: with a label, and the columns of the role `feature`. Columns in
            `data.question.leaks` are told, and allowed.
        seed: of the halves, and of the sample of a large table.
    """
    found = [e for e in evidence(data, seed) if e.severity != "info"]
    return [_finding(e, e.column in data.question.leaks) for e in found]


def evidence(data: Dataset, seed: int = 7) -> list[Evidence]:
    """What each feature column alone can tell: its strongest evidence, the strongest column first.

    Empty where there are too few rows to say anything.
    """
    import numpy as np

    label = data.table.get_column(data.column(Role.LABEL))
    rows = np.flatnonzero(label.is_not_null().to_numpy())
    generator = np.random.default_rng(seed)
    if len(rows) > _MOST_ROWS:
        rows = np.sort(generator.choice(rows, _MOST_ROWS, replace=False))
    found = _truth(label[rows])
    if found is None:
        return []
    places, truth = found
    rows = rows[places]
    half = generator.permutation(len(rows)) % 2 == 0
    best = []
    for name in data.columns(Role.FEATURE):
        column = data.table.get_column(name)[rows]
        whole = data.table.get_column(name)
        kind = data.question.kinds.get(name)
        told = [*_ask(column, whole, truth, half, kind)]
        if told:
            best.append(max(told, key=lambda e: (e.severity == "error", e.value)))
    return sorted(best, key=lambda e: -e.value)


@dataclass(frozen=True)
class _Truth:
    """Labels as codes (n,) with their names, or numbers (n,) without."""

    values: NDArray[np.float64]
    names: tuple[str, ...]

    @property
    def codes(self) -> NDArray[np.int64]:
        import numpy as np

        return self.values.astype(np.int64)


def _truth(label: pl.Series) -> tuple[NDArray[np.int64], _Truth] | None:
    """The places that can be told something of, and their truth.

    Of labels those are the rows of common ones: a stray label must not hide a leak.
    """
    import numpy as np

    places = np.arange(len(label))
    if not label.dtype.is_numeric():
        names, codes, counts = np.unique(
            label.to_numpy().astype(str), return_inverse=True, return_counts=True
        )
        commonest = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
        common = np.sort(commonest[counts[commonest] >= _LEAST_EVENTS])
        places = np.flatnonzero(np.isin(codes, common))
        if len(places) < _LEAST_ROWS or len(common) < 2:
            return None
        values = np.searchsorted(common, codes[places]).astype(np.float64)
        return places, _Truth(values, tuple(names[common].tolist()))
    values = label.to_numpy().astype(np.float64)
    if len(places) < _LEAST_ROWS or not values.std() > 0:
        return None
    return places, _Truth(values, ())


def _ask(
    column: pl.Series, whole: pl.Series, truth: _Truth, half: NDArray[np.bool_], kind: str | None
) -> Iterator[Evidence]:
    from luodi.data.kinds import recognise

    if column.dtype.is_nested():
        return
    codes, numbers = _codes(column)
    missing = column.is_null().to_numpy()
    index = kind in (None, "ignore") and recognise(whole) == "ignore" and whole.n_unique() > 2
    measured, value = _alone(codes, numbers, truth, half)
    yield Evidence(column.name, "index" if index else "values", measured, value, len(codes))
    if index:
        return
    if _LEAST_EVENTS <= missing.sum() <= len(missing) - _LEAST_EVENTS:
        measured, value = _alone(missing.astype(int), None, truth, half)
        yield Evidence(column.name, "missing", measured, value, int(missing.sum()))
    if truth.names:
        for side, shown in _sides(column, missing):
            yield from _pure(column.name, side, shown, truth)


def _codes(column: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """(n,) bins, the missing ones in a bin of their own; and the numbers, where it holds some."""
    import numpy as np

    if column.dtype.is_numeric():
        numbers = column.cast(float).to_numpy().astype(np.float64)
        there = numbers[np.isfinite(numbers)]
        bins_wanted = min(_BINS, max(len(there) // _ROWS_A_BIN, 5))
        if len(there) and len(np.unique(there)) > bins_wanted:
            edges = np.unique(np.quantile(there, np.linspace(0, 1, bins_wanted + 1)[1:-1]))
            bins = np.searchsorted(edges, numbers, side="right")
        else:
            bins = np.searchsorted(np.unique(there), numbers)
        return np.where(np.isfinite(numbers), bins, _BINS + 1).astype(np.int64), numbers
    texts = column.cast(str).fill_null("\0").to_numpy().astype(str)
    return np.unique(texts, return_inverse=True)[1].astype(np.int64), None


def _alone(
    codes: NDArray[np.int64],
    numbers: NDArray[np.float64] | None,
    truth: _Truth,
    half: NDArray[np.bool_],
) -> tuple[Measured, float]:
    """How well the label can be told from the column alone, each half from the other."""
    import numpy as np

    if not truth.names:
        return "r2", _r2(codes, numbers, truth.values, half)
    k, size = len(truth.names), int(codes.max()) + 1
    chances = np.zeros((len(codes), k))
    for learnt, asked in ((half, ~half), (~half, half)):
        cells = np.bincount(codes[learnt] * k + truth.codes[learnt], minlength=size * k)
        counts = cells.reshape(size, k) + np.bincount(truth.codes[learnt], minlength=k) / len(codes)
        chances[asked] = (counts / counts.sum(axis=1, keepdims=True))[codes[asked]]
    if k == 2:
        return "auc", _auc(chances[:, 1], truth.codes == 1)
    right = chances.argmax(axis=1) == truth.codes
    recalls = np.bincount(truth.codes, weights=right, minlength=k) / np.bincount(truth.codes)
    return "balanced_accuracy", float(recalls.mean())


def _auc(score: NDArray[np.float64], event: NDArray[np.bool_]) -> float:
    import numpy as np

    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    events, others = int(event.sum()), int((~event).sum())
    return float((rank[event].sum() - events * (events + 1) / 2) / (events * others))


def _r2(
    codes: NDArray[np.int64],
    numbers: NDArray[np.float64] | None,
    truth: NDArray[np.float64],
    half: NDArray[np.bool_],
) -> float:
    import numpy as np

    told = np.zeros(len(truth))
    for learnt, asked in ((half, ~half), (~half, half)):
        size, mean = int(codes.max()) + 1, truth[learnt].mean()
        counts = np.bincount(codes[learnt], minlength=size)
        sums = np.bincount(codes[learnt], weights=truth[learnt] - mean, minlength=size)
        told[asked] = mean + (sums / np.maximum(counts, 1))[codes[asked]]
    binned = 1 - ((told - truth) ** 2).mean() / truth.var()
    if numbers is None or not np.isfinite(numbers).all() or numbers.std() == 0:
        return float(binned)
    # Bins blur a number that is the answer times a constant; a line through it does not.
    return float(max(binned, np.corrcoef(numbers, truth)[0, 1] ** 2))


def _sides(
    column: pl.Series, missing: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.bool_], str]]:
    """Two-sided looks at a column: there or not, its commonest value or another."""
    import numpy as np

    if missing.any():
        yield missing, say("no value", "无取值")
        yield ~missing, say("a value", "有取值")
    counts = column.drop_nulls().value_counts(sort=True)
    if not len(counts):
        return
    commonest, times = counts.row(0)
    if len(counts) == 2 or (column.dtype.is_numeric() and times >= len(column) / 2):
        same = (column == commonest).fill_null(False).to_numpy()
        other = ~same & ~missing
        rest = counts.row(1)[0] if len(counts) == 2 else None
        shown = str(rest) if rest is not None else say(f"other than {commonest}", f"非 {commonest}")
        yield np.asarray(same, bool), str(commonest)
        yield other, shown


def _pure(name: str, side: NDArray[np.bool_], shown: str, truth: _Truth) -> Iterator[Evidence]:
    """Whether the rows of one side all carry one label that is rare among all."""
    import numpy as np

    rows = int(side.sum())
    if rows < _LEAST_EVENTS:
        return
    labels = np.unique(truth.codes[side])
    if len(labels) != 1:
        return
    share = float((truth.codes == labels[0]).mean())
    if share <= 0.5 and share**rows < _CHANCE:
        yield Evidence(name, "flag", "purity", 1.0, rows, truth.names[labels[0]], shown)


def _finding(e: Evidence, allowed: bool) -> Finding:
    told = {
        "values": _told_by_values(e),
        "index": say(
            f"{e.column} is a running number, and knows the label ({e.measured} {e.value:.3f} "
            "alone): the rows are sorted by it.",
            f"{e.column} 是流水号，却能预测标签（单独 {e.measured} 为 {e.value:.3f}）："
            "数据按标签排过序。",
        ),
        "missing": say(
            f"Whether {e.column} is missing tells the label ({e.measured} {e.value:.3f} alone).",
            f"{e.column} 是否缺失即可预测标签（单独 {e.measured} 为 {e.value:.3f}）。",
        ),
        "flag": say(
            f"All {e.rows} rows with {e.column} = {e.shown} carry the label {e.label}.",
            f"{e.column} = {e.shown} 的 {e.rows} 行全部带标签 {e.label}。",
        ),
    }[e.how]
    severity = "info" if allowed else e.severity
    return Finding(
        code=CODE if severity != "warning" else "near-leak",
        severity=severity,
        count=e.rows,
        message=told,
        columns=(e.column,),
        remedy=_remedy(e),
        handled=say("Allowed by the project file.", "项目文件已允许。") if allowed else "",
        details={"how": e.how, "measured": e.measured, "value": e.value, "rows": e.rows},
    )


def _told_by_values(e: Evidence) -> str:
    return say(
        f"{e.column} alone predicts the label with {e.measured} {e.value:.4f}: is it known before "
        "the answer is?",
        f"仅凭 {e.column} 就能以 {e.measured} {e.value:.4f} 预测标签：它在结果出现之前就已知吗？",
    )


def _remedy(e: Evidence) -> str:
    return say(
        f"Take it out (data.kinds: {{{e.column}: ignore}}), or, when it is known in time, allow it "
        f"(data.leaks: {{allow: [{e.column}]}}).",
        f"请去掉该列（data.kinds: {{{e.column}: ignore}}）；若确实事先可知，请允许"
        f"（data.leaks: {{allow: [{e.column}]}}）。",
    )
