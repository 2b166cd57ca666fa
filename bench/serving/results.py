"""The results document and its page: what was found, and the goals that it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench.serving.contestants import OURS, PEER_NAMES, SHIPPED, STUDENT
from bench.serving.process import BUSY

GOALS = {
    "float32 throughput, over the best peer": 3.0,
    "throughput as shipped, over the best peer": 6.0,
    "throughput of the student, over the best peer": 6.0,
    "float32 throughput, over the bare loop": 0.9,
}
MINE = (OURS, SHIPPED, STUDENT)
GOODPUT = {5: 0.95, 10: 0.9}
"""Times its capacity -> the least share of its peak that a server may answer in time then."""


def make_document(
    measurements: Sequence[Mapping[str, Any]],
    limits: Mapping[str, float],
    forms: Sequence[Mapping[str, Any]],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything that the results file holds."""
    return {
        "benchmark": "serving",
        **facts,
        "limits": dict(limits),
        "forms": list(forms),
        "measurements": list(measurements),
        "goals": goals(measurements, limits),
    }


def a_cpu_second(measurement: Mapping[str, Any]) -> float:
    """Answers a second of the server's processor time, at the top of its ladder (nineteen
    twentieths of what eight callers got through): what other work on the machine moves least."""
    top = measurement["ladder"][0]
    return float(top["answered"]) / max(float(top["cpu_seconds"]), 1e-9)


