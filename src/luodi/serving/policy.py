"""What the project wants done with a model's traffic, and when a version is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from luodi.contracts import JsonValue
from luodi.serving.fleet import Card
from luodi.serving.watch import RollbackRules
from luodi.traffic.settings import TrafficSettings

Wanted = Mapping[str, Mapping[str, JsonValue]]
"""Model -> the `serve:` part of its project file."""


class Policies:
    """What holds for each model: the project file's word, else what its bundle carries."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._carried: dict[str, Mapping[str, JsonValue]] = {}
        self._traffic: dict[str, TrafficSettings] = {}

    def carries(self, card: Card) -> None:
        """Heed the bundle of the version that answers for its model's name from now on."""
        self._carried[card.name] = card.manifest.serving
        self._traffic[card.name] = TrafficSettings.from_json(self._part(card.name, "traffic"))

    def models(self) -> list[str]:
        """Every model that answers here, or did since the start. Safe in any thread."""
        return list(self._traffic)

    def rules(self, model: str) -> RollbackRules | None:
        """When versions of a model are taken back; None for never."""
        return RollbackRules.from_json(self._part(model, "rollback"))

    def traffic(self, model: str) -> TrafficSettings:
        """What is kept of a model's traffic; of one that is served no more, as it was said last.

        Safe in any thread, and cheap: it is asked for each request.
        """
        known = self._traffic.get(model)
        return known or TrafficSettings.from_json(self._part(model, "traffic"))

    def _part(self, model: str, name: str) -> Mapping[str, JsonValue]:
        for source in (self._wanted, self._carried):
            part = source.get(model, {}).get(name)
            if isinstance(part, Mapping):
                return part
        return {}


def wanted_of(folder: Path) -> Wanted:
    """What the project file in a folder says of its model; nothing when there is no file.

    Raises:
        ProjectError: with every mistake: a service must not guess what may be kept.
    """
    if not (folder / "luodi.yaml").is_file():
        return {}
    from luodi.project.file import load_project

    project = load_project(folder)
    said = project.serve.model_dump(mode="json", exclude_none=True)
    return {project.name: {name: said[name] for name in project.serve.model_fields_set & set(said)}}
