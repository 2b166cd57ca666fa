"""Names, versions and aliases."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from luodi.bundle import read_manifest, version_of
from luodi.contracts import JsonValue, RegistryError, say
from luodi.registry import acts
from luodi.registry.names import by_alias, by_version, listed, part, unknown_model
from luodi.registry.promotion import PASSED, PRODUCTION, before, champion_of
from luodi.registry.reading import last_move, read_route, read_versions
from luodi.registry.records import Opening, Registered
from luodi.registry.routes import Route, check_route
from luodi.registry.store import Store

REFUSED = "refused"
_ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Registry:
    """The registry of one home folder. Rows are added, never changed or removed."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self._store = Store(self.home / "registry.db")

    def add(
        self,
        folder: Path,
        *,
        run: str = "",
        metrics: Mapping[str, JsonValue] | None = None,
        verdict: str = PASSED,
    ) -> Registered:
        """Register the bundle at `folder`, which lies in the home folder.

        Its name and digest are read from the bundle itself. A bundle that is registered already
        stays as it was, and becomes the newest again.

        Raises:
            BundleError: when `folder` is no bundle, or was changed.
            RegistryError: when it lies outside the home folder.
        """
        folder = folder.resolve()
        manifest, digest = read_manifest(folder)
        if not folder.is_relative_to(self.home):
            raise RegistryError(
                say(f"The bundle lies in {folder}.", f"模型包位于 {folder}。"),
                say(f"Expected a folder in {self.home}.", f"应位于 {self.home} 之内。"),
                say("Copy it there first.", "请先复制到其中。"),
            )
        from luodi.registry.tables import models, versions

        when, version = _now(), version_of(digest)
        row = {
            "digest": digest,
            "bundle": str(folder.relative_to(self.home)),
            "run": run,
            "metrics": json.dumps(dict(metrics or {}), ensure_ascii=False, sort_keys=True),
            "verdict": verdict,
        }
        with self._store.writing() as connection:
            known = connection.execute(
                versions.select().where(
                    versions.c.model == manifest.name, versions.c.version == version
                )
            ).one_or_none()
            if known is None:
                if not connection.execute(
                    models.select().where(models.c.name == manifest.name)
                ).one_or_none():
                    connection.execute(models.insert().values(name=manifest.name, created=when))
                connection.execute(
                    versions.insert().values(
                        model=manifest.name, version=version, created=when, **row
                    )
                )
            body = {**row, "again": True} if known else row
            acts.append(connection, acts.REGISTER, when, body, manifest.name, version)
        return self.find(f"{manifest.name}:{version}")

    def models(self) -> list[str]:
        """Every model's name, in order."""
        return sorted({row.model for row in self._all()})

    def versions(self, name: str) -> list[Registered]:
        """A model's versions, the newest first.

        Raises:
            RegistryError: when there is no such model, with the nearest name.
        """
        rows = self._all()
        found = [row for row in rows if row.model == name]
        if not found:
            raise unknown_model(name, sorted({row.model for row in rows}), self.home)
        return found

    def find(self, wanted: str) -> Registered:
        """The version that `wanted` means.

        Args:
            wanted: `name` (its newest passed version), `name@alias`, `name:version` (or the
                beginning of a version), or the path of a bundle folder, registered or not.

        Raises:
            RegistryError: with what there is, and the nearest name.
            BundleError: when it is the path of a folder that is no sound bundle.
        """
        if (Path(wanted) / "manifest.json").is_file():
            folder = Path(wanted).resolve()
            manifest, digest = read_manifest(folder)
            return Registered(manifest.name, version_of(digest), digest, folder)
        name, mark, rest = part(wanted)
        found = self.versions(name)
        if not mark:
            passed = [row for row in found if row.verdict == PASSED]
            if passed:
                return passed[0]
            raise RegistryError(
                say(f"No version of {name} passed its gate.", f"{name} 没有通过门禁的版本。"),
                "",
                say(f"Name a version: {listed(found)}.", f"请指定版本：{listed(found)}。"),
            )
        return by_alias(name, rest, found) if mark == "@" else by_version(name, rest, found)

    def set_alias(
        self,
        name: str,
        version: str,
        alias: str,
        instead_of: str | None = None,
        back: bool = False,
    ) -> Registered:
        """Let `alias`, such as production, mean this version; what it meant is kept in history.

        Args:
            instead_of: the version that it must still mean; None for whatever it means. Of two
                who want to roll back the same version, only one does.
            back: the log is to say that this is a rollback.

        Raises:
            RegistryError: when there is no such version, or `alias` cannot be one, or means
                something else by now.
        """
        if not _ALIAS.fullmatch(alias):
            raise RegistryError(
                say(f"{alias!r} cannot be an alias.", f"{alias!r} 不能作为别名。"),
                say(
                    "Expected small letters and digits, such as staging or production.",
                    "应为小写字母与数字，如 staging 或 production。",
                ),
            )
        from luodi.registry.tables import aliases

        found = by_version(name, version, self.versions(name))
        when = _now()
        with self._store.writing() as connection:
            rows = read_versions(connection, self.home)
            means = [row.version for row in rows if row.model == name and alias in row.aliases]
            if instead_of is not None and means not in ([], [instead_of]):
                raise RegistryError(
                    say(f"{name}@{alias} means {means[0]} by now.",
                        f"{name}@{alias} 现已指向 {means[0]}。"),
                    say(f"Expected {instead_of}.", f"应为 {instead_of}。"),
                )  # fmt: skip
            connection.execute(
                aliases.insert().values(
                    model=name, alias=alias, version=found.version, changed=when
                )
            )
            body = {"alias": alias, "back": True} if back else {"alias": alias}
            acts.append(connection, acts.ALIAS, when, body, name, found.version)
        return self.find(f"{name}:{found.version}")

    def alias_history(self, name: str, alias: str) -> list[tuple[str, str]]:
        """What an alias has meant: (since when, version), the newest first."""
        from luodi.registry.tables import aliases

        if not self._store.path.exists():
            return []
        with self._store.reading() as connection:
            rows = connection.execute(
                aliases.select()
                .where(aliases.c.model == name, aliases.c.alias == alias)
                .order_by(aliases.c.id.desc())
            )
            return [(row.changed, row.version or "") for row in rows]

    def champion(self, name: str) -> Registered:
        """The version that stands for a model: what `production` means, else its newest passed.

        Raises:
            RegistryError: when there is no such model, or none of its versions may stand for it.
        """
        return champion_of(name, self.versions(name))

    def rollback(self, name: str, instead_of: str | None = None) -> tuple[Registered, Registered]:
        """Let `production` mean the version before; returns (what it meant, what it means now).

        Args:
            instead_of: the version to go back from; None for whichever stands there.

        Raises:
            RegistryError: when nothing stood there before, or `instead_of` does not any more.
        """
        found = self.versions(name)
        current = champion_of(name, found)
        history = [version for _, version in self.alias_history(name, PRODUCTION) if version]
        target = before(found, history)
        if target is None:
            raise RegistryError(
                say(f"Before {name}:{current.version} there was no version.",
                    f"{name}:{current.version} 之前没有其他版本。"),
                say(f"There are: {listed(found)}.", f"已有：{listed(found)}。"),
                say("luodi models promote NAME:VERSION takes any.",
                    "luodi models promote 名称:版本 可指定任一版本。"),
            )  # fmt: skip
        now = self.set_alias(name, target.version, PRODUCTION, instead_of or current.version, True)
        return current, now

    def promoted(self, name: str) -> str:
        """Since when a model's champion stands for it, ISO 8601: its promotion, or, where nothing
        was ever promoted, its registration. Empty when a rollback brought it there.
        """
        if not self._store.path.exists():
            return ""
        with self._store.reading() as connection:
            move = last_move(connection, name, (acts.ALIAS,))
            move = move or last_move(connection, name, (acts.REGISTER,))
        return move.time if move and not move.body.get("back") else ""

    def route(self, name: str) -> Route:
        """A model's challengers, as they were set last; none, when they never were."""
        if not self._store.path.exists():
            return Route()
        with self._store.reading() as connection:
            return read_route(connection, name)

    def routed(self, name: str) -> str:
        """Since when a model's requests are dealt as they are, ISO 8601: the later of its route
        and its champion's promotion; empty when neither was ever set.
        """
        if not self._store.path.exists():
            return ""
        with self._store.reading() as connection:
            move = last_move(connection, name, (acts.ROUTE, acts.ALIAS))
        return move.time if move else ""

    def set_route(self, name: str, route: Route, reason: str = "") -> Route:
        """Deal a model's requests so from now on; what was set before is kept in the log.

        Raises:
            RegistryError: when a version is not there, or the route cannot be dealt.
        """
        from luodi.registry.tables import routes

        found = self.versions(name)
        for challenger in route.challengers:
            by_version(name, challenger.version, found)
        check_route(route, champion_of(name, found).version)
        when = _now()
        row = {
            "route": json.dumps(route.to_json(), ensure_ascii=False, sort_keys=True),
            "reason": reason,
        }
        with self._store.writing() as connection:
            connection.execute(routes.insert().values(model=name, changed=when, **row))
            acts.append(connection, acts.ROUTE, when, row, name)
        return route

    def stamp(self) -> bytes:
        """Changes whenever anything is written, by any process; cheap enough to ask often."""
        return self._store.stamp()

    def open_test(self, fingerprint: str, run: str, digest: str) -> int:
        """Record that the test part `fingerprint` is looked at, to judge the bundle `digest`.

        The same bundle looking again is the same opening: it learns nothing new. Returns how
        many openings of this test part there are by now, this one included.
        """
        from luodi.registry.tables import openings

        opened = openings.c.fingerprint == fingerprint
        with self._store.writing() as connection:
            known = connection.execute(
                openings.select().where(opened, openings.c.digest == digest)
            ).one_or_none()
            if known is None:
                when = _now()
                body = {"fingerprint": fingerprint, "run": run, "digest": digest}
                connection.execute(openings.insert().values(opened=when, **body))
                acts.append(connection, acts.OPEN_TEST, when, body)
            return len(connection.execute(openings.select().where(opened)).all())

    def openings(self, fingerprint: str) -> list[Opening]:
        """Every opening of a test part, the first first."""
        from luodi.registry.tables import openings

        if not self._store.path.exists():
            return []
        with self._store.reading() as connection:
            rows = connection.execute(
                openings.select()
                .where(openings.c.fingerprint == fingerprint)
                .order_by(openings.c.id)
            )
            return [Opening(row.fingerprint, row.run, row.digest, row.opened) for row in rows]

    def check_acts(self) -> list[str]:
        """What is wrong with the log of acts, as sentences; empty when nothing is."""
        if not self._store.path.exists():
            return []
        with self._store.reading() as connection:
            return acts.check(connection)

    def _all(self) -> list[Registered]:
        """Every version of every model, the newest registered first."""
        if not self._store.path.exists():
            return []  # asking must not make a registry
        with self._store.reading() as connection:
            return read_versions(connection, self.home)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
