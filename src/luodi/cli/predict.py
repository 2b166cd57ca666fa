"""`luodi predict`: answer a whole table."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.cli.data.header import HeaderLine, said_header
from luodi.contracts import (
    DataError,
    JsonValue,
    Progress,
    Quiet,
    RequestError,
    UsageError,
    say,
)

if TYPE_CHECKING:
    import polars as pl

    from luodi.bundle import LoadedBundle
    from luodi.cli.output import TerminalProgress
    from luodi.cli.predict_blocks import Block
    from luodi.cli.predict_rejects import Rejects
    from luodi.contracts import Answer, Request
    from luodi.data.header import Header
    from luodi.serving.bulk import Bulk

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")
_BLOCK = 4096
"""Rows that are answered between two looks at the progress; like lengths are found among them."""


def command(
    model: Annotated[str, typer.Argument(help="name, name@alias, name:version or a bundle.")],
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="A table: CSV, TSV, JSONL, Parquet, Arrow, Excel; - for JSON lines on standard "
            "input.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help=f"Where to write: {', '.join(ENDINGS)}.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all cores.")] = None,
    project: Annotated[Path | None, typer.Option(help="The folder of the project.")] = None,
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header",
            help="Whether the first line names the columns; without, they are as in training.",
        ),
    ] = None,
    header_line: HeaderLine = None,
    explain: Annotated[bool, typer.Option(help="Give the reasons of every answer.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            help="Where rows go that the model cannot read, each with why; the others are answered."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Answer every row of a table. Without -o, one JSON line a row on standard output.

    A row that the model cannot read refuses the whole table, unless --rejects says where to put
    it. JSON lines, CSV, TSV, Parquet and Arrow are answered block by block, as many rows as there
    are.
    """
    from luodi.bundle import open_predictor
    from luodi.cli.output import TerminalProgress, duration, emit
    from luodi.cli.predict_blocks import passing_by
    from luodi.cli.predict_columns import header_of
    from luodi.cli.predict_rejects import rejecting
    from luodi.project.home import home_folder
    from luodi.registry import Registry
    from luodi.serving.bulk import Bulk
    from luodi.serving.settings import cores, divide_cores

    started = time.perf_counter()
    _check_output(output, source)
    _check_rejects(rejects, output, source)
    found = Registry(home_folder(project)).find(model)
    each, sessions = divide_cores(threads or cores())
    bundle = open_predictor(found.folder, each, found.digest)
    progress = TerminalProgress(say("predict", "预测"))
    answers: list[Answer] = []
    with Bulk(bundle.predictor, sessions) as bulk, rejecting(rejects) as refused:
        ask = _Asked(bundle, bulk, explain, refused)
        names = header_of(bundle, said_header(header, header_line))
        with passing_by(source, output, as_json, progress, names) as blocks:
            try:
                if blocks is not None:
                    rows = _stream(ask, source, blocks, output, progress)
                else:
                    answers = _whole(ask, source, names, output, progress, as_json)
                    rows = len(answers)
            except RequestError as error:
                if rejects:
                    raise
                raise error.advised(
                    say(
                        "Mend the row, or give --rejects FILE: the others are answered then.",
                        "请更正该行，或加上 --rejects FILE：其余各行仍会得到回答。",
                    )
                ) from None
    progress.close()
    document: dict[str, JsonValue] = {
        "model": bundle.manifest.name,
        "version": bundle.version,
        "digest": bundle.digest,
        "rows": rows,
        "output": str(output) if output else None,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if refused:
        document |= {"refused": refused.rows, "rejects": str(rejects)}
    if as_json and not output:
        document["answers"] = answers

    def human() -> None:
        taken = duration(document["seconds"])
        where = output or say("standard output", "标准输出")
        message = say(
            f"{rows} rows answered by {found.model}:{bundle.version} in {taken}: {where}",
            f"{found.model}:{bundle.version} 用时 {taken} 回答了 {rows} 行：{where}",
        )
        print(message, file=sys.stdout if output else sys.stderr)
        if refused and refused.rows:
            print(
                say(
                    f"{refused.rows} rows do not fit the model and were not answered: {rejects}",
                    f"{refused.rows} 行不符合模型要求，未作回答：{rejects}",
                ),
                file=sys.stderr,
            )

    emit(document, as_json, human)


def _check_rejects(rejects: Path | None, output: Path | None, source: str) -> None:
    from luodi.cli.predict_rejects import ENDINGS as LINES

    _check_output(rejects, source, LINES)
    if rejects and output and rejects.resolve() == output.resolve():
        raise UsageError(
            say("--rejects and OUT are the same file.", "--rejects 与输出是同一个文件。"),
            say("Expected another file.", "应为不同的文件。"),
        )


def _check_output(output: Path | None, source: str, endings: Sequence[str] = ENDINGS) -> None:
    """What would fail after the work must fail before it."""
    if output is None:
        return
    if output.suffix.lower() not in endings:
        raise UsageError(
            say(f"{output} ends in {output.suffix!r}.", f"{output} 的扩展名是 {output.suffix!r}。"),
            say(f"Expected {', '.join(endings)}.", f"应为 {'、'.join(endings)}。"),
        )
    if output.is_dir() or not output.resolve().parent.is_dir():
        raise UsageError(
            say(f"{output} cannot be written.", f"无法写入 {output}。"),
            say("Expected a file in a folder that is there.", "应为已有文件夹中的文件。"),
        )
    if source != "-" and output.resolve() == Path(source).resolve():
        raise UsageError(
            say("INPUT and OUT are the same file.", "输入与输出是同一个文件。"),
            say("Expected another file.", "应为不同的文件。"),
        )


@dataclass(frozen=True)
class _Asked:
    """What rows are answered with: the bundle, its sessions, whether reasons are wanted, and where
    rows go that do not fit; None where one of them is to refuse them all."""

    bundle: LoadedBundle
    bulk: Bulk
    explain: bool
    rejects: Rejects | None

    def answer(
        self, table: pl.DataFrame, progress: Progress, first: int = 0
    ) -> tuple[pl.DataFrame, list[Answer]]:
        """The rows that are answered, and one answer each, in order; with its `reasons` where they
        are asked for.

        Args:
            first: the number of the table's first row within the input, from 0.

        Raises:
            UsageError: when a field of the model has no column.
            RequestError: naming the row (from 1) and the field that does not fit.
        """
        if self.rejects is None:
            read = self._read(table, first)
        else:
            table, fit = self.rejects.left(self.bundle, table, first)
            read = (fit[start : start + _BLOCK] for start in range(0, len(fit), _BLOCK))
        answers: list[Answer] = []
        for requests in read:
            progress.step(len(answers), table.height)
            found = self.bulk.answer(requests)
            if self.explain:
                for answer, reasons in zip(found, self.bundle.reasons(requests), strict=True):
                    answer["reasons"] = [reason.to_json() for reason in reasons]
            answers += found
        progress.step(table.height, table.height)
        return table, answers

    def _read(self, table: pl.DataFrame, first: int) -> Iterator[list[Request]]:
        from luodi.cli.predict_columns import as_rows, field_columns, row_names

        columns = field_columns(self.bundle.schema, table, first)
        for start in range(0, table.height, _BLOCK):
            values = as_rows([(name, column[start : start + _BLOCK]) for name, column in columns])
            yield self.bundle.read(values, row_names(first + start))


def _whole(
    ask: _Asked,
    source: str,
    names: Header,
    output: Path | None,
    progress: TerminalProgress,
    as_json: bool,
) -> list[Answer]:
    """Answer a table that is read as one, and write it."""
    from luodi.cli.predict_columns import with_answers
    from luodi.cli.predict_writing import write_lines, write_table
    from luodi.data.sources import collect

    collected = collect(source, Path.cwd(), header=names)
    for finding in collected.findings:
        progress.say(finding.message)
    asked, answers = ask.answer(collected.table, progress)
    if not answers and ask.rejects:
        raise ask.rejects.nothing_fits(source)
    table = with_answers(asked, answers, ask.bundle, progress)
    if output:
        write_table(table, output)
    elif not as_json:
        write_lines(table)
    return answers


def _stream(
    ask: _Asked,
    source: str,
    blocks: Iterator[Block],
    output: Path | None,
    progress: TerminalProgress,
) -> int:
    """Answer block by block; the number of rows."""
    from luodi.cli.predict_columns import with_answers
    from luodi.cli.predict_writing import writing

    rows = 0
    with writing(output) as write:
        for block in blocks:
            table, answers = ask.answer(block.table, Quiet(), block.first)
            if not answers:
                continue
            said = Quiet() if rows else progress
            write(with_answers(table, answers, ask.bundle, said))
            rows += len(answers)
        if not rows and ask.rejects and ask.rejects.rows:
            raise ask.rejects.nothing_fits(source)
        if not rows:
            raise DataError(
                say(f"{source} holds no rows.", f"{source} 中没有数据行。"),
                say("Expected a JSON object a line.", "应每行一个 JSON 对象。"),
            )
    return rows
