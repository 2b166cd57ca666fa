"""luodi data profile: a look at a table, on the terminal and as a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from luodi.cli.data.header import HeaderLine, said_header
from luodi.cli.findings import show_findings
from luodi.cli.output import TerminalProgress, console, emit
from luodi.contracts import MachineError, Role, say

if TYPE_CHECKING:
    from luodi.lifecycle.looking import Looked

_COLUMNS = 60
"""Columns that the terminal shows; the page and --json have them all."""


def command(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="A table: a path, a glob, package:NAME/..., a folder "
            "of images or texts, or a source in braces: {images: F, table: T}",
        ),
    ],
    label: Annotated[str | None, typer.Option(help="The column to be learnt.")] = None,
    moment: Annotated[str | None, typer.Option("--time", help="The column that says when.")] = None,
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header", help="Whether the first line holds the columns' names."
        ),
    ] = None,
    header_line: HeaderLine = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Where the page goes (HTML).")
    ] = None,
    page: Annotated[bool, typer.Option("--page/--no-page", help="Write the page.")] = True,
    remarks: Annotated[
        bool, typer.Option("--remarks", help="Show also findings that are no warning.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Look at a table without a project: its columns, what is wrong with it, its worst rows."""
    from luodi.evaluation.page.profile import render_profile
    from luodi.lifecycle.looking import look

    named = {Role.LABEL: [label] if label else [], Role.TIME: [moment] if moment else []}
    progress = TerminalProgress(say("Look", "查看"), silent=json_output)
    try:
        looked = look(file, Path.cwd(), named, progress, said_header(header, header_line))
    finally:
        progress.close()
    place = (output or Path(f"{_stem(file)}-profile.html")) if page else None
    if place is not None:
        _write(place, render_profile(looked.to_json(), looked.findings))
    document = looked.to_json() | {"page": str(place) if place else None}
    emit(document, json_output, lambda: show(looked, place, remarks))


def _stem(file: str) -> str:
    import re

    name = Path(file).name
    while suffix := Path(name).suffix:
        name = name.removesuffix(suffix)
    return re.sub(r"[^\w-]+", "-", name).strip("-") or "table"


def _write(place: Path, text: str) -> None:
    try:
        place.write_text(text, "utf-8")
    except OSError as error:
        raise MachineError(
            say(
                f"{place} cannot be written: {error.strerror}.",
                f"无法写入 {place}：{error.strerror}。",
            ),
            "",
            say("Name another place with -o.", "请用 -o 指定其他位置。"),
        ) from None


def show(looked: Looked, place: Path | None, remarks: bool) -> None:
    """Columns, findings, the worst rows, where the page is."""
    from rich.markup import escape
    from rich.table import Table

    from luodi.evaluation.page.wording import kind_name

    screen = console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say("Column", "列"), overflow="ellipsis", no_wrap=True, min_width=14)
    table.add_column(say("Kind", "类型"), no_wrap=True, min_width=10)
    for head in (say("Missing", "缺失"), say("Distinct", "不同")):
        table.add_column(head, justify="right", no_wrap=True, min_width=8)
    table.add_column(say("Values", "取值"), overflow="ellipsis", no_wrap=True)
    for column in looked.columns[:_COLUMNS]:
        mark = "! " if column["findings"] else ""
        share = column["missing"] / max(looked.rows, 1)
        table.add_row(
            escape(f"{mark}{column['name']}"),
            kind_name(column["kind"]),
            f"{share:.1%}" if column["missing"] else "–",
            f"{column['distinct']:,}",
            escape(_values(column)),
        )
    screen.print(table)
    if (more := len(looked.columns) - _COLUMNS) > 0:
        screen.print(say(f"... and {more} columns more", f"……另有 {more} 列"))
    screen.print()
    show_findings(screen, looked.findings, remarks, "--remarks")
    for row in looked.worst[:5]:
        faults = "; ".join(
            f"{name}={row['cells'].get(name)} ({codes})" if name else codes
            for name, codes in row["faults"].items()
        )
        screen.print(say(f"  row {row['row']}: ", f"  第 {row['row']} 行：") + escape(faults))
    screen.print()
    screen.print(
        say(
            f"{looked.rows:,} rows, {len(looked.columns)} columns, "
            f"{looked.missing:.1%} of the cells empty.",
            f"{looked.rows:,} 行，{len(looked.columns)} 列，{looked.missing:.1%} 的单元格为空。",
        )
    )
    if place is not None:
        screen.print(say("Page:  ", "页面：") + escape(str(place)))


def _values(column: Mapping[str, Any]) -> str:
    """The commonest values, or the two ends and the middle."""
    top, quantiles = column["top"], column["quantiles"]
    if column["kind"] in ("category", "boolean") and isinstance(top, list):
        return ", ".join(f"{value} ({count})" for value, count in top[:4])
    spread = column["distribution"]
    if column["kind"] == "date" and spread:
        return f"{spread['edges'][0]} … {spread['edges'][-1]}"
    if column["kind"] == "identifier":
        return ""
    if isinstance(quantiles, dict) and quantiles:
        middle = quantiles.get("0.5")
        ends = f"{_short(column['minimum'])} … {_short(middle)} … {_short(column['maximum'])}"
        return ends if column["kind"] != "text" else say(f"{ends} characters", f"{ends} 字符")
    return f"{column['minimum']} … {column['maximum']}" if column["minimum"] is not None else ""


def _short(value: object) -> str:
    return f"{value:.5g}" if isinstance(value, int | float) else str(value)
