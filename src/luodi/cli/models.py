"""`luodi models`: what is registered, and what its aliases mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.contracts import RegistryError, UsageError, say

if TYPE_CHECKING:
    from luodi.registry import Registered, Registry


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME | alias NAME:VERSION ALIAS]", help="One model, or an act."),
    ] = None,
    project: Annotated[Path | None, typer.Option(help="The folder of the project.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List models, versions and aliases. `models alias NAME:VERSION production` moves an alias."""
    from luodi.cli.output import emit
    from luodi.project.home import home_folder
    from luodi.registry import Registry

    registry = Registry(home_folder(project))
    given = words or []
    if given[:1] == ["alias"] and len(given) != 1:
        set_alias(registry, given[1:])
        given = [given[1].partition(":")[0].partition("@")[0]]
    elif len(given) > 1:
        raise UsageError(
            say(f"Not understood: {' '.join(given)}.", f"无法理解：{' '.join(given)}。"),
            say(
                "Expected a model's name, or: alias NAME:VERSION ALIAS.",
                "应为模型名，或：alias 名称:版本 别名。",
            ),
        )
    rows = [row for name in given or registry.models() for row in registry.versions(name)]
    if problems := registry.check_acts():
        raise RegistryError(
            say("The registry was changed from outside.", "登记库曾被外部改动。"),
            " ".join(problems),
            say("Do not trust it; put back a copy.", "请勿信任它；请用备份恢复。"),
        )
    document = {"models": [row.to_json() for row in rows]}
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
