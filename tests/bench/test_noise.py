"""What is counted of suspicious rows, by hand."""

from __future__ import annotations

import numpy as np

from bench.noise.__main__ import _table
from bench.noise.peer import average_precision, doubts, hits

WRONG = np.array([True, False, True, False, False])


def test_hits_by_hand() -> None:
    assert hits(np.array([0, 1]), WRONG) == {"suspicious": 2, "precision": 0.5, "recall": 0.5}
    assert hits(np.zeros(0, np.int64), WRONG)["precision"] is None
    assert hits(np.array([1]), np.zeros(5, np.bool_)) == {
        "suspicious": 1, "precision": None, "recall": None,
    }  # fmt: skip


def test_average_precision_by_hand() -> None:
    assert average_precision(np.array([5.0, 1, 4, 2, 3]), WRONG) == 1.0
    # Found at the first place and at the fourth: (1 + 2 / 4) / 2.
    assert average_precision(np.array([5.0, 4, 2, 3, 1]), WRONG) == 0.75
    assert average_precision(np.zeros(5), np.zeros(5, np.bool_)) is None


def test_our_order_is_the_margin_of_the_likeliest_other_class() -> None:
    chance = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
    assert np.allclose(doubts(chance, np.array([0, 1])), [-0.5, 0.3])


def test_the_page() -> None:
    way = {"suspicious": 20, "precision": 0.4, "recall": 0.8}
    peer = {
        "estimate_joint": 0.2, "estimate_count": 0.18, "as_many": way,
        "ways": {"prune_by_noise_rate": way, "confident_learning": way},
        "average_precision": {"self_confidence": 0.5},
    }  # fmt: skip
    record = {
        "source": "reviews", "planted": 0.1, "rows": 100, "seed": 1, "rounds": 2, "estimate": 0.12,
        "estimate_by_the_paper": 0.16, "suspicious": 12, "precision": 0.5, "recall": 0.6,
        "precision_of_the_first_tenth": 1.0, "learner_accuracy": 0.8, "seconds": 1.0,
        "first_round": {"estimate": 0.13, "average_precision": 0.5, **way}, "cleanlab": peer,
        "average_precision": 0.55,
    }  # fmt: skip
    rows = [line for line in _table([record]).splitlines() if line.startswith("| reviews")]
    assert rows[0].endswith(
        "| 12.0% | 16.0% | 12 | 0.50 / 0.60 | 1.0 | 13.0% | 0.40 / 0.80 | 1.0 |"
    )
    assert rows[1].startswith("| reviews | 10% | 100 | 12.0% | 20.0% | 18.0% | 0.50 / 0.60 | 0.40")
