"""What a bundle becomes in a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, Self, runtime_checkable

from luodi.contracts.json import Answer, JsonValue, Request
from luodi.contracts.language import say
from luodi.contracts.schema import Schema


class Predictor(Protocol):
    """Answers requests. Loads no torch; is safe to call from several threads."""

    @classmethod
    def load(cls, folder: Path, threads: int) -> Self:
        """Read what a Fitted exported to `folder`; use at most `threads` threads a call."""

    def predict(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request, in order; the other requests of the call change no answer."""

    def cost(self, request: Request) -> int:
        """What answering takes, in units that add up (tokens, rows): a batch is filled by it."""


@runtime_checkable
class Preparing(Protocol):
    """What a Predictor is as well when it answers in two steps, the first of which tells the cost.

    A text becomes tokens first; what answering costs depends on how many. `predict` is both steps.
    """

    @property
    def call_cost(self) -> int:
        """What a call of `answer` costs beyond its rows, in units of cost. Its rows are padded to
        the longest: the call costs `call_cost` + rows * the greatest cost among them."""

    def prepare(self, requests: Sequence[Request]) -> Sequence[tuple[int, Any]]:
        """The cost of each request, and what `answer` takes for it."""

    def answer(self, prepared: Sequence[Any]) -> list[Answer]:
        """One answer each, in order."""


@runtime_checkable
class Limited(Protocol):
    """What a Predictor is as well when it reads only the beginning of a long request: the answer to
    such a one has `truncated: true`."""

    @property
    def reads(self) -> int:
        """How much of a request it reads, in units of cost."""


@dataclass(frozen=True)
class Reason:
    """One thing that carried an answer.

    Attributes:
        field: the request's field.
        value: what stood there; for a text, the part of it that carried the answer.
        contribution: how far it moved the answer, in `unit`s: up; towards the second of two
            labels of a table, and towards the answered label elsewhere. Negative when it spoke
            against.
        unit: what contributions add up to: `log-odds`, `log-ratio` (of several labels), `points`,
            `value`, `log-value`, `probability`.
        text: one sentence for a person.
        start, end: for a part of a text, where it stands, in characters.
    """

    field: str
    value: JsonValue
    contribution: float
    unit: str
    text: str
    start: int | None = None
    end: int | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """The reason as JSON; a place only where it has one."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@runtime_checkable
class Explainer(Protocol):
    """What a Predictor is as well when it can say why."""

    def explain(self, requests: Sequence[Request], most: int = 5) -> list[list[Reason]]:
        """The `most` weightiest reasons of the answer to each request, the weightiest first."""


class Answering(Protocol):
    """A bundle in a process, as evaluation sees it: values as a caller sends them, to answers."""

    def predict(self, values: Sequence[JsonValue]) -> list[Answer]:
        """One answer a value, in order."""

    def read(self, values: Sequence[JsonValue]) -> list[Request]:
        """Values as `answer` wants them, checked."""

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request that was read, in order."""

    @property
    def by_field(self) -> bool:
        """Whether requests that were read may change fields among them, and be answered."""

    @property
    def schema(self) -> Schema:
        """What a value and an answer look like."""

    @property
    def explains(self) -> bool:
        """Whether `explain` can be called."""

    def explain(self, values: Sequence[JsonValue], most: int = 5) -> list[list[Reason]]:
        """The reasons of each answer."""


_UNITS = {
    "log-odds": ("log-odds", "对数几率"),
    "log-ratio": ("log-ratio to the mean of all labels", "与各类别均值的对数比"),
    "points": ("points", "分"),
    "value": ("in the answer's own unit", "预测值单位"),
    "log-value": ("on the scale of logarithms", "对数刻度"),
    "probability": ("probability", "概率"),
}


def unit_name(unit: str) -> str:
    """A unit of contributions for a person."""
    return say(*_UNITS.get(unit, (unit, unit)))
