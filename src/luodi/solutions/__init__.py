"""Ready projects, a folder each: a project file, where its table comes from, a README."""

from __future__ import annotations

import difflib
import shutil
from pathlib import Path

from luodi.contracts import UsageError, say
from luodi.solutions import tables
from luodi.solutions.tables import write_tables

_HERE = Path(__file__).parent


def solution_names() -> tuple[str, ...]:
    """Every ready solution's name."""
    return tuple(sorted(path.parent.name for path in _HERE.glob("*/luodi.yaml")))


def create_project(folder: Path, solution: str) -> list[Path]:
    """Copy a solution's files to `folder`; nothing that is there is overwritten.

    Raises:
        UsageError: no such solution (the nearest is named), or the folder is in use.
        MissingPartError: a package that carries the solution's rows is not installed.
    """
    names = solution_names()
    if solution not in names:
        near = difflib.get_close_matches(solution, names, n=1)
        raise UsageError(
            say(f"No solution is named {solution}.", f"没有名为 {solution} 的方案。"),
            say(f"There are: {', '.join(names)}.", f"已有方案：{'、'.join(names)}。"),
            say(f"Did you mean {near[0]}?", f"是否想用 {near[0]}?") if near else "",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            say(f"{folder} is there already and not empty.", f"{folder} 已存在且非空。"),
            say("Expected a new or an empty folder.", "应为新目录或空目录。"),
        )
    folder.mkdir(parents=True, exist_ok=True)
    written = write_tables(_HERE / solution / tables.FILE, folder)
    return written + [
        Path(shutil.copyfile(source, folder / source.name))
        for source in sorted((_HERE / solution).iterdir())
        if source.suffix in (".yaml", ".md", ".csv", ".py") and source.name != tables.FILE
    ]
