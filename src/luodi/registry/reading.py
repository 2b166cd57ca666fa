"""The registry's rows as records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.registry import acts
from luodi.registry.records import Registered

if TYPE_CHECKING:
    from sqlalchemy import Connection


def read_versions(connection: Connection, home: Path) -> list[Registered]:
    """Every version of every model, the newest registered first, with its aliases."""
    from luodi.registry.tables import acts as log
    from luodi.registry.tables import aliases, versions

    meant: dict[tuple[str, str], str] = {}
    for row in connection.execute(aliases.select().order_by(aliases.c.id)):
        meant[row.model, row.alias] = row.version
    registered: dict[tuple[str, str], tuple[int, list[str]]] = {}
    for row in connection.execute(
        log.select().where(log.c.kind == acts.REGISTER).order_by(log.c.sequence)
    ):
        _, folders = registered.get((row.model, row.version), (0, []))
        folder = json.loads(row.body)["bundle"]
        registered[row.model, row.version] = (row.sequence, [*folders, folder])
    found: list[tuple[int, Registered]] = []
    for row in connection.execute(versions.select()):
        sequence, folders = registered.get((row.model, row.version), (0, []))
        names = tuple(
            sorted(
                alias
                for (model, alias), version in meant.items()
                if (model, version) == (row.model, row.version)
            )
        )
        found.append((sequence, _registered(row, home, folders, names)))
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])]


def _registered(
    row: Any, home: Path, folders: Sequence[str], aliases: tuple[str, ...]
) -> Registered:
    # The same bundle may have been made by several runs: any copy that is still there will do.
    places = [home / row.bundle, *(home / folder for folder in folders)]
    folder = next((place for place in places if place.is_dir()), places[0])
    return Registered(
        model=row.model,
        version=row.version,
        digest=row.digest,
        folder=folder,
        run=row.run,
        created=row.created,
        metrics=json.loads(row.metrics),
        verdict=row.verdict,
        aliases=aliases,
    )
