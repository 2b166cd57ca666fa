"""What was done to the content of rows before learning, and is done to every request after it.

Light: the service imports this, and neither NumPy nor Polars. Steps that were learnt (`Clip`,
`Fill`, `Scale`) carry what the training part taught them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, TypeGuard

from luodi.contracts import (
    BundleError,
    HistorySettings,
    JsonValue,
    Reason,
    RemainingSettings,
    Request,
    say,
)

if TYPE_CHECKING:
    from luodi.data.masking import Mask


class Step(Protocol):
    """One thing that is done to a request."""

    name: ClassVar[str]

    def apply(self, request: Request) -> Request:
        """The request afterwards; the original stays as it is."""

    def to_json(self) -> dict[str, JsonValue]:
        """The step as JSON."""

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """The step that `to_json` wrote."""


class _Written:
    """Steps are written by the names of their parts."""

    name: ClassVar[str]

    def to_json(self) -> dict[str, JsonValue]:
        """The step as JSON."""
        parts = asdict(self)  # type: ignore[call-overload]  # every step is a dataclass
        plain = {k: list(v) if isinstance(v, tuple) else v for k, v in parts.items()}
        return {"step": self.name, **plain}

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """The step that `to_json` wrote."""
        parts = {name: item for name, item in value.items() if name != "step"}
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in parts.items()})


@dataclass(frozen=True)
class Normalise(_Written):
    """Texts in these fields are brought into one form (`tidy.tidy`); empty for every text."""

    name: ClassVar[str] = "normalise"
    ways: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    def apply(self, request: Request) -> Request:
        """The request, its texts in one form."""
        from luodi.data.tidy import tidy

        return {
            name: tidy(value, self.ways)
            if isinstance(value, str) and (not self.fields or name in self.fields)
            else value
            for name, value in request.items()
        }


@dataclass(frozen=True)
class Flag(_Written):
    """A field `flag` says whether `field` is missing."""

    name: ClassVar[str] = "flag"
    field: str
    flag: str

    def apply(self, request: Request) -> Request:
        """The request with one field more."""
        return {**request, self.flag: request.get(self.field) is None}


@dataclass(frozen=True)
class Clip(_Written):
    """Numbers of `field` are kept between two ends."""

    name: ClassVar[str] = "clip"
    field: str
    low: float
    high: float

    def apply(self, request: Request) -> Request:
        """The request, its number within the ends."""
        value = request.get(self.field)
        if value is None:
            return request
        return {**request, self.field: min(max(float(value), self.low), self.high)}


@dataclass(frozen=True)
class Fill(_Written):
    """Where `field` is missing, `value` stands."""

    name: ClassVar[str] = "fill"
    field: str
    value: JsonValue

    def apply(self, request: Request) -> Request:
        """The request without that gap."""
        if request.get(self.field) is not None:
            return request
        return {**request, self.field: self.value}


@dataclass(frozen=True)
class Scale(_Written):
    """Numbers of `field` become (value - centre) / width."""

    name: ClassVar[str] = "scale"
    field: str
    centre: float
    width: float

    def apply(self, request: Request) -> Request:
        """The request, its number scaled."""
        value = request.get(self.field)
        if value is None:
            return request
        return {**request, self.field: (float(value) - self.centre) / self.width}


_STEPS: dict[str, type[Step]] = {step.name: step for step in (Normalise, Flag, Clip, Fill, Scale)}
_HIDING = {"mask": "Mask", "pseudonymise": "Pseudonymise"}
"""Steps of `masking`, which knows every form of personal data: loaded where one is asked for."""


def _step(name: object) -> type[Step] | None:
    if (hiding := _HIDING.get(str(name))) is None:
        return _STEPS.get(str(name))
    from luodi.data import masking

    found: type[Step] = getattr(masking, hiding)
    return found


def _masks(step: Step) -> TypeGuard[Mask]:
    return step.name in _HIDING


@dataclass(frozen=True)
class Preparation:
    """Steps that rows went through and requests must go through, in order.

    `history` says how rows of one unit became one; a request may carry such rows.
    """

    steps: tuple[Step, ...] = ()
    history: HistorySettings | None = None

    def unfold(self, value: JsonValue, known: Collection[str], where: str) -> JsonValue:
        """A value as a caller sent it; a unit's rows in it become the fields of the model.

        Raises:
            RequestError: naming the row that does not fit.
        """
        if self.history is None:
            return value
        from luodi.data.histories import unfold

        return unfold(value, self.history, known, where)

    def apply(self, requests: Sequence[Request]) -> list[Request]:
        """The requests as the model was taught to read them; the originals stay as they are."""
        prepared = list(requests)
        for step in self.steps:
            if _masks(step):  # a model that finds names reads many texts at once
                prepared = step.apply_all(prepared)
            else:
                prepared = [step.apply(request) for request in prepared]
        return prepared

    @property
    def slow(self) -> bool:
        """Whether a step takes so long that an event loop should not wait for it."""
        return any(_masks(step) and step.slow for step in self.steps)

    def check(self) -> None:
        """Load what the steps need, so that what is missing is told before the first request.

        Raises:
            MissingPartError, BundleError: when a model or a key is not there, or is another one.
        """
        for step in self.steps:
            if _masks(step):
                step.check()

    def outward(self, reason: Reason) -> Reason:
        """What a model says of a prepared field, said of the field that the caller knows.

        Numbers are scaled back; a flag speaks of the field that it is of.
        """
        for step in reversed(self.steps):
            if isinstance(step, Scale) and step.field == reason.field:
                if isinstance(reason.value, float):
                    value = reason.value * step.width + step.centre
                    told = f"{reason.field} = {reason.value:.6g}"
                    text = reason.text.replace(told, f"{reason.field} = {value:.6g}", 1)
                    reason = replace(reason, value=value, text=text)
            elif isinstance(step, Flag) and step.flag == reason.field:
                reason = replace(reason, field=step.field)
        return reason

    def to_json(self) -> dict[str, JsonValue]:
        """As it stands in a bundle."""
        history = {"history": asdict(self.history)} if self.history else {}
        return {"steps": [step.to_json() for step in self.steps], **history}

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """The preparation that `to_json` wrote.

        Raises:
            BundleError: for a step that this version of Luodi does not know.
        """
        steps: list[Step] = []
        for item in value["steps"]:
            if (kind := _step(item.get("step"))) is None:
                raise BundleError(
                    say(
                        f"The preparation has a step {item.get('step')!r}.",
                        f"预处理含有步骤 {item.get('step')!r}。",
                    ),
                    say(
                        f"Known: {', '.join([*_HIDING, *_STEPS])}.",
                        f"已知步骤：{'、'.join([*_HIDING, *_STEPS])}。",
                    ),
                    say("Update luodi, then try again.", "请升级 luodi 后再试。"),
                )
            steps.append(kind.from_json(item))
        history = value.get("history")
        return cls(tuple(steps), _history(history) if history else None)


def _history(value: Mapping[str, JsonValue]) -> HistorySettings:
    left = value["remaining"]
    return HistorySettings(
        **{
            **value,
            "columns": tuple(value["columns"]),
            "sizes": tuple(value["sizes"]),
            "remaining": RemainingSettings(**left) if left else None,
        }
    )
