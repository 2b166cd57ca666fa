"""`luodi models`: what is registered, and what its aliases mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.contracts import RegistryError, UsageError, say
from luodi.registry import PRODUCTION, REFUSED

if TYPE_CHECKING:
    from luodi.registry import Registered, Registry

ACTS = ("alias", "promote", "rollback", "route")


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME | ACT NAME ...]",
            help="One model, or an act: alias NAME:VERSION ALIAS; promote NAME[:VERSION]; "
            "rollback NAME; route NAME.",
        ),
    ] = None,
    canary: Annotated[
        str | None, typer.Option(metavar="VERSION", help="route: answers for --percent of them.")
    ] = None,
    shadow: Annotated[
        str | None, typer.Option(metavar="VERSION", help="route: answers too, unseen.")
    ] = None,
    percent: Annotated[
        float | None, typer.Option(help="route: its share of requests; 50 is an A/B test.")
    ] = None,
    header: Annotated[
        str | None, typer.Option(metavar="'NAME: VALUE'", help="route: sends a request to it.")
    ] = None,
    sticky: Annotated[
        str | None, typer.Option(metavar="HEADER", help="route: the header that is the key.")
    ] = None,
    remove: Annotated[
        str | None, typer.Option(metavar="VERSION|all", help="route: challenges no more.")
    ] = None,
    project: Annotated[Path | None, typer.Option(help="The folder of the project.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List models, versions and aliases; promote, roll back and route them.

    `models promote NAME:VERSION` lets production mean that version, `models rollback NAME` the one
    before it; running services follow within a second.
    """
    from luodi.cli.output import emit
    from luodi.cli.routing import RouteOptions, rollback, route
    from luodi.project.home import home_folder
    from luodi.registry import Registry

    registry = Registry(home_folder(project))
    given, told = words or [], {}
    options = RouteOptions(canary, shadow, percent, header, sticky, remove)
    act = given[0] if len(given) > 1 and given[0] in ACTS else ""
    if options.given and act != "route":
        raise UsageError(
            say("These options set a route.", "这些选项用于设置路由。"),
            "",
            say("Say: luodi models route NAME ...", "请写：luodi models route 名称 ..."),
        )
    if given[:1] == ["alias"] and len(given) != 1:
        set_alias(registry, given[1:])
    elif act == "promote":
        promote(registry, given[1:])
    elif act == "rollback":
        told = {"rolled_back": rollback(registry, given[1:])}
    elif act == "route":
        emit(*route(registry, given[1:], options, as_json))
        return
    elif len(given) > 1:
        raise UsageError(
            say(f"Not understood: {' '.join(given)}.", f"无法理解：{' '.join(given)}。"),
            say(
                "Expected a model's name, or: alias NAME:VERSION ALIAS, promote NAME:VERSION, "
                "rollback NAME, route NAME.",
                "应为模型名，或：alias 名称:版本 别名、promote 名称:版本、"
                "rollback 名称、route 名称。",
            ),
        )
    if len(given) > 1:
        given = [given[1].partition(":")[0].partition("@")[0]]
    rows = [row for name in given or registry.models() for row in registry.versions(name)]
    if problems := registry.check_acts():
        raise RegistryError(
            say("The registry was changed from outside.", "登记库曾被外部改动。"),
            " ".join(problems),
            say("Do not trust it; put back a copy.", "请勿信任它；请用备份恢复。"),
        )
    document = {"models": [row.to_json() for row in rows], **told}
    emit(document, as_json, lambda: show(rows, registry.home))


def set_alias(registry: Registry, words: Sequence[str]) -> None:
    """`NAME:VERSION ALIAS`, or `NAME ALIAS` for the newest passed version."""
    if len(words) != 2:
        raise UsageError(
            say(f"{len(words)} words after alias.", f"alias 之后有 {len(words)} 个词。"),
            say("Expected: alias NAME:VERSION ALIAS.", "应为：alias 名称:版本 别名。"),
        )
    found = registry.find(words[0])
    registry.set_alias(found.model, found.version, words[1])


def promote(registry: Registry, words: Sequence[str]) -> None:
    """`NAME:VERSION`, or `NAME` for the newest passed version: it becomes production."""
    if len(words) != 1:
        raise UsageError(
            say(f"{len(words)} words after promote.", f"promote 之后有 {len(words)} 个词。"),
            say("Expected: promote NAME:VERSION.", "应为：promote 名称:版本。"),
        )
    found = registry.find(words[0])
    if found.verdict == REFUSED:
        raise RegistryError(
            say(f"The gate refused {found.model}:{found.version}.",
                f"门禁拒绝了 {found.model}:{found.version}。"),
            say("Expected a version that passed.", "应为通过门禁的版本。"),
            say("luodi models lists them.", "luodi models 可列出它们。"),
        )  # fmt: skip
    registry.set_alias(found.model, found.version, PRODUCTION)


def show(rows: Sequence[Registered], home: Path) -> None:
    """The versions as a table."""
    if not rows:
        print(say(f"No model is registered in {home}.", f"{home} 中没有已登记的模型。"))
        print(say("luodi run makes one.", "用 luodi run 制作一个。"))
        return
    from rich.table import Table

    from luodi.cli.output import console

    table = Table(box=None, pad_edge=False)
    for head in (
        say("model", "模型"),
        say("version", "版本"),
        say("aliases", "别名"),
        say("verdict", "结论"),
        say("registered", "登记时间"),
        say("metrics", "指标"),
    ):
        table.add_column(head)
    for row in rows:
        figures = list(_figures(row))[:3]
        when = row.created[:16].replace("T", " ") + " UTC"
        verdict = {"passed": say("passed", "通过"), "refused": say("refused", "拒绝")}
        table.add_row(
            row.model,
            row.version,
            ", ".join(row.aliases),
            verdict.get(row.verdict, row.verdict),
            when,
            ", ".join(figures),
        )
    console().print(table)


def _figures(row: Registered) -> list[str]:
    figures = []
    for name, value in (row.metrics or {}).items():
        number = value.get("value") if isinstance(value, dict) else value
        if isinstance(number, int | float):
            figures.append(f"{name} {number:.4g}")
    return figures
