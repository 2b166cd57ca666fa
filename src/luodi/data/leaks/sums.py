"""A numeric target that is the sum or the difference of columns: casual plus registered riders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING

from luodi.contracts.numbers import SQUARABLE
from luodi.data.leaks.evidence import Evidence
from luodi.data.leaks.suspect import Suspect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = Mapping[str, NDArray[np.float64]]

_TRIED = 200
"""Rows on which sums are tried; those that hold there are looked at on all."""
_LEAST_ROWS = 40
_MOST = 60
"""Columns of which sums of three are tried: of more, only of two."""
_EXACT = 0.9999
"""R2 of a sum as it stands, nothing fitted to the target: it is one, but for rounding."""
_ALONE = 0.9995
_BETTER = 0.01
"""What a sum leaves of the target, as a share of what a line through its best part leaves: three
years of a rising series make a fourth, but hardly better than one does."""


def summed(suspects: Sequence[Suspect], target: NDArray[np.float64]) -> list[Evidence]:
    """The sums of two columns, or else of three, each with a sign, that are the target.

    A constant may be added to them. Columns that tell the target alone are left out: with any
    other they would tell it too.
    """
    numbers = {s.name: s.numbers for s in suspects if s.numbers is not None and s.kind == "number"}
    parts = {
        name: column
        for name, column in numbers.items()
        if _varies(column)
        and max(_fit(target - column, target), _fit(target + column, target)) < _ALONE
    }
    found: list[Evidence] = []
    for size in (2, 3) if len(parts) <= _MOST else (2,):
        found = found or [*_sums(parts, target, size)]
    return found


def _varies(column: NDArray[np.float64]) -> bool:
    import numpy as np

    known = column[np.isfinite(column)]
    return len(known) > 1 and np.abs(known).max() < SQUARABLE and bool(known.std() > 0)


def _sums(parts: Numbers, target: NDArray[np.float64], size: int) -> Iterator[Evidence]:
    """Those of `size` columns: what the others leave of the target is the last one, or less it."""
    import numpy as np

    names = list(parts)
    tried = np.unique(np.linspace(0, len(target) - 1, _TRIED).astype(int))
    table = np.array([parts[name][tried] for name in names]).reshape(len(names), len(tried))
    for others in combinations(range(len(names) - 1), size - 1):
        last = table[others[-1] + 1 :]
        for signs in product((1.0, -1.0), repeat=size - 1):
            rest = target[tried] - np.array(signs) @ table[list(others)]
            for sign in (1.0, -1.0):
                spread = _variance(rest - sign * last)
                for place in np.flatnonzero(spread <= (1 - _EXACT) * target[tried].var()):
                    chosen = [names[p] for p in (*others, others[-1] + 1 + int(place))]
                    yield from _held(chosen, (*signs, sign), parts, target)


def _held(
    names: Sequence[str], signs: Sequence[float], parts: Numbers, target: NDArray[np.float64]
) -> Iterator[Evidence]:
    """The sum as evidence, where it holds on all rows that have its columns."""
    import numpy as np

    whole = np.sum([sign * parts[name] for sign, name in zip(signs, names, strict=True)], axis=0)
    there = np.isfinite(whole)
    value, rows = _fit(target - whole, target), int(there.sum())
    if rows < _LEAST_ROWS or value < _EXACT:
        return
    alone = max(np.corrcoef(parts[name][there], target[there])[0, 1] ** 2 for name in names)
    if 1 - value > _BETTER * (1 - alone):
        return
    words = [f"{'+' if sign > 0 else '-'} {name}" for sign, name in zip(signs, names, strict=True)]
    shown = " ".join(words).removeprefix("+ ")
    yield Evidence(names[0], "sum", "r2", value, rows, shown=shown, others=tuple(names[1:]))


def _fit(left: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    """R2 of what leaves `left` of the target, a constant aside."""
    import numpy as np

    there = np.isfinite(left)
    if there.sum() < 2 or target[there].var() == 0:
        return 0.0
    return float(1 - left[there].var() / target[there].var())


def _variance(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each row, NaN left out; infinite where little is left."""
    import numpy as np

    there = np.isfinite(rows)
    counts = there.sum(axis=1)
    filled = np.where(there, rows, 0.0)
    mean = filled.sum(axis=1) / np.maximum(counts, 1)
    squares = (np.where(there, rows - mean[:, None], 0.0) ** 2).sum(axis=1)
    return np.where(counts >= 20, squares / np.maximum(counts, 1), np.inf)
