"""`luodi models rollback` and `luodi models route`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from luodi.contracts import JsonValue, UsageError, say

if TYPE_CHECKING:
    from luodi.registry import Registered, Registry, Route
    from luodi.traffic.comparison import Compared, Figures

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
    from datetime import datetime

    from luodi.traffic.comparison import compare_versions

    name = words[0]
    champion = registry.champion(name)
    # A challenger that was promoted since is none any more.
    changed = registry.route(name).without(champion.version)
    if options.given:
        changed = registry.set_route(name, _changed(registry, name, changed, options), "command")
    since = registry.routed(name)
    figures, tests = compare_versions(
        registry.home,
        name,
        champion.version,
        {each.version: each.mode for each in changed.challengers},
        datetime.fromisoformat(since) if since else None,
    )
    document: dict[str, JsonValue] = {
        "model": name,
        "champion": champion.version,
        "route": changed.to_json(),
        "since": since,
        "versions": [each.to_json() for each in figures],
        "tests": [each.to_json() for each in tests],
    }

    def human() -> None:
        show(name, champion, changed)
        show_figures(figures, tests)

    return document, as_json, human


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


def show_figures(figures: Sequence[Figures], tests: Sequence[Compared]) -> None:
    """What each version did since the route was set, and whether a difference is chance."""
    if not any(each.requests for each in figures):
        print(say("No traffic since.", "此后尚无流量。"))
        return
    from rich.table import Table

    from luodi.cli.output import console

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head, justify in (
        (say("Version", "版本"), "left"),
        (say("Arm", "角色"), "left"),
        (say("Requests", "请求"), "right"),
        (say("Failed", "失败"), "right"),
        ("p50 ms", "right"),
        ("p99 ms", "right"),
        (say("Judged", "有反馈"), "right"),
        (say("Score", "得分"), "right"),
    ):
        table.add_column(head, justify=justify)  # type: ignore[arg-type]
    for each in figures:
        table.add_row(
            each.version,
            each.arm,
            str(each.requests),
            str(each.failures),
            *(_milliseconds(each.seconds[name]) for name in ("p50", "p99")),
            str(each.judged),
            "" if each.score is None else f"{each.score:.4g}",
        )
    console().print(table)
    for test in tests:
        print(_sentence(test))


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.1f}"


def _sentence(test: Compared) -> str:
    if test.difference is None or test.low is None or test.high is None:
        return say(
            f"{test.version}: {test.requests} requests with feedback; too few to tell.",
            f"{test.version}：有反馈的请求 {test.requests} 个，不足以判断。",
        )
    words = {
        "better": say("better, and not by chance", "更好，且并非偶然"),
        "worse": say("worse, and not by chance", "更差，且并非偶然"),
    }
    verdict = words.get(test.verdict, say("it may be chance", "可能只是偶然"))
    figures = (
        f"{test.measure} {test.difference:+.4f} "
        f"[{test.low:+.4f}, {test.high:+.4f}], p = {test.p_value:.4f}"
    )
    return say(f"{test.version}: {figures}: {verdict}.", f"{test.version}：{figures}：{verdict}。")
