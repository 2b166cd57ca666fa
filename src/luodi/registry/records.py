"""What the registry tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from luodi.contracts import JsonValue


@dataclass(frozen=True)
class Registered:
    """One immutable version of a model.

    Attributes:
        folder: where its bundle lies.
        created: when it was registered, ISO 8601 in UTC; empty for a bundle that is not.
        verdict: `passed`, `refused`; empty for a bundle that was not registered.
    """

    model: str
    version: str
    digest: str
    folder: Path
    run: str = ""
    created: str = ""
    metrics: Mapping[str, JsonValue] | None = None
    verdict: str = ""
    aliases: tuple[str, ...] = ()

    def to_json(self) -> dict[str, JsonValue]:
        """The version as JSON."""
        return {
            "model": self.model,
            "version": self.version,
            "digest": self.digest,
            "bundle": str(self.folder),
            "run": self.run,
            "created": self.created,
            "metrics": dict(self.metrics or {}),
            "verdict": self.verdict,
            "aliases": list(self.aliases),
        }


@dataclass(frozen=True)
class Opening:
    """A test part was looked at, to judge the bundle of this digest."""

    fingerprint: str
    run: str
    digest: str
    opened: str
