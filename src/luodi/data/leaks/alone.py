"""How well the label can be told from one column alone.

Its values are binned, each half of the rows is answered from what the other half says of its bins,
so that a column of many values (an account number) gains nothing from learning rows by heart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.data.leaks.evidence import Measured
from luodi.data.leaks.suspect import Truth

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def alone(
    codes: NDArray[np.int64],
    numbers: NDArray[np.float64] | None,
    truth: Truth,
    half: NDArray[np.bool_],
) -> tuple[Measured, float]:
    """How well the label can be told from the column alone, each half from the other.

    Args:
        codes: (n,) the column's values as cells.
        numbers: (n,) its numbers where it holds some, NaN where one is missing.
        half: (n,) which half each row is in.
    """
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
        return "auc", auc(chances[:, 1], truth.codes == 1)
    right = chances.argmax(axis=1) == truth.codes
    recalls = np.bincount(truth.codes, weights=right, minlength=k) / np.bincount(truth.codes)
    return "balanced_accuracy", float(recalls.mean())


def auc(score: NDArray[np.float64], event: NDArray[np.bool_]) -> float:
    """How often an event's score (n,) is above another row's; of equal scores half counts."""
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
    if numbers is None or not np.isfinite(numbers).all():
        return float(binned)
    numbers = numbers / (np.abs(numbers).max() or 1.0)  # the largest floats have no square
    if numbers.std() == 0:
        return float(binned)
    # Bins blur a number that is the answer times a constant; a line through it does not.
    return float(max(binned, np.corrcoef(numbers, truth)[0, 1] ** 2))
