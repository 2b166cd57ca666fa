"""From scores that order the rows to probabilities that can be believed. NumPy alone: served.

Each is strictly increasing in the score of a class (of two), so that no ranking is lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from luodi.contracts import JsonValue
from luodi.tasks.classes import softmax
from luodi.tasks.tabular.codes import Floats

_TINY = 1e-12


class Calibrator(Protocol):
    """Probabilities from probabilities."""

    kind: ClassVar[str]

    def apply(self, scores: Floats) -> Floats:
        """(n, k) -> (n, k), rows that sum to one."""


@dataclass(frozen=True)
class Unchanged:
    """The model's own probabilities."""

    kind: ClassVar[str] = "none"

    def apply(self, scores: Floats) -> Floats:
        """(n, k), as they came."""
        return scores

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """Nothing to read."""
        return cls()


@dataclass(frozen=True)
class Scaled:
    """Log-probabilities times a scale, plus a shift, made to sum to one again.

    One scale for all and no shift is temperature scaling (Guo et al. 2017); of two labels one
    scale and a shift is Platt's logistic function (1999); a scale and a shift a label is vector
    scaling (Guo et al. 2017).
    """

    kind: ClassVar[str] = "scaled"
    scale: tuple[float, ...]
    shift: tuple[float, ...]

    def apply(self, scores: Floats) -> Floats:
        """(n, k) -> (n, k)."""
        logs = np.log(np.clip(scores, _TINY, 1.0))
        return softmax(logs * np.array(self.scale) + np.array(self.shift))

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """What `calibrator_to_json` wrote."""
        return cls(tuple(value["scale"]), tuple(value["shift"]))


@dataclass(frozen=True)
class Isotonic:
    """A rising line through the means of groups of rows (see `calibrating.isotonic`).

    Attributes:
        stated, true: for each curve its knots, both strictly increasing, from score 0 to score 1.
            One curve for the event of two labels; else one a label, made to sum to one again.
    """

    kind: ClassVar[str] = "isotonic"
    stated: tuple[tuple[float, ...], ...]
    true: tuple[tuple[float, ...], ...]

    def apply(self, scores: Floats) -> Floats:
        """(n, k) -> (n, k)."""
        if len(self.stated) == 1:
            event = np.interp(scores[:, 1], self.stated[0], self.true[0])
            return np.column_stack([1 - event, event])
        curves = zip(self.stated, self.true, strict=True)
        each = [np.interp(scores[:, c], stated, true) for c, (stated, true) in enumerate(curves)]
        found = np.column_stack(each)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """What `calibrator_to_json` wrote."""
        return cls(_curves(value["stated"]), _curves(value["true"]))


def _curves(value: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(curve) for curve in value)


_KINDS: Mapping[str, Any] = {kind.kind: kind for kind in (Unchanged, Scaled, Isotonic)}


def calibrator_to_json(calibrator: Calibrator) -> dict[str, JsonValue]:
    """The calibrator as JSON, with its kind."""
    return {"kind": calibrator.kind, **asdict(calibrator)}  # type: ignore[call-overload]


def calibrator_from_json(value: Mapping[str, JsonValue]) -> Calibrator:
    """The calibrator that `calibrator_to_json` wrote."""
    found: Calibrator = _KINDS[value["kind"]].from_json(value)
    return found
