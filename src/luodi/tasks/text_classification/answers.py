"""From scores to answers, the same for every learner of the task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from luodi.contracts import Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of scores to rows of probabilities that sum to one: (n, k) -> (n, k)."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = shifted / shifted.sum(axis=1, keepdims=True)
    return result


def class_answers(probability: NDArray[np.float64], labels: Sequence[str]) -> list[Answer]:
    """(n, k) probabilities to n answers: the likeliest label, and every label's probability."""
    best = probability.argmax(axis=1)
    return [
        {"label": labels[top], "probabilities": dict(zip(labels, row, strict=True))}
        for top, row in zip(best.tolist(), probability.tolist(), strict=True)
    ]