def goals(
    measurements: Sequence[Mapping[str, Any]], limits: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Each goal, what was found, and whether that meets it."""
    by_name = {each["contestant"]: each for each in measurements}
    peers = [by_name[name] for name in PEER_NAMES if name in by_name]
    best = max((each["throughput"] for each in peers), default=0.0)
    found: list[dict[str, Any]] = []

    def add(goal: str, value: float | None, met: bool | None) -> None:
        verdict = "not measured" if met is None else "met" if met else "missed"
        shown = None if value is None else round(value, 3)
        found.append({"goal": goal, "found": shown, "verdict": verdict})

    def over(name: str, base: float, goal: str) -> None:
        text = f"{goal}: {GOALS[goal]:g} or more"
        if name not in by_name or not base:
            add(text, None, None)
            return
        ratio = by_name[name]["throughput"] / base
        add(text, ratio, ratio >= GOALS[goal])

    over(OURS, best, "float32 throughput, over the best peer")
    over(SHIPPED, best, "throughput as shipped, over the best peer")
    over(STUDENT, best, "throughput of the student, over the best peer")
    over(OURS, limits.get("float32 sorted", 0.0), "float32 throughput, over the bare loop")
    for name in MINE:
        if name in by_name:
            first = by_name[name]["first_answer_seconds"]
            add(f"{name}: seconds to the first answer: 2 or less", first, first <= 2)
            if peers:
                least = min(each["memory_bytes"] for each in peers)
                share = by_name[name]["memory_bytes"] / least
                add(f"{name}: memory, over the leanest peer's: a third or less", share,
                    share <= 1 / 3)  # fmt: skip
                p99 = min(each["half"]["p99_ms"] or float("inf") for each in peers)
                mine = by_name[name]["half"]["p99_ms"]
                add(f"{name}: p99 at half load, over the best peer's: below 1",
                    mine / p99 if mine else None, None if mine is None else mine < p99)  # fmt: skip
    found += _overload_goals(by_name)
    if max((each["others_before"] for each in measurements), default=0.0) > BUSY:
        # Rates and latencies are then the neighbours' too, and those of one hour not of another.
        for each in found:
            if "memory" not in each["goal"] and "first answer" not in each["goal"]:
                each["verdict"] = "not shown: the machine was busy"
    return found + _as_documented(by_name) + _by_processor(by_name, peers, limits)


def _as_documented(by_name: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same ratios over the peers that are run as their documents say, batches where they have
    them; without those that are asked one at a time because that is faster here."""
    said = [by_name[name] for name in PEER_NAMES if name in by_name and not name.endswith("-1")]
    found = []
    for name in MINE:
        if name in by_name and said:
            least = min(each["memory_bytes"] for each in said)
            best = max(each["throughput"] for each in said)
            for what, ratio in (
                ("throughput, over the best", by_name[name]["throughput"] / best if best else 0.0),
                ("memory, over the leanest", by_name[name]["memory_bytes"] / least),
            ):
                goal = f"{name}: {what} of the peers as documented"
                found.append({"goal": goal, "found": round(ratio, 3), "verdict": "-"})
    return found


def _by_processor(
    by_name: Mapping[str, Mapping[str, Any]],
    peers: Sequence[Mapping[str, Any]],
    limits: Mapping[str, float],
) -> list[dict[str, Any]]:
    """The same ratios by processor time; no goal of theirs, and steady on a busy machine."""
    bases = {"the best peer": max(map(a_cpu_second, peers), default=0.0)}
    found = []
    limited = ("float32 sorted", "as shipped sorted", "student sorted")
    for name, limit in zip(MINE, limited, strict=True):
        bases["the bare loop"] = limits.get(f"{limit}, a processor second", 0.0)
        for over, base in bases.items():
            if name in by_name and base:
                ratio = round(a_cpu_second(by_name[name]) / base, 3)
                goal = f"{name}: answers a processor second, over {over}"
                found.append({"goal": goal, "found": ratio, "verdict": "-"})
    return found


def _overload_goals(by_name: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for name in MINE:
        steps = {step["times"]: step for step in by_name.get(name, {}).get("overload", ())}
        if not steps:
            continue
        peak = max(steps[1]["goodput"], 1e-9)
        unloaded = by_name[name]["half"]["p99_ms"] or float("inf")
        for times, step in steps.items():
            if times == 1:
                continue
            if times in GOODPUT:
                share, least = step["goodput"] / peak, GOODPUT[times]
                goal = f"{name}: goodput at {times}x, of its peak: {least:g} or more"
                found.append(_held(goal, share, share >= least))
            times_p99 = step["steady_p99_ms"] / unloaded
            goal = f"{name}: p99 of accepted at {times}x, over that at half load: 4 or less"
            found.append(_held(goal, times_p99, times_p99 <= 4))
            seconds = step["recovered_seconds"]
            goal = f"{name}: seconds to recover from {times}x: 5 or less"
            found.append(_held(goal, seconds, seconds <= 5))
    return found


def _held(goal: str, value: float, met: bool) -> dict[str, Any]:
    return {"goal": goal, "found": round(value, 3), "verdict": "met" if met else "missed"}


def make_table(document: Mapping[str, Any]) -> str:
    """The results as Markdown."""
    machine = document["machine"]
    intro = (
        f"{document['date']}, {machine['processor']}, {machine['cores']} cores; "
        f"{document['texts']} texts, half banking77 questions, half film reviews of over 800 "
        f"characters (cut at 256 tokens); windows of {document['window_seconds']:g} s; commit "
        f"{machine['commit']}."
    )
    lines = [
        "# Serving: one classifier, short and long texts mixed",
        "",
        intro,
        *(["", document["note"]] if document.get("note") else []),
        "",
        *_head(
            [
                "",
                "answers/s at p99 < 200 ms",
                "8 callers, answers/s",
                "answers a processor second",
                "half load: p50, ms",
                "p99, ms",
                "memory, MB",
                "first answer, s",
                "same label as float32",
                "cores in use by others before",
            ]
        ),
    ]
    for each in document["measurements"]:
        half = each["half"]
        lines.append(
            f"| {each['title']} | {each['throughput']:.1f} | {each['closed']['throughput']:.1f} "
            f"| {a_cpu_second(each):.1f} "
            f"| {_shown(half['p50_ms'])} | {_shown(half['p99_ms'])} "
            f"| {each['memory_bytes'] / 1e6:.0f} | {each['first_answer_seconds']:.1f} "
            f"| {_shown(each['closed']['agree'])} | {each['others_before']:.2f} |"
        )
    lines += ["", "The bare loop over the runtime, batches of 32, texts a second:", ""]
    lines += [f"- {name}: {value:.1f}" for name, value in document["limits"].items()]
    lines += ["", "## Goals", "", "| goal | found | verdict |", "| --- | --- | --- |"]
    lines += [
        f"| {goal['goal']} | {_shown(goal['found'])} | {goal['verdict']} |"
        for goal in document["goals"]
    ]
    lines += _student(document.get("student"))
    lines += _forms(document["forms"]) + _overloads(document["measurements"]) + _METHOD
    return "\n".join(lines) + "\n"


def _head(names: Sequence[str]) -> list[str]:
    return ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]


def _student(found: Mapping[str, Any] | None) -> list[str]:
    """Teacher and student on the validation part, and what the test part says of the student."""
    if not found or "student" not in found:
        return []
    lines = ["", "## The student", "", _STUDENT, ""]
    lines += _head(["", "rows/s", "memory, MB", "files, MB", "score"])
    for name in ("teacher", "student"):
        side = found[name]
        lines.append(
            f"| {name} | {side['rows_a_second']:.0f} | {side['memory'] / 1e6:.0f} "
            f"| {side['bytes'] / 1e6:.1f} | {side['score']:.4f} |"
        )
    test = found["accuracy"]
    place = f"{test['value']:.4f} [{test['low']:.4f}, {test['high']:.4f}]"
    served = "It is served" if found["served"] else f"It is not served: {found['refused']}"
    return [*lines, "", f"{served}; as {found['form']}, on the test part: accuracy {place}."]


_STUDENT = (
    "Two of the encoder's six layers, taught by the float32 model (`model.distil: 2`), both in "
    "float32 on the validation part, one thread; then in the fastest form of its own."
)
_FORMS = (
    "Measured when the bundle was packaged, on its validation part, one thread; memory is that of "
    "a process with the model alone. The gate's lines are held against the validation part to "
    "compare the forms: its verdict on the bundle is that of the test part."
)


def _forms(forms: Sequence[Mapping[str, Any]]) -> list[str]:
    if not forms:
        return []
    lines = [
        "",
        "## Forms",
        "",
        _FORMS,
        "",
        *_head(
            [
                "form",
                "rows/s",
                "memory, MB",
                "files, MB",
                "score",
                "answers changed",
                "moved by the rest of a call",
                "gate, validation part",
                "may be chosen",
            ]
        ),
    ]
    for each in forms:
        form = each["form"]
        name = " ".join(filter(None, (form["name"], form["method"], form["runtime"])))
        lines.append(
            f"| {name} | {each['rows_a_second']:.0f} | {each['memory'] / 1e6:.0f} "
            f"| {each['bytes'] / 1e6:.1f} | {each['score']:.4f} | {each['changed']:.2%} "
            f"| {each['alone']:.4f} | {_gate(each['gate'])} "
            f"| {'no: ' + each['refused'] if each['refused'] else 'yes'} |"
        )
    return lines


def _gate(verdict: Mapping[str, Any]) -> str:
    missed = [line["reason"] for line in verdict["lines"] if not line["passed"]]
    return "; ".join(missed) or "holds"


_OVERLOAD = (
    "Every request has a deadline of one second from the moment it was due. The goals hold the p99 "
    "of what was asked after the first second against that at half load."
)


def _overloads(measurements: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [(each["title"], step) for each in measurements for step in each.get("overload", ())]
    if not rows:
        return []
    lines = [
        "",
        "## Overload",
        "",
        _OVERLOAD,
        "",
        *_head(
            [
                "",
                "times",
                "asked/s",
                "good answers/s",
                "accepted: p99, ms",
                "after the first second",
                "refused",
                "lost",
                "recovered, s",
            ]
        ),
    ]
    for title, step in rows:
        lines.append(
            f"| {title} | {step['times']} | {step['rate']} | {step['goodput']} | {step['p99_ms']} "
            f"| {step['steady_p99_ms']} | {step['refused']} | {step['lost']} "
            f"| {step.get('recovered_seconds', '-')} |"
        )
    return lines


_METHOD = """
## How

One server after the other, each in an environment of its own, each with all cores, the same
exported float32 ONNX file, tokenizer and version of ONNX Runtime; `as shipped` is the form that
Luodi chose when it packaged the same model. Load comes from one process on the same machine: it
takes its part of the processor from everyone alike. Requests leave at random moments (Poisson);
latency counts from when a request was due. A server's throughput is that of the highest rate of a
ladder at which p99 of two windows together stays under 200 ms; the ladder goes down from what eight
callers got through.
Peers batch as their documents say (up to 32, 10 ms at most), and are measured one at a time
as well: on texts of mixed length, padding costs more than batches gain. Memory is that of
all processes of a server, shared pages counted once. Answers a processor second are those of the
ladder's top, over the server's own processor time there: on a machine that does other work (see the
last column) they say more than rates and latencies, which then measure the neighbours too. The bare
loop's batches of 32 long texts leave the processor's cache, which a busy machine makes dearer:
smaller groups of like length, as the service makes them, can then be above it.""".splitlines()


def _shown(value: Any) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
