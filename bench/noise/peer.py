"""cleanlab and Luodi held against the same planted flips, by the same probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.data_peers import peers_python, run_script

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from luodi.data.noise import LabelNoise

_SCRIPT = Path(__file__).with_name("cleanlab_script.py")


def side_by_side(
    chance: NDArray[np.float64],
    given: NDArray[np.int64],
    wrong: NDArray[np.bool_],
    ours: LabelNoise,
    folder: Path,
) -> dict[str, Any]:
    """What cleanlab makes of the very probabilities that we were given, and what we do."""
    place = folder / "given.npz"
    np.savez(place, chance=chance, labels=given)
    told = run_script(peers_python(), _SCRIPT, place, threads=1)
    scores = {way: -np.array(values) for way, values in told["scores"].items()}
    return {
        "cleanlab": {
            "estimate_joint": round(told["estimate_joint"], 4),
            "estimate_count": round(told["estimate_count"], 4),
            "ways": {
                way: hits(np.array(rows, np.int64), wrong) for way, rows in told["rows"].items()
            },
            "average_precision": {
                way: average_precision(score, wrong) for way, score in scores.items()
            },
            "as_many": hits(np.argsort(-scores["self_confidence"], kind="stable")[: len(ours.rows)],
                            wrong),
        },
        "average_precision": average_precision(doubts(chance, given), wrong),
    }  # fmt: skip


def hits(rows: NDArray[np.int64], wrong: NDArray[np.bool_]) -> dict[str, float | int | None]:
    """How many rows were named, how many of them were flipped, and of the flipped how many."""
    right = int(wrong[rows].sum())
    planted = int(wrong.sum())
    return {
        "suspicious": len(rows),
        "precision": round(right / len(rows), 4) if len(rows) and planted else None,
        "recall": round(right / planted, 4) if planted else None,
    }


def doubts(chance: NDArray[np.float64], given: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,) our order over all rows: the likeliest other class less the given one."""
    rows = np.arange(len(given))
    others = chance.copy()
    others[rows, given] = -1.0
    found: NDArray[np.float64] = others.max(axis=1) - chance[rows, given]
    return found


def average_precision(score: NDArray[np.float64], wrong: NDArray[np.bool_]) -> float | None:
    """The mean over the flipped rows of the precision down to each; 1 when they all come first."""
    if not wrong.any():
        return None
    found = wrong[np.argsort(-score, kind="stable")]
    precision = np.cumsum(found) / np.arange(1, len(found) + 1)
    return round(float(precision[found].mean()), 4)
