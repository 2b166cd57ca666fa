"""How far the answers of a smaller form lie from those of the model that it was made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from luodi.contracts import Answer, JsonValue


@dataclass(frozen=True)
class Fidelity:
    """Two models' answers to the same requests.

    Attributes:
        changed: the share of requests whose answer differs in anything but a number.
        mean: the mean over requests of the greatest difference of a number, relative to
            max(1, |number|).
        largest: the greatest of them.
    """

    changed: float
    mean: float
    largest: float

    def to_json(self) -> dict[str, float]:
        """As in result.json."""
        return asdict(self)


def compare(expected: Sequence[Answer], found: Sequence[Answer]) -> Fidelity:
    """How far `found` lies from `expected`; infinite numbers where the answers' shapes differ."""
    pairs = [_compare(a, b) for a, b in zip(expected, found, strict=True)]
    if not pairs:
        return Fidelity(0.0, 0.0, 0.0)
    distances = [distance for _, distance in pairs]
    return Fidelity(
        sum(changed for changed, _ in pairs) / len(pairs),
        sum(distances) / len(distances),
        max(distances),
    )


def _compare(expected: JsonValue, found: JsonValue) -> tuple[bool, float]:
    """Whether anything but a number differs, and the greatest difference of a number."""
    if isinstance(expected, dict) and isinstance(found, dict):
        if expected.keys() != found.keys():
            return True, math.inf
        return _all([_compare(value, found[key]) for key, value in expected.items()])
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return True, math.inf
        return _all([_compare(a, b) for a, b in zip(expected, found, strict=True)])
    if isinstance(expected, float) and isinstance(found, float):
        difference = abs(expected - found) / max(1.0, abs(expected))
        return False, difference if math.isfinite(difference) else math.inf
    return expected != found, 0.0


def _all(parts: Sequence[tuple[bool, float]]) -> tuple[bool, float]:
    changed = any(part for part, _ in parts)
    return changed, max((distance for _, distance in parts), default=0.0)
