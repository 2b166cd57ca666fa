"""The results document: every measurement, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.finetune.arithmetic import CLOCKS, Bounds, Clock, at_least, compare, middle
from bench.finetune.contestants import DEFAULT, OURS, SHORT, STRETCHED, TUNED, TUNED_STRETCHED

AGAINST: Mapping[str, tuple[str, ...]] = {
    "default": (DEFAULT.name, *(script.name for script in STRETCHED)),
    "tuned": (TUNED.name, TUNED_STRETCHED.name),
}
"""What the goals are held against: the default script may be stretched where it falls short."""
GOALS: Mapping[str, float] = {"default": 5.0, "tuned": 1.0}
"""Times as long as `luodi run` trains, at the headline target."""
ALONE_ACCURACY, ALONE_SECONDS, ALONE_CORES = 0.925, 600.0, 2
"""Asked of `luodi run` by itself, on all of banking77."""


def make_document(
    measurements: Sequence[Mapping[str, Any]],
    rows: Mapping[str, Any],
    targets: Sequence[float],
    headline: float,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything that the results file holds."""
    asked = sorted({*targets, headline})
    compared = [
        compare(measurements, names, target, clock).to_json()
        for names in AGAINST.values()
        for target in asked
        for clock in CLOCKS
    ]
    return {
        "benchmark": "finetune",
        **facts,
        "rows": dict(rows),
        "headline": headline,
        "targets": asked,
        "compared": compared,
        "to_its_end": {str(seed): one for seed, one in to_its_end(measurements).items()},
        "goals": goals(measurements, rows, headline),
        "measurements": list(measurements),
    }


def goals(
    measurements: Sequence[Mapping[str, Any]], rows: Mapping[str, Any], headline: float
) -> list[dict[str, Any]]:
    """Each goal, what was found, and whether that meets it."""
    found: list[dict[str, Any]] = []
    clock: Clock = "train_seconds"
    for name, goal in GOALS.items():
        ratios = list(compare(measurements, AGAINST[name], headline, clock).ratios.values())
        value = middle(ratios) if ratios else None
        found.append(
            {
                "goal": f"time of the {name} script to {headline:g}, over ours: {goal:g} or more",
                "found": value.to_json() if value else None,
                "verdict": _verdict(value, goal, rows),
            }
        )
    found.append(_where_it_ends(measurements, rows))
    found.append(_alone(measurements, rows))
    return found


def to_its_end(measurements: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, float]]:
    """Seed -> where the default script ends, and the quickest `luodi run` that is as good there.

    The script's time is that of its whole training, after which it is at its best; of ours the
    whole stage counts. Seeds without both are left out.
    """
    found = {}
    for theirs in (m for m in measurements if m["contestant"] == DEFAULT.name):
        end = theirs["curve"][-1]
        ours = [
            m["curve"][-1]
            for m in measurements
            if m["contestant"] in (OURS, SHORT) and m["seed"] == theirs["seed"]
        ]
        good = [look for look in ours if look["accuracy"] >= end["accuracy"]]
        if good:
            quickest = min(good, key=lambda look: float(look["train_seconds"]))
            found[int(theirs["seed"])] = {
                "accuracy": end["accuracy"],
                "seconds": end["train_seconds"],
                "our_accuracy": quickest["accuracy"],
                "our_seconds": quickest["train_seconds"],
                "ratio": end["train_seconds"] / quickest["train_seconds"],
            }
    return dict(sorted(found.items()))


def _where_it_ends(
    measurements: Sequence[Mapping[str, Any]], rows: Mapping[str, Any]
) -> dict[str, Any]:
    ratios = [Bounds(one["ratio"], one["ratio"]) for one in to_its_end(measurements).values()]
    value, goal = middle(ratios) if ratios else None, GOALS["default"]
    return {
        "goal": "time of the default script to the accuracy that it ends with, over ours to as "
        f"much: {goal:g} or more",
        "found": value.to_json() if value else None,
        "verdict": _verdict(value, goal, rows),
    }


def _verdict(value: Bounds | None, goal: float, rows: Mapping[str, Any]) -> str:
    """A short form judges nothing: its runs are mostly loading and exporting."""
    return at_least(value, goal) if value and rows["whole"] else "not measured"


def _alone(measurements: Sequence[Mapping[str, Any]], rows: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracy and whole wall time of `luodi run`, seed by seed; every seed must keep both."""
    runs = [m for m in measurements if m["contestant"] == OURS]
    fits = rows["name"] == "banking77" and rows["whole"]
    fits = fits and all(m["threads"] <= ALONE_CORES for m in runs)
    lasts = [(m["seed"], m["curve"][-1]) for m in runs]
    points = [(seed, look["accuracy"], look["whole_seconds"]) for seed, look in lasts]
    kept = all(a >= ALONE_ACCURACY and s < ALONE_SECONDS for _, a, s in points)
    return {
        "goal": f"luodi run on banking77: {ALONE_ACCURACY:g} or more within "
        f"{ALONE_SECONDS:g} s, the whole command, on {ALONE_CORES} cores",
        "found": [{"seed": n, "accuracy": a, "whole_seconds": s} for n, a, s in points],
        "verdict": "not measured" if not runs or not fits else "met" if kept else "missed",
    }


def read_bounds(value: Mapping[str, float | None]) -> Bounds:
    """The bounds that `Bounds.to_json` wrote."""
    high = value["high"]
    return Bounds(float(value["low"] or 0.0), float("inf") if high is None else float(high))
