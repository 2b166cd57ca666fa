"""What was done to the content of rows before learning, and is done to every request after it.

Light: the service imports this, and neither NumPy nor Polars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from luodi.contracts import BundleError, JsonValue, Request, say
from luodi.data.privacy import mask


@dataclass(frozen=True)
class Mask:
    """Personal data in these fields is replaced by placeholders such as <EMAIL>.

    `fields` are names of request fields; empty for every field that holds text.
    """

    name: ClassVar[str] = "mask"
    fields: tuple[str, ...] = ()

    def apply(self, request: Request) -> Request:
        """The request, masked."""
        return {
            name: mask(value)
            if isinstance(value, str) and (not self.fields or name in self.fields)
            else value
            for name, value in request.items()
        }

    def to_json(self) -> dict[str, JsonValue]:
        """The step as JSON."""
        return {"step": self.name, "fields": list(self.fields)}

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """The step that `to_json` wrote."""
        return cls(tuple(value["fields"]))


_STEPS = {Mask.name: Mask}


@dataclass(frozen=True)
class Preparation:
    """Steps that rows went through and requests must go through, in order."""

    steps: tuple[Mask, ...] = ()

    def apply(self, requests: Sequence[Request]) -> list[Request]:
        """The requests as the model was taught to read them; the originals stay as they are."""
        prepared = list(requests)
        for step in self.steps:
            prepared = [step.apply(request) for request in prepared]
        return prepared

    def to_json(self) -> dict[str, JsonValue]:
        """As it stands in a bundle."""
        return {"steps": [step.to_json() for step in self.steps]}

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """The preparation that `to_json` wrote.

        Raises:
            BundleError: for a step that this version of Luodi does not know.
        """
        steps = []
        for item in value["steps"]:
            if (kind := _STEPS.get(item.get("step"))) is None:
                raise BundleError(
                    say(
                        f"The preparation has a step {item.get('step')!r}.",
                        f"预处理含有步骤 {item.get('step')!r}。",
                    ),
                    say(f"Known: {', '.join(_STEPS)}.", f"已知步骤：{'、'.join(_STEPS)}。"),
                    say("Update luodi, then try again.", "请升级 luodi 后再试。"),
                )
            steps.append(kind.from_json(item))
        return cls(tuple(steps))
