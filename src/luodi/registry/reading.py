"""The registry's rows as records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import JsonValue
from luodi.registry import acts
from luodi.registry.promotion import PASSED, PRODUCTION
from luodi.registry.records import Registered
from luodi.registry.routes import Route

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Move:
    """An act that changed who answers for a model: when, and what its entry tells."""

    time: str
    body: Mapping[str, JsonValue]


def last_move(connection: Connection, name: str, kinds: Sequence[str]) -> Move | None:
    """The newest act of these kinds on a model; of the aliases, on production alone, of what was
    registered, what passed its gate."""
    from luodi.registry.tables import acts as log

    rows = connection.execute(
        log.select()
        .where(log.c.kind.in_(kinds), log.c.model == name)
        .order_by(log.c.sequence.desc())
    )
    for row in rows:
        body = json.loads(row.body)
        if body.get("alias", PRODUCTION) == PRODUCTION and body.get("verdict", PASSED) == PASSED:
            return Move(str(row.time), body)
    return None


def read_route(connection: Connection, name: str) -> Route:
    """The route that was set last."""
    from luodi.registry.tables import routes

    row = connection.execute(
        routes.select().where(routes.c.model == name).order_by(routes.c.id.desc()).limit(1)
    ).one_or_none()
    return Route.from_json(json.loads(row.route)) if row else Route()


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
