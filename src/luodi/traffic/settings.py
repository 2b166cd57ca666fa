"""What is kept of a service's traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from luodi.contracts import JsonValue


@dataclass(frozen=True)
class TrafficSettings:
    """What is kept of one model's traffic, and for how long.

    Attributes:
        keep: whether anything is kept.
        sample: the share of requests that is kept, 0 to 1; chosen by the request's id, so that a
            request, its shadows and its feedback are kept or left out together.
        mask: e-mails, phones, identity and bank card numbers and addresses become placeholders.
        bytes: what the files of one model may take together, and its feedback as much again; the
            oldest go first.
        age: seconds after which a file goes, feedback too.
    """

    keep: bool = True
    sample: float = 1.0
    mask: bool = True
    bytes: int = 1 << 30
    age: float = 30 * 86_400.0

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> TrafficSettings:
        """The settings as a project file or a bundle has them; what is left out is as usual."""
        names = cls.__dataclass_fields__
        return cls(**{name: value[name] for name in names if value.get(name) is not None})
