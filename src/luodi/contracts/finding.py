"""What was noticed about data or a model, with its proof and its remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from luodi.contracts.json import JsonValue
from luodi.contracts.language import worded

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed.

    Made while `recording`, it holds its words in both languages; read again later, from JSON, it
    has the reader's.

    Attributes:
        code: the stable name for programs, such as `near-duplicates`.
        severity: `error` stops a run unless the project file allows it.
        count: how many rows (or columns) it concerns.
        message: one sentence in the reader's language.
        examples: a few of the rows, each a small mapping, long texts shortened.
        columns: the columns concerned.
        remedy: what the reader may do.
        handled: what was done about it, empty while nothing was.
    """

    code: str
    severity: Severity
    count: int
    message: str
    examples: Sequence[Mapping[str, JsonValue]] = ()
    columns: Sequence[str] = ()
    remedy: str = ""
    handled: str = ""
    details: Mapping[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("message", "remedy", "handled", "examples", "details"):
            object.__setattr__(self, name, worded(getattr(self, name)))

    def to_json(self) -> dict[str, JsonValue]:
        """The finding as JSON."""
        return asdict(self)
