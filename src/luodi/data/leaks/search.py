"""Every feature column is asked what it tells of the label, alone and in sums."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from luodi.contracts import Dataset, Finding, Role
from luodi.data.leaks.alone import alone
from luodi.data.leaks.bands import banded
from luodi.data.leaks.evidence import LEAST_ROWS, Evidence, How, finding
from luodi.data.leaks.sides import judged, sides
from luodi.data.leaks.sums import summed
from luodi.data.leaks.suspect import Suspect, Truth, suspect, truth_of
from luodi.data.leaks.words import telling_words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_ROWS = 50_000
"""More rows than this are sampled: what gives a label away does so in a part as well."""
_RANK = {"error": 2, "warning": 1, "info": 0}


def find_leaks(data: Dataset, seed: int = 7) -> list[Finding]:
    """Findings on the feature columns that give the label away.

    Args:
        data: with a label, and the columns of the role `feature`. Columns in
            `data.question.leaks` are told, and allowed.
        seed: of the halves, and of the sample of a large table.
    """
    allowed = set(data.question.leaks)
    found = [e for e in evidence(data, seed) if e.severity != "info"]
    return [finding(e, allowed.issuperset(e.columns)) for e in found]


def evidence(data: Dataset, seed: int = 7) -> list[Evidence]:
    """What each feature column can tell: its strongest evidence, the strongest column first.

    Sums of columns stand beside them. Empty where there are too few rows to say anything.
    """
    import numpy as np

    label = data.table.get_column(data.column(Role.LABEL))
    rows = np.flatnonzero(label.is_not_null().to_numpy())
    generator = np.random.default_rng(seed)
    if len(rows) > _MOST_ROWS:
        rows = np.sort(generator.choice(rows, _MOST_ROWS, replace=False))
    found = truth_of(label[rows])
    if found is None:
        return []
    places, truth = found
    rows = rows[places]
    half = generator.permutation(len(rows)) % 2 == 0
    kinds = data.question.kinds
    suspects = [
        s
        for name in data.columns(Role.FEATURE)
        if (s := suspect(data.table.get_column(name), rows, kinds.get(name))) is not None
    ]
    best = [max(_of(s, truth, half), key=lambda e: (_RANK[e.severity], e.value)) for s in suspects]
    if not truth.names:
        best += summed(suspects, truth.values)
    return sorted(best, key=lambda e: -e.value)


def _of(suspect: Suspect, truth: Truth, half: NDArray[np.bool_]) -> Iterator[Evidence]:
    """What one column tells: its values, a value or none, where it has one, sides or ranges."""
    name, missing = suspect.name, suspect.missing
    measured, value = alone(suspect.bins, suspect.numbers, truth, half)
    how: How = "index" if suspect.running else "values"
    yield Evidence(name, how, measured, value, len(missing))
    if suspect.running:
        return
    if LEAST_ROWS <= missing.sum() <= len(missing) - LEAST_ROWS:
        measured, value = alone(missing.astype(int), None, truth, half)
        yield Evidence(name, "missing", measured, value, int(missing.sum()))
    if missing.any() and suspect.numbers is not None and (part := truth.of(~missing)) is not None:
        numbers = suspect.numbers[~missing]
        measured, value = alone(suspect.bins[~missing], numbers, part, half[~missing])
        yield Evidence(name, "values", measured, value, len(numbers))
    if not truth.names:
        yield from banded(suspect, truth.values)
        return
    for side in sides(suspect, truth, half):
        if (found := judged(name, side, truth)) is not None:
            yield found
    if suspect.texts is not None:
        yield from telling_words(name, suspect.texts, truth)
