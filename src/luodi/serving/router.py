"""Which model answers: names and versions to the batcher of a loaded bundle."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from luodi.bundle import LoadedBundle
from luodi.contracts import Answer, JsonValue, RegistryError, Request, say
from luodi.registry import Registered, Route
from luodi.serving.batcher import Batched, Batcher
from luodi.serving.cache import AnswerCache
from luodi.serving.explaining import Explaining
from luodi.serving.fleet import Card, Fleet, Held
from luodi.serving.settings import Limits


class Served:
    """One version of a model, answering."""

    def __init__(
        self,
        bundle: LoadedBundle,
        limits: Limits,
        sessions: int,
        observe: Callable[[Batched], None],
        cache: AnswerCache | None = None,
    ) -> None:
        self.bundle = bundle
        self.name, self.version = bundle.manifest.name, bundle.version
        wanted = _bounded(limits, bundle.manifest.serving)
        self.explaining = Explaining(bundle, wanted.waiting_seconds)
        self.batcher = Batcher(bundle.predictor, wanted, sessions, observe)
        self.cache = cache

    def read(
        self, values: Sequence[JsonValue], where: Callable[[int], str] = "inputs[{}]".format
    ) -> list[Request]:
        """Values -> checked requests. Safe in any thread.

        Raises:
            RequestError: naming the field that does not fit.
        """
        return self.bundle.read(values, where)

    async def answer(
        self, requests: Sequence[Request], deadline: float | None = None, priority: int = 0
    ) -> list[Answer]:
        """One answer a request, in order; see `Batcher.answer`."""
        if self.cache is None:
            return await self.batcher.answer(requests, deadline, priority)
        return await self.cache.answer(
            requests, lambda rest: self.batcher.answer(rest, deadline, priority)
        )

    async def explained(
        self,
        requests: Sequence[Request],
        answers: Sequence[Answer],
        places: Sequence[int],
        deadline: float | None = None,
    ) -> list[Answer]:
        """The answers, those at `places` with their `reasons`.

        Raises:
            RequestError: when the model gives no reasons.
            BusyError: when they cannot be there in time.
        """
        told = await self.explaining.reasons([requests[place] for place in places], deadline)
        whole = list(answers)
        for place, reasons in zip(places, told, strict=True):
            whole[place] = {**whole[place], "reasons": [reason.to_json() for reason in reasons]}
        return whole

    def close(self) -> None:
        """Let the threads go, once what they compute is done."""
        self.batcher.close()
        self.explaining.close()


CHAMPION = "production"
"""The alias that a model's bare name follows."""


@dataclass(frozen=True)
class Offer:
    """A version to answer with from the start, and the alias that it is taken from.

    Attributes:
        follows: when this alias moves, the model answers with the version that it means then;
            empty for a version that was named itself.
    """

    model: Registered
    follows: str = ""


