"""What is asked of each contestant.

1. seconds from start to the first answer;
2. `throughput`: the highest rate of a ladder, open loop, at which p99 stays under 200 ms;
3. p50 and p99 at half of that, and memory after it;
4. where it is asked for: 2, 5 and 10 times that rate with a deadline, and how soon it recovers.

Every answer's label is held against the float32 model's own.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.serving.contestants import Contestant, Setting
from bench.serving.load import Client, Run
from bench.serving.process import cores_in_use, cpu_seconds, memory, serving

P99 = 0.2
"""Seconds under which the 99th percentile must stay."""
LADDER = (0.95, 0.85, 0.75, 0.65, 0.55, 0.45, 0.35, 0.25, 0.15)
"""Rates that are tried, as shares of what eight callers got through, from the top."""
CALLERS = 8
DEADLINE = 1.0
OVERLOADS = (2, 5, 10)
SEEDS = (3, 4)
"""Of the windows that make a step of the ladder, and the one at half load."""
ONSET = 1.0
"""Seconds from which on an overload's p99 counts as steady; that of the whole is told beside it. A
crowd that comes all at once is answered; that it does not end shows only after a while."""


@dataclass(frozen=True)
class Windows:
    """Seconds that each step is measured for, and what is asked."""

    seconds: float
    texts: Sequence[str]
    labels: Sequence[str]
    overload: bool = False


def measure(contestant: Contestant, setting: Setting, windows: Windows) -> dict[str, Any]:
    """All of it, on a server of its own."""
    others = cores_in_use()
    started = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    with serving(contestant, setting, windows.texts[0]) as (port, first, pid):
        found = _runloop(_measured(contestant, port, pid, windows))
    return {
        "contestant": contestant.name,
        "title": contestant.title,
        "batch": contestant.batch,
        "started": started,
        "others_before": others,
        "first_answer_seconds": round(first, 3),
        **found,
    }


def _runloop(work: Any) -> Any:
    import uvloop

    return uvloop.run(work)


async def _measured(
    contestant: Contestant, port: int, pid: int, windows: Windows
) -> dict[str, Any]:
    client = Client(contestant.target(port), windows.texts)
    await client.closed_loop(CALLERS, windows.seconds / 2)  # warm
    closed = await client.closed_loop(CALLERS, windows.seconds)
    capacity = closed.throughput()
    _tell(f"    {CALLERS} callers: {capacity:.1f}/s, p99 {closed.percentile(0.99) * 1000:.0f} ms")
    ladder, kept = [], 0.0
    for share in LADDER:
        used = cpu_seconds(pid)
        run = await client.open_loops(max(capacity * share, 0.5), windows.seconds, SEEDS)
        step = summary(run, windows.labels) | {"cpu_seconds": round(cpu_seconds(pid) - used, 2)}
        ladder.append(step)
        _tell(f"    {run.rate:.1f}/s: p50 {step['p50_ms']} ms, p99 {step['p99_ms']} ms")
        if run.percentile(0.99) <= P99:
            kept = run.throughput()
            break
    pace = max(kept or capacity / 4, 1.0) / 2
    half = await client.open_loops(pace, windows.seconds, SEEDS)
    found = {
        "closed": summary(closed, windows.labels),
        "ladder": ladder,
        "throughput": round(kept, 2),
        "half": summary(half, windows.labels),
        "memory_bytes": memory(pid),
    }
    if windows.overload:
        found["overload"] = await _overload(contestant, port, windows, kept or capacity)
    client.close()
    return found


async def _overload(
    contestant: Contestant, port: int, windows: Windows, capacity: float
) -> list[dict[str, Any]]:
    """Goodput within the deadline at several times capacity, and the seconds of recovery."""
    header = f"X-Deadline-Ms: {int(DEADLINE * 1000)}\r\n"
    target = dataclasses.replace(contestant.target(port), headers=header)
    client = Client(target, windows.texts)
    peak = await client.open_loop(capacity, windows.seconds, seed=5)
    found = [_overloaded(peak, 1)]
    for times in OVERLOADS:
        run = await client.open_loop(capacity * times, windows.seconds, seed=6)
        step = _overloaded(run, times)
        began = time.perf_counter()
        while time.perf_counter() - began < 30:
            again = await client.open_loop(max(capacity / 2, 2.0), 1.0, seed=7)
            if again.percentile(0.9) <= P99:
                break
        step["recovered_seconds"] = round(time.perf_counter() - began, 2)
        _tell(f"    {times}x: goodput {step['goodput']}/s, accepted p99 {step['steady_p99_ms']} ms")
        found.append(step)
    client.close()
    return found


def _overloaded(run: Run, times: int) -> dict[str, Any]:
    accepted = [answer for answer in run.answers if answer.status == 200]
    return {
        "times": times,
        "rate": round(run.rate, 1),
        "goodput": round(run.goodput(DEADLINE), 2),
        "accepted": len(accepted),
        "refused": sum(answer.status in (429, 503) for answer in run.answers),
        "lost": sum(answer.status == 0 for answer in run.answers),
        "other": sum(answer.status not in (0, 200, 429, 503) for answer in run.answers),
        "p99_ms": _p99([answer.seconds for answer in accepted]),
        "steady_p99_ms": _p99([answer.seconds for answer in accepted if answer.due >= ONSET]),
    }


def _p99(seconds: list[float]) -> float:
    """In milliseconds, by nearest rank; endless where there is nothing."""
    place = max(0, -(-99 * len(seconds) // 100) - 1)
    return round(sorted(seconds)[place] * 1000, 1) if seconds else float("inf")


def summary(run: Run, labels: Sequence[str]) -> dict[str, Any]:
    """A window in figures; `agree` is the share of answers with the float32 model's own label."""
    good = [answer for answer in run.answers if answer.status == 200]
    agree = sum(answer.label == labels[answer.text] for answer in good)
    return {
        "rate": round(run.rate, 2),
        "seconds": run.seconds,
        "requests": len(run.answers),
        "answered": len(good),
        "throughput": round(run.throughput(), 2),
        "p50_ms": _ms(run.percentile(0.5)),
        "p99_ms": _ms(run.percentile(0.99)),
        "agree": round(agree / len(good), 4) if good else None,
    }


def _ms(seconds: float) -> float | None:
    return round(seconds * 1000, 1) if seconds < float("inf") else None


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
