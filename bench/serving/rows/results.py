"""What was found, and the goal that it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.serving.process import BUSY
from bench.serving.results import a_cpu_second

GOAL = 5.0
"""How many times the best peer's requests a second ours answers."""


def goals(measurements: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Our best form against each peer's best, and what is missing where nobody was measured."""
    mine = _best(measurements, "luodi")
    found = []
    for peer in ("mlflow", "bentoml"):
        theirs = _best(measurements, peer)
        entry: dict[str, Any] = {"goal": f"requests a second, over {peer}: {GOAL:g} or more"}
        if mine is None or theirs is None or not theirs["throughput"]:
            found.append({**entry, "found": None, "verdict": "not measured"})
            continue
        ratio = mine["throughput"] / theirs["throughput"]
        busy = max(mine["others_before"], theirs["others_before"]) > BUSY
        verdict = "met" if ratio >= GOAL else "missed"
        found.append({
            **entry, "found": round(ratio, 2),
            "verdict": "not shown: the machine was busy" if busy else verdict,
        })  # fmt: skip
        by_processor = a_cpu_second(mine) / a_cpu_second(theirs)
        found.append({
            "goal": f"answers a processor second, over {peer}", "found": round(by_processor, 2),
            "verdict": "-",
        })  # fmt: skip
    return found


def _best(measurements: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    forms = [each for each in measurements if each["contestant"].partition("-")[0] == name]
    return max(forms, key=lambda each: float(each["throughput"]), default=None)


_COLUMNS = (
    "", "requests/s at p99 < 200 ms", "p99 there, ms", "8 callers, requests/s",
    "answers a processor second", "half load: p50, ms", "p99, ms", "memory, MB",
    "first answer, s", "same label", "cores in use by others before",
)  # fmt: skip


def make_table(document: Mapping[str, Any]) -> str:
    """The results as Markdown."""
    machine = document["machine"]
    intro = (
        f"{document['date']}, {machine['processor']}, {machine['cores']} cores; "
        f"{document['rows']} rows of thirty numbers, {document['trees']} trees; windows of "
        f"{document['window_seconds']:g} s; commit {machine['commit']}."
    )
    lines = [
        "# Serving a boosting bundle, one row a request",
        "",
        intro,
        *(["", document["note"]] if document.get("note") else []),
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|" + " --- |" * len(_COLUMNS),
    ]
    for each in document["measurements"]:
        half, top = each["half"], each["ladder"][-1]
        lines.append(
            f"| {each['title']} | {each['throughput']:.0f} | {top['p99_ms']} "
            f"| {each['closed']['throughput']:.0f} | {a_cpu_second(each):.0f} "
            f"| {half['p50_ms']} | {half['p99_ms']} | {each['memory_bytes'] / 1e6:.0f} "
            f"| {each['first_answer_seconds']:.1f} | {each['closed']['agree']} "
            f"| {each['others_before']:.2f} |"
        )
    lines += ["", "| goal | found | verdict |", "| --- | --- | --- |"]
    lines += [
        f"| {each['goal']} | {'-' if each['found'] is None else each['found']} "
        f"| {each['verdict']} |"
        for each in document["goals"]
    ]
    return "\n".join([*lines, *_METHOD]) + "\n"


_METHOD = """
## How

One server after the other, each in an environment of its own, each as one process and as many as
there are cores; the better of the two is compared. All ask the same trees of LightGBM, one thread
a call. The peers are spared everything else: bare numbers in the columns' order, one number back.
Ours gets named fields, checks them, and answers with a label and calibrated probabilities. Requests
leave at random moments (open loop, Poisson) from one process on the same machine, which takes its
part of the processor from everyone, and more of it from whoever answers more. The rate is that of
the highest step of a ladder, down from what eight callers got through, at which 99 of 100 answers
come within 200 ms of the moment at which they were due, in two windows together.""".splitlines()
