"""luodi new: a project that runs at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from luodi.cli.output import emit
from luodi.contracts import say


def command(
    folder: Annotated[Path, typer.Argument(help="Where to make the project.")],
    solution: Annotated[str, typer.Option(help="Which ready solution to start from.")] = "reviews",
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make a project folder that runs at once."""
    from luodi.solutions import create_project

    files = create_project(folder, solution)
    document = {
        "folder": str(folder),
        "solution": solution,
        "files": [str(file) for file in files],
        "next": f"luodi run {folder}",
    }

    def human() -> None:
        for file in files:
            print(file)
        print(say(f"Next: luodi run {folder}", f"下一步：luodi run {folder}"))

    emit(document, json_output, human)
