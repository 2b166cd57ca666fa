"""A running service follows the registry, and the rules by which a version is taken back.

The registry's file is asked ten times a second whether anything was written; only then is it
read. A version is loaded and proved before it takes over; when it cannot be, the one before goes
on answering, and the reason stands in the log, the metrics and the repository's index.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from luodi.contracts import BusyError, LuodiError, RegistryError, say
from luodi.registry import PASSED, Registered, Registry, Route
from luodi.registry.names import by_version
from luodi.serving.metrics import ServiceMetrics
from luodi.serving.policy import Policies
from luodi.serving.router import CHAMPION, Offer, Offered, Router
from luodi.serving.shared_acts import LOAD, UNLOAD, SharedActs
from luodi.serving.watch import Watch

LOG = logging.getLogger("luodi.serving")
EVERY = 0.1
_AGAIN = 1.0
"""Seconds after which a version that found no room in memory is tried once more."""


@dataclass(frozen=True)
class _Wanted:
    """What the registry says of one name.

    Attributes:
        aliases: alias -> the version that it means.
        moved: when each alias that is followed was set last.
        promoted: since when the default stands for the model, when no rollback brought it there.
    """

    default: Registered | None
    challengers: tuple[Registered, ...]
    route: Route
    aliases: Mapping[str, Registered]
    moved: tuple[str, ...]
    promoted: str


class Follower:
    """Keeps the router to what the registry says. Lives on the router's event loop.

    Args:
        registry: None when every version was named itself.
        policies: when versions of a model are taken back; told which version speaks for it.
        acts: what the other workers of this service were told to load and unload.
    """

    def __init__(
        self,
        router: Router,
        registry: Registry | None,
        watch: Watch,
        metrics: ServiceMetrics,
        policies: Policies,
        acts: SharedActs | None = None,
    ) -> None:
        self._router, self._registry = router, registry
        self._watch, self._metrics, self._policies = watch, metrics, policies
        self._acts = acts or SharedActs(None)
        self._stamp = b""
        self._again = math.inf  # when there is something to try once more
        self._wanted: dict[str, _Wanted] = {}
        self._turn = asyncio.Lock()

    async def run(self) -> None:
        """Follow until cancelled; what goes wrong is told in the log, and tried again."""
        while True:
            try:
                await self.look()
                await self.judge()
            except Exception:  # a registry that is locked or damaged must not end the service
                LOG.exception("the registry could not be followed")
                self._stamp = b""
                await asyncio.sleep(1)
            await asyncio.sleep(EVERY)

    async def begin(self) -> None:
        """Do what the registry says before the first request comes; a fault waits for `run`."""
        try:
            await self.look()
        except Exception:
            LOG.exception("the registry could not be followed")
            self._stamp = b""

    async def look(self) -> None:
        """Do what the registry says, when it has changed; and what other workers were told."""
        async with self._turn:
            for act in self._acts.news():
                await self._repeat(act)
                self._acts.did(act)
            if self._registry is None:
                return
            stamp = self._registry.stamp()
            if stamp == self._stamp and time.monotonic() < self._again:
                return
            self._stamp, self._again = stamp, math.inf
            for name in self._router.names():
                offered = self._router.offered(name)
                wanted = await asyncio.to_thread(
                    self._read, name, offered.follows, tuple(offered.followed)
                )
                if self._registry.stamp() != stamp:
                    return  # written while it was read, half of each: the next look reads it whole
                if wanted is not None:
                    before = self._wanted.get(name)
                    self._wanted[name] = wanted
                    # What was refused is tried again when it is asked for again, and not each
                    # time that something else is written.
                    if before and (before.moved, before.route) != (wanted.moved, wanted.route):
                        offered.refused = {}
                    await self._reach(offered, wanted)

    async def load(self, name: str, version: str = "") -> Registered:
        """Load, prove and answer for a model of the registry; for one version of it, or its alias.

        The other workers do so too before this returns.

        Raises:
            RegistryError: when there is no such model or version.
            BundleError: when it is not what the registry knows.
            BusyError: when there is no room for it.
        """
        async with self._turn:
            model, follows = await asyncio.to_thread(self._find, name, version)
            await self._load(model, follows)
            act = self._acts.tell(LOAD, name, model.version, follows)
            self._stamp = b""  # its route and aliases are read next
        await self._acts.done_by_all(act)
        return model

    async def unload(self, name: str, version: str | None = None) -> None:
        """Answer for a model, or one version of it, no more; here and in the other workers.

        Raises:
            RegistryError: when it is not served.
        """
        async with self._turn:
            self._router.withdraw(name, version)
            act = self._acts.tell(UNLOAD, name, version or "")
        await self._acts.done_by_all(act)

    def registered(self) -> list[Registered]:
        """Every version that passed its gate, whether it is served or not; in a thread."""
        if self._registry is None:
            return []
        return [
            row
            for name in self._registry.models()
            for row in self._registry.versions(name)
            if row.verdict == PASSED
        ]

    async def _load(self, model: Registered, follows: str) -> None:
        fresh = self._router.fleet.get(model.model, model.version) is None
        held = self._router.fleet.hold(model)
        try:
            await self._router.fleet.ready(held, prove=True)
        except LuodiError:
            if fresh:
                self._router.fleet.drop(held)
            raise
        if held.card is not None and self._router.known(model.model) is None:
            self._policies.carries(held.card)
        self._router.offer(Offer(model, follows))

    def _find(self, name: str, version: str) -> tuple[Registered, str]:
        if self._registry is None:
            raise RegistryError(
                say("This service has no registry.", "此服务没有登记库。"),
                say("Expected a folder with registered models.", "应有含已登记模型的文件夹。"),
            )
        # What the registry itself says of a name lists all others: no business of every caller.
        there = self._registry.models()
        if name not in there:
            words = say(f"No model is named {name[:100]!r}.", f"没有名为 {name[:100]!r} 的模型。")
            raise self._router.unknown(name, there, words)
        if not version:
            return self._registry.champion(name), CHAMPION
        found = self._registry.versions(name)
        for row in found:
            if version in row.aliases:
                return row, ""
        return by_version(name, version, found), ""

    async def _repeat(self, act: Mapping[str, str]) -> None:
        """What another worker was told."""
        name, version = act["model"], act["version"]
        try:
            if act["act"] == LOAD:
                model, _ = await asyncio.to_thread(self._find, name, version)
                await self._load(model, act["follows"])
                self._stamp = b""
            else:
                self._router.withdraw(name, version or None)
        except LuodiError as error:
            LOG.error("%s %s: %s", act["act"], name, error)

    def _read(self, name: str, follows: str, others: tuple[str, ...]) -> _Wanted | None:
        """What the registry says of a name, and of the aliases that are followed; in a thread."""
        registry = self._registry
        if registry is None or name not in registry.models():
            return None
        rows = registry.versions(name)
        aliases = {alias: row for row in rows for alias in row.aliases}
        default, route = None, Route()
        if follows == CHAMPION:
            default, route = registry.champion(name), registry.route(name)
        elif follows and follows in aliases:
            default = aliases[follows]
        known = {row.version: row for row in rows}
        challengers = tuple(
            known[each.version] for each in route.challengers if each.version in known
        )
        histories = [registry.alias_history(name, alias) for alias in (follows, *others) if alias]
        moved = tuple(history[0][0] for history in histories if history)
        return _Wanted(default, challengers, route, aliases, moved, registry.promoted(name))

    async def _reach(self, offered: Offered, wanted: _Wanted) -> None:
        """Bring one name to where the registry wants it."""
        offered.aliases = {alias: model.version for alias, model in wanted.aliases.items()}
        if wanted.default is not None and wanted.default.version != offered.default:
            await self._swap(offered, wanted.default)
        # A challenger that has become the champion is none any more.
        offered.route = wanted.route.without(offered.default)
        for model in wanted.challengers:
            if model.version not in (offered.default, *offered.refused):
                await self._prepared(offered, model)
        for alias, answers in list(offered.followed.items()):
            means = wanted.aliases.get(alias)
            if means is None or means.version in (answers, *offered.refused):
                continue
            if await self._prepared(offered, means):
                offered.followed[alias] = means.version
        self._router.tidy(offered.name)

    async def _swap(self, offered: Offered, model: Registered) -> None:
        before = offered.default
        if model.version in offered.refused:
            return
        if await self._prepared(offered, model):
            self._watch.forget((model.model, model.version))
            self._router.swap(offered.name, model.version)
            if card := self._router.find(offered.name).card:
                self._policies.carries(card)
            LOG.info("%s: %s takes over from %s", offered.name, model.version, before)
            self._metrics.swaps.labels(offered.name, "done").inc()
        elif model.version in offered.refused:
            self._metrics.swaps.labels(offered.name, "refused").inc()

    async def _prepared(self, offered: Offered, model: Registered) -> bool:
        """Whether a version could be loaded and proved; why not is kept."""
        held = self._router.fleet.hold(model)
        try:
            await self._router.fleet.ready(held, prove=True)
        except BusyError as error:
            # Memory is short now: no fault of the version's.
            LOG.warning("%s:%s waits: %s", model.model, model.version, error)
            self._again = time.monotonic() + _AGAIN
            return False
        except LuodiError as error:
            LOG.error("%s:%s is refused: %s", model.model, model.version, error)
            offered.refused[model.version] = str(error)
            if model.version not in offered.versions():
                self._router.fleet.drop(held)
            return False
        return True

    async def judge(self) -> None:
        """Take back what breaks the rules: a challenger from its route, a champion to the one
        before, when it was promoted lately.
        """
        registry = self._registry
        if registry is None:
            return
        for name in self._router.names():
            offered, rules = self._router.offered(name), self._policies.rules(name)
            wanted = self._wanted.get(name)
            if rules is None or wanted is None or offered.follows != CHAMPION:
                continue
            for each in offered.route.challengers:
                if broken := self._watch.broken((name, each.version), rules):
                    await self._take_out(registry, offered, each.version, broken)
            if _age(wanted.promoted) > rules.within or wanted.default is None:
                continue
            if wanted.default.version != offered.default:
                continue  # it was refused: what answers is not what was promoted
            if broken := self._watch.broken((name, offered.default), rules):
                await self._roll_back(registry, offered, broken)

    async def _take_out(
        self, registry: Registry, offered: Offered, version: str, broken: str
    ) -> None:
        name = offered.name
        self._watch.forget((name, version))
        route = await asyncio.to_thread(registry.route, name)
        if version not in [each.version for each in route.challengers]:
            return  # another worker was faster
        LOG.error("%s:%s leaves the route: %s", name, version, broken)
        self._metrics.rollbacks.labels(name, version).inc()
        try:
            left = route.without(version).without(offered.default)
            await asyncio.to_thread(registry.set_route, name, left, broken)
        except LuodiError as error:
            LOG.error("the route of %s could not be changed: %s", name, error)

    async def _roll_back(self, registry: Registry, offered: Offered, broken: str) -> None:
        name, version = offered.name, offered.default
        self._watch.forget((name, version))
        try:
            _, now = await asyncio.to_thread(registry.rollback, name, version)
        except LuodiError as error:
            # Another worker was faster, or there is nothing to go back to.
            LOG.error("%s:%s breaks a rule (%s) and stays: %s", name, version, broken, error)
            return
        LOG.error("%s: back from %s to %s: %s", name, version, now.version, broken)
        self._metrics.rollbacks.labels(name, version).inc()


def _age(since: str) -> float:
    """Seconds since an ISO time; endless when there is none."""
    if not since:
        return float("inf")
    return (datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()
