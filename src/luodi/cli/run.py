"""luodi run: the lifecycle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.cli.findings import show_findings
from luodi.cli.output import console, duration, emit
from luodi.contracts import Interval, say, use_language

if TYPE_CHECKING:
    from luodi.lifecycle.result import Outcome

REFUSED = 3


def command(
    project: Annotated[
        Path | None, typer.Argument(help="A luodi.yaml, or the folder that holds it.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="dotted.path=value over the project file; may be repeated."),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Fetch sources from afar again first.")
    ] = False,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Take the project's data to a judged model; register it when the gate lets it through."""
    from luodi.cli.watching import TerminalObserver
    from luodi.lifecycle.opening import open_project
    from luodi.lifecycle.run import run_lifecycle

    loaded = open_project(project, settings or [])
    use_language(loaded.language)
    observer = TerminalObserver(silent=quiet)
    if refresh:
        from luodi.lifecycle.fetching import refresh as fetch_again

        fetch_again(loaded, observer)
    outcome = run_lifecycle(loaded, observer)
    emit(outcome.result, json_output, lambda: show(outcome))
    if not outcome.passed:
        raise typer.Exit(REFUSED)


def show(outcome: Outcome) -> None:
    """The verdict, the score, and what to do next."""
    from rich.markup import escape
    from rich.table import Table

    report, screen = outcome.report, console()
    screen.print()
    show_findings(screen, report.findings, where=say("see the report", "见报告"))
    if report.leak:
        screen.print(f"! {escape(report.leak.explanation)}")
    ours = str(report.model["learner"])
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say("On the test part", "测试集上"))
    table.add_column(say(f"{ours}, the bundle", f"{ours}（模型包）"), no_wrap=True)
    for name in report.baselines:
        table.add_column(escape(name), justify="right", no_wrap=True)
    for name, interval in list(report.metrics.items())[:8]:
        values = (f"{baseline.metrics[name].value:.3f}" for baseline in report.baselines.values())
        table.add_row(name, _shown(interval), *values)
    screen.print()
    screen.print(table)
    screen.print()
    for line in report.verdict.lines:
        screen.print(f"{'✓' if line.passed else '✗'} {escape(line.reason)}")
    for warning in report.verdict.warnings:
        screen.print(f"! {escape(warning)}")
    colour = "green" if report.verdict.passed else "red"
    screen.print(f"[bold {colour}]{escape(report.verdict.sentence)}[/]")
    seconds = duration(sum(report.seconds.values()))
    screen.print(say(f"Work in all: {seconds}", f"总用时：{seconds}"))
    screen.print(say(f"Bundle:  {report.digest}", f"模型包：{report.digest}"))
    screen.print(say("Report:  ", "报告：") + escape(str(outcome.result["report"])))
    screen.print(say("Next:    ", "下一步：") + escape(report.next_command))


def _shown(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
