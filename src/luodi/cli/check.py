"""luodi check: the project and its rows, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.cli.findings import show_findings
from luodi.cli.output import console, duration, emit
from luodi.contracts import say, use_language

if TYPE_CHECKING:
    from luodi.lifecycle.check import Checked


def command(
    project: Annotated[
        Path | None, typer.Argument(help="A luodi.yaml, or the folder that holds it.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="dotted.path=value over the project file; may be repeated."),
    ] = None,
    price: Annotated[
        float, typer.Option("--price-per-hour", min=0, help="What an hour of this machine costs.")
    ] = 0.0,
    remarks: Annotated[
        bool, typer.Option("--remarks", help="Show also findings that are no warning.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Validate file and data; estimate time, memory and cost; train nothing."""
    from luodi.cli.watching import TerminalObserver
    from luodi.lifecycle.check import check_project
    from luodi.lifecycle.opening import open_project

    loaded = open_project(project, settings or [])
    use_language(loaded.language)
    checked = check_project(loaded, TerminalObserver(silent=json_output))
    document = checked.to_json()
    document["estimate"]["cost"] = checked.seconds / 3600 * price
    emit(document, json_output, lambda: show(checked, price, remarks))


def show(checked: Checked, price: float, remarks: bool = False) -> None:
    """Columns, findings, parts, estimates."""
    from rich.markup import escape
    from rich.table import Table

    screen = console()
    columns = Table(box=None, pad_edge=False, header_style="bold")
    for head in (
        say("Column", "列"),
        say("Holds", "内容"),
        say("Read as", "用作"),
        say("Missing", "缺失"),
        say("Distinct", "不同取值"),
    ):
        columns.add_column(head)
    for column in checked.clean.profile:
        columns.add_row(
            escape(str(column["name"])),
            str(column["kind"]),
            checked.read_as.get(str(column["name"]), "–"),
            str(column["missing"]),
            str(column["distinct"]),
        )
    screen.print(columns)
    screen.print()
    show_findings(screen, checked.clean.findings, remarks, "luodi check --remarks")
    rows = checked.rows
    screen.print()
    screen.print(
        say(
            f"Rows: {rows['train']} to learn from, {rows['valid']} to choose on, "
            f"{rows['test']} to be judged on.",
            f"行数：训练 {rows['train']}，验证 {rows['valid']}，测试 {rows['test']}。",
        )
    )
    if checked.making:
        took = duration(checked.making)
        screen.print(say(f"  Made rows, and what they gain: {took}", f"  生成行并测其收益：{took}"))
    for recipe, estimate in checked.estimates:
        screen.print(
            f"  {recipe.learner:<14}{duration(estimate.seconds):>12}"
            f"{estimate.bytes / 2**20:>10.0f} MiB"
        )
    if checked.folds:
        count, most = checked.project.data.split.folds, duration(checked.folds)
        screen.print(say(f"  {count} folds: at most {most}", f"  {count} 折：最多 {most}"))
    if checked.refit:
        most = duration(checked.refit)
        screen.print(
            say(f"  Once more, on all rows: at most {most}", f"  用全部行再学：最多 {most}")
        )
    if checked.distil:
        most = duration(checked.distil)
        screen.print(say(f"  A smaller model: at most {most}", f"  较小的模型：最多 {most}"))
    total = duration(checked.seconds)
    cost = f", {checked.seconds / 3600 * price:.2f}" if price else ""
    screen.print(
        say(
            f"A run will take about {total} of training{cost}.",
            f"训练预计约需 {total}{cost}。",
        )
    )
    screen.print(say("Nothing stands in its way: luodi run", "一切就绪：luodi run"))
