"""`luodi models rollback` and `luodi models route`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from luodi.contracts import JsonValue, UsageError, say

if TYPE_CHECKING:
    from luodi.registry import Registered, Registry, Route

AB_PERCENT = 50.0


@dataclass(frozen=True)
class RouteOptions:
    """What `luodi models route NAME` was told to change."""

    canary: str | None = None
    shadow: str | None = None
    percent: float | None = None
    header: str | None = None
    sticky: str | None = None
    remove: str | None = None

    @property
    def given(self) -> bool:
        """Whether anything is to change."""
        return any(value is not None for value in astuple(self))


def rollback(registry: Registry, words: Sequence[str]) -> dict[str, JsonValue]:
    """`NAME`: production means again what it meant before."""
    if len(words) != 1:
        raise UsageError(
            say(f"{len(words)} words after rollback.", f"rollback 之后有 {len(words)} 个词。"),
            say("Expected: rollback NAME.", "应为：rollback 名称。"),
        )
    before, now = registry.rollback(words[0])
    return {"model": now.model, "from": before.version, "to": now.version}


def route(
    registry: Registry, words: Sequence[str], options: RouteOptions, as_json: bool
) -> tuple[Mapping[str, JsonValue], bool, Callable[[], None]]:
    """`NAME`: show, or change and show, who answers beside the champion."""
    if len(words) != 1:
        raise UsageError(
            say(f"{len(words)} words after route.", f"route 之后有 {len(words)} 个词。"),
            say("Expected: route NAME [options].", "应为：route 名称 [选项]。"),
        )
    name = words[0]
    champion = registry.champion(name)
    changed = registry.route(name)
    if options.given:
        changed = registry.set_route(name, _changed(registry, name, changed, options), "command")
    document: dict[str, JsonValue] = {
        "model": name,
        "champion": champion.version,
        "route": changed.to_json(),
    }
    return document, as_json, lambda: show(name, champion, changed)


def _changed(registry: Registry, name: str, route: Route, options: RouteOptions) -> Route:
    from dataclasses import replace

    from luodi.registry import Challenger
    from luodi.registry.routes import header_rule

    if options.canary and options.shadow:
        raise UsageError(
            say("Both --canary and --shadow.", "同时给出了 --canary 与 --shadow。"),
            say("Expected one at a time.", "每次应只给一个。"),
        )
    if options.remove == "all":
        route = replace(route, challengers=())
    elif options.remove:
        route = route.without(_version(registry, name, options.remove))
    if options.sticky:
        route = replace(route, sticky=options.sticky)
    if wanted := options.canary or options.shadow:
        version = _version(registry, name, wanted)
        header = header_rule(options.header) if options.header else None
        # A header alone opens the way for those who send it, and for nobody else.
        usual = 100.0 if options.shadow else 0.0 if header else AB_PERCENT
        challenger = Challenger(
            version,
            "canary" if options.canary else "shadow",
            usual if options.percent is None else options.percent,
            header,
        )
        others = route.without(version).challengers
        route = replace(route, challengers=(*others, challenger))
    elif options.percent is not None or options.header:
        raise UsageError(
            say("--percent and --header need a version.", "--percent 与 --header 需要指定版本。"),
            say("Expected --canary VERSION or --shadow VERSION beside them.",
                "应同时给出 --canary 版本 或 --shadow 版本。"),
        )  # fmt: skip
    return route


def _version(registry: Registry, name: str, wanted: str) -> str:
    """`abc123`, `:abc123`, `@staging` or `NAME:abc123` -> the version."""
    rest = wanted.removeprefix(name)
    return registry.find(name + (rest if rest[:1] in ("@", ":") else f":{rest}")).version


def show(name: str, champion: Registered, route: Route) -> None:
    """The route, a line a version."""
    print(
        say(
            f"{name}: {champion.version} is the champion.", f"{name}：当前版本 {champion.version}。"
        )
    )
    if not route.challengers:
        print(say("It answers alone.", "由它独自应答。"))
        return
    for each in route.challengers:
        header = f"  {': '.join(each.header)}" if each.header else ""
        print(f"  {each.version}  {each.mode}  {each.percent:g} %{header}")
    print(
        say(
            f"A caller stays with one version by the header {route.sticky}.",
            f"带请求头 {route.sticky} 的调用方始终由同一版本应答。",
        )
    )
