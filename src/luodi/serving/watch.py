"""How each version has done lately, and the rules by which one is taken back by itself."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path

import orjson

from luodi.contracts import JsonValue, say

Key = tuple[str, str]
"""A model's name and its version."""
# Upper ends of the classes of latency, in seconds: each 15 % above the one before, 1 ms to 60 s.
_ENDS = tuple(0.001 * 1.15**step for step in range(80))


@dataclass(frozen=True)
class RollbackRules:
    """When a version that has just taken over, or a challenger, is taken back.

    Attributes:
        error_rate: the share of requests that it may fail on; None for any.
        p99, p95: seconds that 99 and 95 of 100 requests may take; None for any.
        window: seconds that are looked back upon.
        requests: as many must have been seen in the window before anything is judged.
        within: seconds after its promotion in which a champion is judged. Later on a slow hour is
            no fault of the version's, and going back would not help.
    """

    error_rate: float | None = None
    p99: float | None = None
    p95: float | None = None
    window: float = 60.0
    requests: int = 50
    within: float = 3600.0

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> RollbackRules | None:
        """The rules as a project file or a bundle has them; None when there are none."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if value.get(name)}
        return cls(**known) if known.keys() & {"error_rate", "p99", "p95"} else None


@dataclass
class _Second:
    """What one version did within one second."""

    at: int
    requests: int = 0
    failures: int = 0
    classes: dict[int, int] = field(default_factory=dict)


class Watch:
    """Counts of the last minutes, a version. Lives on one event loop.

    Args:
        longest: seconds that are kept.
        clock: seconds, from any beginning that all workers share.
        mine: where this worker of several tells the others what it saw; None for one alone.
    """

    def __init__(
        self,
        longest: float = 600,
        clock: Callable[[], float] = time.monotonic,
        mine: Path | None = None,
    ) -> None:
        self._longest, self._clock, self._mine = longest, clock, mine
        self._seen: dict[Key, deque[_Second]] = {}
        self._others: dict[Key, list[_Second]] = {}
        self._since: dict[Key, float] = {}

    def share(self) -> None:
        """Tell the other workers what was seen here, and learn what they saw: of a rule's requests
        each of them gets a part only.
        """
        if self._mine is None:
            return
        seen = [(*key, [astuple(second) for second in found]) for key, found in self._seen.items()]
        temporary = self._mine.with_suffix(".new")
        temporary.write_bytes(orjson.dumps(seen, option=orjson.OPT_NON_STR_KEYS))
        temporary.replace(self._mine)
        self._others = {}
        for path in self._mine.parent.glob(f"*{self._mine.suffix}"):
            if path == self._mine:
                continue
            for name, version, found in orjson.loads(path.read_bytes()):
                told = [
                    _Second(at, requests, failures, {int(k): v for k, v in classes.items()})
                    for at, requests, failures, classes in found
                ]
                self._others.setdefault((name, version), []).extend(told)

    def saw(self, key: Key, seconds: float, failed: bool) -> None:
        """A version answered a request, or failed on it."""
        now = int(self._clock())
        seen = self._seen.setdefault(key, deque())
        if not seen or seen[-1].at != now:
            seen.append(_Second(now))
            while seen[0].at < now - self._longest:
                seen.popleft()
        last = seen[-1]
        last.requests += 1
        last.failures += failed
        place = min(bisect_left(_ENDS, seconds), len(_ENDS) - 1)
        last.classes[place] = last.classes.get(place, 0) + 1

    def forget(self, key: Key) -> None:
        """Begin anew for a version; what others saw of it before counts no more either."""
        self._seen.pop(key, None)
        self._since[key] = self._clock()

    def broken(self, key: Key, rules: RollbackRules) -> str:
        """The rule that a version breaks, as a sentence; empty when it breaks none."""
        after = self._clock() - rules.window
        window = [second for second in self._seen.get(key, ()) if second.at >= after]
        begun = max(after, self._since.get(key, after))
        window += [second for second in self._others.get(key, ()) if second.at >= begun]
        requests = sum(second.requests for second in window)
        if requests < rules.requests:
            return ""
        failures = sum(second.failures for second in window)
        if rules.error_rate is not None and failures / requests > rules.error_rate:
            return say(
                f"{failures} of {requests} requests failed; at most {rules.error_rate:.2%} may.",
                f"{requests} 个请求中有 {failures} 个失败，上限为 {rules.error_rate:.2%}。",
            )
        for percent, most in ((99, rules.p99), (95, rules.p95)):
            taken = _quantile(window, requests, percent / 100)
            if most is not None and taken > most:
                return say(
                    f"{percent} of 100 requests take up to {taken:.3f} s; at most {most:g} s may.",
                    f"{percent}% 的请求用时达 {taken:.3f} 秒，上限为 {most:g} 秒。",
                )
        return ""


def _quantile(window: list[_Second], requests: int, share: float) -> float:
    """The lower end of the class in which the quantile lies: a rule is broken beyond doubt."""
    counts: dict[int, int] = {}
    for second in window:
        for place, count in second.classes.items():
            counts[place] = counts.get(place, 0) + count
    reached = 0
    for place in sorted(counts):
        reached += counts[place]
        if reached >= share * requests:
            return _ENDS[place - 1] if place else 0.0
    return 0.0
