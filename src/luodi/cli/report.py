"""luodi report: a run's report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from luodi.cli.output import emit
from luodi.contracts import UsageError, say


def command(
    run: Annotated[str | None, typer.Argument(help="A run's id; the newest when left out.")] = None,
    project: Annotated[
        Path | None, typer.Option(help="The project's folder; the current one when left out.")
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say where a run's report is and what it says in short."""
    from luodi.lifecycle.place import RESULT, finished_runs
    from luodi.project.home import home_folder

    home = home_folder(project)
    folders = finished_runs(home)
    if run is not None:
        folders = [folder for folder in folders if folder.name == run]
    if not folders:
        raise UsageError(
            say(f"There is no finished run {run or ''} in {home}.",
                f"{home} 中没有已完成的运行 {run or ''}。"),
            "",
            say("`luodi run` makes one.", "`luodi run` 会产生一次运行。"),
        )  # fmt: skip
    result = json.loads((folders[-1] / RESULT).read_text("utf-8"))

    def human() -> None:
        verdict = {"passed": say("passed", "通过"), "refused": say("refused", "未通过")}
        print(f"{result['model']}  {result['run']}  {verdict[result['verdict']]}")
        width = max(14, *(len(name) + 2 for name in result["metrics"]))
        for name, value in result["metrics"].items():
            if value["value"] is not None:
                ends = f"[{value['low']:.4f}, {value['high']:.4f}]"
                print(f"  {name:<{width}}{value['value']:.4f}  {ends}")
        print(say(f"Report: {result['report']}", f"报告：{result['report']}"))

    emit(result, json_output, human)
