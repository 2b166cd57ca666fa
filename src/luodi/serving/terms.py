"""On what terms a request is answered: whose it is, until when, and how urgent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from luodi.contracts import RequestError, say
from luodi.serving.access import ANYBODY, Caller

DEADLINE, PRIORITY = "x-deadline-ms", "x-priority"
"""Headers: milliseconds from now after which an answer is of no use; a class from 0 to 9."""
_LONGEST_MS = 3_600_000
_MOST_URGENT = 9


@dataclass(frozen=True)
class Terms:
    """What the batcher is told of a request.

    Attributes:
        deadline: by the event loop's clock; None for none.
        priority: higher goes first.
    """

    caller: Caller = ANYBODY
    deadline: float | None = None
    priority: int = 0


def read_terms(headers: Mapping[str, str], caller: Caller, now: float) -> Terms:
    """The terms that a request's headers ask for, as far as its caller may.

    Raises:
        RequestError: naming the header that holds no such number.
    """
    deadline = _number(headers, DEADLINE, 0, _LONGEST_MS)
    priority = _number(headers, PRIORITY, 0, _MOST_URGENT)
    return Terms(
        caller,
        None if deadline is None else now + deadline / 1000,
        caller.priority(int(priority or 0)),
    )


def _number(headers: Mapping[str, str], name: str, low: float, high: float) -> float | None:
    given = headers.get(name)
    if given is None:
        return None
    try:
        number = float(given)
    except ValueError:
        number = math.nan
    if not low <= number <= high or (name == PRIORITY and number != int(number)):
        raise RequestError(
            name,
            say(f"found {given[:40]!r}.", f"收到 {given[:40]!r}。"),
            say(f"Expected a number from {low:g} to {high:g}.",
                f"应为 {low:g} 到 {high:g} 的数。"),
        )  # fmt: skip
    return number
