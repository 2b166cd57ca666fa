"""Which label is the event, and what wrong answers cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_EVENTS = (
    "1", "true", "yes", "y", "t", "bad", "default", "positive", "pos", "malignant", "fraud",
    "failure", "fail", "failed", "churn", "churned", "died", "dead", "sick", "disease", "event",
    "abnormal", "spam", "attack", "late", "是", "坏", "违约", "阳性", "恶性", "欺诈", "故障",
    "流失",
    "异常",
)  # fmt: skip
"""Words that name the event of two labels, as people write them."""


def ordered_labels(
    labels: Sequence[str], positive: str | None, unseen: Sequence[str] = ()
) -> tuple[str, ...]:
    """The labels in order, also those that no row carries; of two, the event comes last.

    The event is what the project says; else the one label whose name says so; else the rarer;
    at a tie, the later by name.
    """
    counts = Counter(labels)
    names = sorted({*counts, *unseen})
    if len(names) != 2:
        return tuple(names)
    telling = [name for name in names if name.strip().lower() in _EVENTS]
    if positive in names:
        event = positive
    elif len(telling) == 1:
        event = telling[0]
    else:
        event = min(names, key=lambda name: (counts[name], name != names[1]))
    return tuple(sorted(names, key=lambda name: name == event))


def cost_matrix(
    labels: Sequence[str], costs: Mapping[str, float | Mapping[str, float]]
) -> NDArray[np.float64] | None:
    """(k, k): what an answer (column) costs where another is true (row); None where none does.

    Of two labels the costs may be those of a false alarm and of a missed event; else every label
    has what any other answer costs where it is true, or the cost of each: a run has seen to that.
    """
    matrix = np.zeros((len(labels), len(labels)))
    if set(costs) <= {*_WRONG}:
        for name, place in _WRONG.items():
            if len(labels) == 2:
                matrix[place] = _cost(costs.get(name, 0.0), "")
    else:
        for truth, label in enumerate(labels):
            for answer, other in enumerate(labels):
                if answer != truth:
                    matrix[truth, answer] = _cost(costs[label], other)
    return matrix if matrix.any() else None


_WRONG = {"false_positive": (0, 1), "false_negative": (1, 0)}
"""Of two labels: what wrong answers are called -> (truth, answer)."""


def _cost(of: float | Mapping[str, float], answer: str) -> float:
    return of[answer] if isinstance(of, Mapping) else of