@dataclass(eq=False)
class Offered:
    """What one model's name means here.

    Attributes:
        default: the version that answers when none is asked for.
        named: versions that were asked for by name, or loaded; they answer when asked for.
        previous: the version that answered before; kept in memory, to go back to at once.
        followed: alias -> the version that answers for it, of aliases that are followed beside the
            default's own.
        aliases: alias -> version, as the registry has it.
    """

    name: str
    default: str
    follows: str = ""
    named: list[str] = field(default_factory=list)
    previous: str = ""
    followed: dict[str, str] = field(default_factory=dict)
    route: Route = field(default_factory=Route)
    aliases: Mapping[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def versions(self) -> list[str]:
        """Every version that may be asked for, the default first."""
        challengers = [each.version for each in self.route.challengers]
        before = [self.previous] if self.previous else []
        asked = [*self.named, *self.followed.values()]
        return list(dict.fromkeys([self.default, *asked, *challengers, *before]))

    def meant(self, version: str) -> str:
        """The version that a version or an alias means here: what was proved last, and not what
        the registry says already.
        """
        if version in self.versions():
            return version
        if version == self.follows:
            return self.default
        return self.followed.get(version) or self.aliases.get(version, version)


class Router:
    """What each name means here, and the versions that answer for it.

    Args:
        discreet: errors name no other models: a caller's key may be for some only.
    """

    def __init__(self, fleet: Fleet, discreet: bool = False) -> None:
        self.fleet, self._discreet = fleet, discreet
        self._offered: dict[str, Offered] = {}

    def offer(self, offer: Offer) -> Held:
        """Answer for this version too; the first of a name is its default."""
        name, version = offer.model.model, offer.model.version
        known = self._offered.get(name)
        if known is None:
            named = [] if offer.follows else [version]
            self._offered[name] = Offered(name, version, offer.follows, named)
        elif offer.follows and offer.follows != known.follows:
            known.followed[offer.follows] = version
        elif version not in (known.default, *known.named):
            known.named.append(version)
        return self.fleet.hold(offer.model)

    def known(self, name: str) -> Offered | None:
        """What a name means here; None when it means nothing."""
        return self._offered.get(name)

    def offered(self, name: str) -> Offered:
        """What a name means here.

        Raises:
            RegistryError: with what is served, and the nearest name.
        """
        offered = self._offered.get(name)
        if offered is None:
            words = say(
                f"No model {_shown(name)} is served here.", f"此处没有模型 {_shown(name)}。"
            )
            raise self.unknown(name, list(self._offered), words)
        return offered

    def unknown(self, name: str, there: Sequence[str], words: str) -> RegistryError:
        """The error for a name that means nothing: with what there is, where all may know it."""
        told = [] if self._discreet else there
        return RegistryError(
            words,
            say(f"There are: {', '.join(told)}.", f"已有：{'、'.join(told)}。") if told else "",
            _nearest(name, told),
        )

    def find(self, name: str, version: str | None = None) -> Held:
        """The version that answers for this name; for `version`, or the alias of this name.

        Raises:
            RegistryError: with what is served, and the nearest name.
        """
        if version is None:
            name, _, alias = name.partition("@")
            version = alias or None
        offered = self.offered(name)
        wanted = offered.default if version is None else offered.meant(version)
        held = self.fleet.get(name, wanted)
        if held is None or wanted not in offered.versions():
            known = offered.versions()
            raise RegistryError(
                say(
                    f"{name} is not served in version {_shown(wanted)}.",
                    f"{name} 没有提供版本 {_shown(wanted)}。",
                ),
                say(f"There are: {', '.join(known)}.", f"已有：{'、'.join(known)}。"),
            )
        return held

    def swap(self, name: str, version: str) -> None:
        """Let a loaded version be the default from the next request on."""
        offered = self._offered[name]
        if version != offered.default:
            before = self.fleet.get(name, offered.default)
            if before is not None:
                before.proved = True  # it has answered: to go back to it must not take a moment
            offered.previous, offered.default = offered.default, version
        self.tidy(name)

    def tidy(self, name: str) -> None:
        """Drop the versions of a name that nothing asks for any more."""
        offered = self._offered.get(name)
        for held in self.fleet:
            if held.model.model == name and (
                offered is None or held.model.version not in offered.versions()
            ):
                self.fleet.drop(held)

    def withdraw(self, name: str, version: str | None = None) -> None:
        """Answer for a name, or for one version that was named, no more.

        Raises:
            RegistryError: when it is not served, or is the default of others.
        """
        offered = self.offered(name)
        if version is not None and offered.versions() != [version]:
            found = self.find(name, version).model.version
            if found == offered.default:
                raise RegistryError(
                    say(f"{found} answers for {name}.", f"{found} 正在为 {name} 应答。"),
                    "",
                    say("Promote another first.", "请先指定另一个版本。"),
                )
            offered.named = [each for each in offered.named if each != found]
            offered.followed = {
                alias: each for alias, each in offered.followed.items() if each != found
            }
        else:
            del self._offered[name]
        self.tidy(name)

    def names(self) -> list[str]:
        """The models that are served."""
        return list(self._offered)

    def versions(self, name: str) -> list[str]:
        """The versions served of a model, the default first."""
        return self.offered(name).versions()

    def all(self) -> list[Held]:
        """Every version that may be asked for, defaults first."""
        found = [
            self.fleet.get(offered.name, version)
            for offered in self._offered.values()
            for version in offered.versions()
        ]
        return [held for held in found if held is not None]

    def defaults(self) -> list[Card]:
        """The default version of each model."""
        return [card for name in self._offered if (card := self.find(name).card)]


def _bounded(limits: Limits, wanted: Mapping[str, JsonValue]) -> Limits:
    """The limits, with what the project file's `serve:` says of this model."""
    batch, wait = wanted.get("max_batch"), wanted.get("max_wait")
    if isinstance(batch, int) and batch > 0:
        limits = replace(limits, batch=batch)
    if isinstance(wait, int | float) and wait > 0:
        limits = replace(limits, waiting_seconds=float(wait))
    return limits


def _shown(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:57] + "...")


def _nearest(name: str, there: Sequence[str]) -> str:
    near = difflib.get_close_matches(name[:100], there, n=1)
    return say(f"Did you mean {near[0]}?", f"是否想用 {near[0]}?") if near else ""
