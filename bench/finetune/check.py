"""A second opinion on a results file: every ratio again, from the curves, by another way.

Shares no code with arithmetic.py, so that a fault there does not hide itself here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from luodi.contracts import DataError, say

_TOLERANCE = 1e-6
_STAND_INS = {"default": ("default", "default-6", "default-12"), "tuned": ("tuned", "tuned-6")}


def check_document(document: Mapping[str, Any]) -> int:
    """How many ratios were confirmed.

    Raises:
        DataError: naming the first ratio that the measurements do not bear out.
    """
    measured = document["measurements"]
    runs = {(m["contestant"], m["seed"]): m for m in measured}
    if len(runs) != len(measured):
        raise DataError(say("A measurement stands twice.", "某次测量重复出现。"))
    for measurement in measured:
        _check_curve(measurement)
    for stated in document["compared"]:
        again = _ratios(runs, stated)
        if set(again) != set(stated["ratios"]):
            raise _differs(stated, "seeds", sorted(again), sorted(stated["ratios"]))
        for seed, pair in again.items():
            _same(stated, f"seed {seed}", pair, stated["ratios"][seed])
        if again:
            ordered = [sorted(pair[end] for pair in again.values()) for end in (0, 1)]
            _same(stated, "median", (_median(ordered[0]), _median(ordered[1])), stated["median"])
            _same(stated, "spread", (ordered[0][0], ordered[1][-1]), stated["spread"])
    for seed, stated in document["to_its_end"].items():
        _check_end(runs, int(seed), stated)
    confirmed = sum(len(stated["ratios"]) for stated in document["compared"])
    return confirmed + len(document["to_its_end"])


def _check_end(
    runs: Mapping[tuple[str, int], Mapping[str, Any]], seed: int, stated: Mapping[str, float]
) -> None:
    theirs = runs["default", seed]["curve"][-1]
    ours = [runs[name, seed]["curve"][-1] for name in ("luodi", "luodi-2") if (name, seed) in runs]
    times = [o["train_seconds"] for o in ours if o["accuracy"] >= theirs["accuracy"]]
    again = theirs["train_seconds"] / min(times, default=math.inf)
    if not math.isclose(again, stated["ratio"], rel_tol=_TOLERANCE):
        raise DataError(
            say(
                f"Seed {seed}, to the script's end: the file says {stated['ratio']}; its "
                f"measurements say {again}.",
                f"种子 {seed}，至脚本结束：文件中为 {stated['ratio']}；由测量值得出 {again}。",
            )
        )


def _check_curve(measurement: Mapping[str, Any]) -> None:
    """Clocks only go on, and with what was taken off they fill the process's own wall time."""
    name = f"{measurement['contestant']}, seed {measurement['seed']}"
    curve = measurement["curve"]
    for clock in ("train_seconds", "whole_seconds"):
        moments = [look[clock] for look in curve]
        if not moments or moments != sorted(moments) or moments[0] <= 0:
            raise DataError(say(f"{name}: {clock} does not go on.", f"{name}:{clock} 没有递增。"))
    last = curve[-1]
    wall = measurement["process"]["wall_seconds"]
    counted = last["whole_seconds"] + measurement["evaluation_seconds"]
    if last["train_seconds"] > last["whole_seconds"] or counted > wall + 0.01:
        raise DataError(
            say(
                f"{name}: {counted:.2f} s were counted of a process of {wall:.2f} s.",
                f"{name}:进程共 {wall:.2f} 秒,却计入 {counted:.2f} 秒。",
            )
        )


def _ratios(
    runs: Mapping[tuple[str, int], Mapping[str, Any]], stated: Mapping[str, Any]
) -> dict[str, tuple[float, float]]:
    target, clock = stated["target"], stated["clock"]
    again = {}
    for (name, seed), run in runs.items():
        if name != "luodi":
            continue
        mine = run["curve"][-1]
        reached = mine["accuracy"] >= target
        tried = [runs[n, seed] for n in _STAND_INS[stated["contestant"]] if (n, seed) in runs]
        if not tried:
            continue
        moments = [_moment(other["curve"], target, clock) for other in tried]
        found = [moment for moment in moments if moment is not None]
        theirs = found[0] if found else tried[-1]["curve"][-1][clock]
        again[str(seed)] = (
            theirs / mine[clock] if reached else 0.0,
            theirs / mine[clock] if found else math.inf,
        )
    return again


def _moment(curve: list[Mapping[str, float]], target: float, clock: str) -> float | None:
    """Where the broken line through the looks first meets the target."""
    for place, look in enumerate(curve):
        if look["accuracy"] < target:
            continue
        if place == 0:
            return look[clock]
        a, b = curve[place - 1], look
        rise = b["accuracy"] - a["accuracy"]
        return b[clock] - (b["accuracy"] - target) / rise * (b[clock] - a[clock])
    return None


def _median(ordered: list[float]) -> float:
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _same(
    stated: Mapping[str, Any],
    what: str,
    again: tuple[float, float],
    found: Mapping[str, float | None],
) -> None:
    there = (found["low"], math.inf if found["high"] is None else found["high"])
    for a, b in zip(again, there, strict=True):
        if b is None or not math.isclose(a, b, rel_tol=_TOLERANCE):
            raise _differs(stated, what, again, there)


def _differs(stated: Mapping[str, Any], what: str, again: object, found: object) -> DataError:
    name = f"{stated['contestant']} @ {stated['target']:g}, {stated['clock']}, {what}"
    return DataError(
        say(
            f"{name}: the file says {found}; its measurements say {again}.",
            f"{name}:文件中为 {found};由测量值得出 {again}。",
        ),
        "",
        say("Nothing of this file can be trusted.", "此文件不可信。"),
    )
