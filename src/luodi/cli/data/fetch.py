"""luodi data fetch: the sources from afar, again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from luodi.cli.output import emit
from luodi.contracts import say, use_language


def command(
    project: Annotated[
        Path | None, typer.Argument(help="A luodi.yaml, or the folder that holds it.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="dotted.path=value over the project file; may be repeated."),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Collect the project's sources from afar anew; what was collected before stays in the store
    until the new is whole."""
    from luodi.cli.watching import TerminalObserver
    from luodi.lifecycle.fetching import refresh
    from luodi.project.file import load_project

    loaded = load_project(project, settings or [])
    use_language(loaded.language)
    fetched = refresh(loaded, TerminalObserver(silent=quiet or json_output))

    def human() -> None:
        for item in fetched:
            rows = f"{item['files']} × {item['bytes']:,} B"
            print(f"{item['table']:<6} {item['source']}  {rows}  {item['when']}")
        if not fetched:
            print(say("Every source is a file here; nothing to fetch.",
                      "所有来源都是本地文件，无需获取。"))  # fmt: skip

    emit({"fetched": fetched}, json_output, human)
