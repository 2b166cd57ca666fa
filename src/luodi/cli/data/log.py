"""luodi data log: source -> findings -> mended -> parts -> bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from luodi.cli.output import console, emit
from luodi.contracts import say

if TYPE_CHECKING:
    from luodi.lifecycle.lineage import Logged

_PRINT = 19  # "sha256:" and 12 digits tell tables apart at a glance
_FILES = 5


def command(
    wanted: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN | MODEL | BUNDLE]",
            help="A run's id, a registered model, or a bundle's folder; the newest run when left "
            "out.",
        ),
    ] = None,
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; the current one when left out.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show where a bundle's rows came from, step by step, each with its fingerprint."""
    from luodi.lifecycle.lineage import find_lineage
    from luodi.project.home import home_folder

    logged = find_lineage(home_folder(project), wanted)
    emit(logged.to_json(), json_output, lambda: show(logged))


def show(logged: Logged) -> None:
    """The chain, top down."""
    from rich.markup import escape

    screen, chain = console(), logged.lineage
    for origin in chain["origins"]:
        head = say(f"source ({origin['table']})", f"来源（{origin['table']}）")
        screen.print(f"[bold]{head}[/]  {escape(origin['source'])}")
        screen.print(f"  {_rows(origin['rows'])}  {origin['fingerprint'][:_PRINT]}")
        for file in origin["files"][:_FILES]:
            size = f"{file['bytes']:,} B"
            screen.print(f"  · {escape(file['path'])}  {size}  sha256:{file['sha256'][:12]}")
        if (more := len(origin["files"]) - _FILES) > 0:
            screen.print(say(f"  · and {more} more files", f"  · 另有 {more} 个文件"))
    screen.print("  ↓")
    screen.print(f"[bold]{say('findings', '检查发现')}[/]")
    for finding in chain["findings"]:
        mark = {"info": "·", "warning": "!", "error": "✗"}[finding["severity"]]
        columns = f"  ({escape(', '.join(finding['columns']))})" if finding["columns"] else ""
        screen.print(f"  {mark} {finding['code']}  {finding['count']:,}{columns}")
    if not chain["findings"]:
        screen.print(say("  none", "  无"))
    screen.print("  ↓")
    _show_mended(chain["mended"])
    screen.print("  ↓")
    screen.print(f"[bold]{say('parts', '切分')}[/]")
    order = ("train", "valid", "test")
    for name in sorted(chain["parts"], key=lambda n: order.index(n) if n in order else len(order)):
        part = chain["parts"][name]
        screen.print(f"  {name:<6} {_rows(part['rows'])}  {part['fingerprint'][:_PRINT]}")
    if left_out := _reasons(chain.get("left_out", {})):
        screen.print(say(f"  left out again: {left_out}", f"  切分后又去除：{left_out}"))
    screen.print("  ↓")
    screen.print(f"[bold]{say('bundle', '模型包')}[/]  {escape(logged.name)}")
    verdict = {"passed": say("passed", "通过"), "refused": say("refused", "拒绝")}
    told = [logged.digest, *([logged.run] if logged.run else []), verdict.get(logged.verdict, "")]
    screen.print("  " + "  ".join(part for part in told if part))
    screen.print(f"  {escape(str(logged.folder))}")


def _show_mended(mended: dict[str, Any]) -> None:
    screen = console()
    screen.print(f"[bold]{say('mended', '清洗')}[/]")
    screen.print("  " + _account(mended))
    screen.print(f"  {mended['fingerprint'][:_PRINT]}")
    for name, table in mended.get("official", {}).items():
        screen.print(f"  {name}: {_account(table)}")


def _account(table: dict[str, Any]) -> str:
    """Rows in = rows kept + rows dropped, by reason."""
    kept, gone = table["kept"], table["rows"] - table["kept"]
    told = say(
        f"{table['rows']:,} rows = {kept:,} kept + {gone:,} dropped",
        f"{table['rows']:,} 行 = 保留 {kept:,} + 去除 {gone:,}",
    )
    dropped = _reasons(table["dropped"])
    return f"{told} ({dropped})" if dropped else told


def _reasons(counts: dict[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.items())


def _rows(count: int) -> str:
    return say(f"{count:,} rows", f"{count:,} 行")
