"""luodi data diff: two tables side by side."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.cli.data.header import HeaderLine, said_header
from luodi.cli.output import console, emit
from luodi.contracts import say

if TYPE_CHECKING:
    from luodi.data.sketch import Difference, Sketch

_FINGERPRINT = re.compile(r"(sha256:)?[0-9a-f]{6,64}")
_SHOWN = 40


def command(
    a: Annotated[
        str,
        typer.Argument(help="A file, a glob, a source in braces, or a fingerprint of `data log`."),
    ],
    b: Annotated[str, typer.Argument(help="The other one.")],
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header",
            help="Whether the files' first lines hold the columns' names; of one file alone: "
            "{files: FILE, header: false}.",
        ),
    ] = None,
    header_line: HeaderLine = None,
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; the current one when left out.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare two tables: which columns came and went, how many rows, how far values drifted."""
    from luodi.data.sketch import compare
    from luodi.project.home import home_folder

    home = home_folder(project)
    said = said_header(header, header_line)
    difference = compare(_sketched(a, home, said), _sketched(b, home, said))
    emit(difference.to_json(), json_output, lambda: show(difference))


def _sketched(wanted: str, home: Path, header: bool | int | None) -> Sketch:
    from luodi.contracts import ROW
    from luodi.data.fetching import Access
    from luodi.data.fingerprint import fingerprint
    from luodi.data.sketch import sketch
    from luodi.data.sources import collect
    from luodi.data.store import Store
    from luodi.project.sources import written

    here = Path.cwd()
    if _FINGERPRINT.fullmatch(wanted) and not (here / wanted).exists():
        return Store(home).recall(wanted)
    access = Access(home, here)
    table = collect(written(wanted), here, access=access, header=header).table.drop(ROW)
    return sketch(table, fingerprint(table))


def show(difference: Difference) -> None:
    """Schema, counts, then the columns, the farthest first."""
    from rich.markup import escape
    from rich.table import Table

    screen = console()
    a, b = difference.a, difference.b
    screen.print(f"A  {a.fingerprint[:19]}  " + say(f"{a.rows:,} rows", f"{a.rows:,} 行"))
    screen.print(f"B  {b.fingerprint[:19]}  " + say(f"{b.rows:,} rows", f"{b.rows:,} 行"))
    if difference.same:
        screen.print(say("They are one and the same table.", "两者是同一个数据表。"))
        return
    for words, names in (
        (say("Only in A: ", "仅在 A 中："), difference.removed),
        (say("Only in B: ", "仅在 B 中："), difference.added),
    ):
        if names:
            screen.print(words + escape(", ".join(names[:_SHOWN])))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say("column", "列"))
    table.add_column(say("type", "类型"))
    for head in (say("missing", "缺失"), say("distinct", "不同值"), "PSI"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("")
    marks = {"same": "", "look": say("! look", "! 留意"), "other": say("✗ drifted", "✗ 已漂移")}
    for drift in difference.columns[:_SHOWN]:
        kinds = drift.types[0] if len(set(drift.types)) == 1 else " → ".join(drift.types)
        table.add_row(
            escape(drift.name),
            kinds,
            _pair(*(f"{share:.1%}" for share in drift.missing)),
            _pair(*(f"{count:,}" for count in drift.distinct)),
            "" if drift.psi is None else f"{drift.psi:.3f}",
            marks[drift.verdict],
        )
    screen.print(table)
    if (more := len(difference.columns) - _SHOWN) > 0:
        screen.print(
            say(f"and {more} more columns (--json has all)", f"另有 {more} 列（见 --json）")
        )


def _pair(a: str, b: str) -> str:
    return a if a == b else f"{a} → {b}"
