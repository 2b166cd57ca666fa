"""`luodi predict`: answer a whole table."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luodi.contracts import JsonValue, UsageError, say

if TYPE_CHECKING:
    import polars as pl

    from luodi.bundle import LoadedBundle
    from luodi.cli.output import TerminalProgress
    from luodi.contracts import Answer, Schema

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")
_BLOCK = 1024
"""Rows that are answered between two looks at the progress."""


def command(
    model: Annotated[str, typer.Argument(help="name, name@alias, name:version or a bundle.")],
    source: Annotated[
        str, typer.Argument(metavar="INPUT", help="A table: CSV, TSV, JSONL, Parquet, Excel.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help=f"Where to write: {', '.join(ENDINGS)}.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; all cores.")] = None,
    project: Annotated[Path | None, typer.Option(help="The folder of the project.")] = None,
    explain: Annotated[bool, typer.Option(help="Give the reasons of every answer.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Answer every row of a table. Without -o, one JSON line a row on standard output."""
    from luodi.bundle import open_predictor
    from luodi.cli.output import TerminalProgress, duration, emit
    from luodi.data.sources import collect
    from luodi.project.home import home_folder
    from luodi.registry import Registry
    from luodi.serving.settings import cores

    started = time.perf_counter()
    _check_output(output, source)
    found = Registry(home_folder(project)).find(model)
    bundle = open_predictor(found.folder, threads or cores(), found.digest)
    progress = TerminalProgress(say("predict", "预测"))
    collected = collect(source, Path.cwd())
    for finding in collected.findings:
        progress.say(finding.message)
    answers = answer_rows(bundle, collected.table, progress, explain)
    progress.close()
    document: dict[str, JsonValue] = {
        "model": bundle.manifest.name,
        "version": bundle.version,
        "digest": bundle.digest,
        "rows": len(answers),
        "output": str(output) if output else None,
        "seconds": round(time.perf_counter() - started, 3),
    }
    table = with_answers(collected.table, answers, bundle.schema, progress)
    if output:
        write_table(table, output)
    elif as_json:
        document["answers"] = answers
    else:
        write_lines(table)

    def human() -> None:
        taken = duration(document["seconds"])
        where = output or say("standard output", "标准输出")
        message = say(
            f"{len(answers)} rows answered by {found.model}:{bundle.version} in {taken}: {where}",
            f"{found.model}:{bundle.version} 用时 {taken} 回答了 {len(answers)} 行：{where}",
        )
        print(message, file=sys.stdout if output else sys.stderr)

    emit(document, as_json, human)


def _check_output(output: Path | None, source: str) -> None:
    """What would fail after the work must fail before it."""
    if output is None:
        return
    if output.suffix.lower() not in ENDINGS:
        raise UsageError(
            say(f"{output} ends in {output.suffix!r}.", f"{output} 的扩展名是 {output.suffix!r}。"),
            say(f"Expected {', '.join(ENDINGS)}.", f"应为 {'、'.join(ENDINGS)}。"),
        )
    if output.is_dir() or not output.resolve().parent.is_dir():
        raise UsageError(
            say(f"{output} cannot be written.", f"无法写入 {output}。"),
            say("Expected a file in a folder that is there.", "应为已有文件夹中的文件。"),
        )
    if output.resolve() == Path(source).resolve():
        raise UsageError(
            say("INPUT and OUT are the same file.", "输入与输出是同一个文件。"),
            say("Expected another file.", "应为不同的文件。"),
        )


def answer_rows(
    bundle: LoadedBundle, table: pl.DataFrame, progress: TerminalProgress, explain: bool = False
) -> list[Answer]:
    """One answer a row, in order; with its `reasons` where they are asked for.

    Raises:
        UsageError: when a field of the model has no column.
        RequestError: naming the row (from 1) and the field that does not fit.
    """
    columns = field_columns(bundle.schema, table)
    answers: list[Answer] = []
    for start in range(0, table.height, _BLOCK):
        progress.step(start, table.height)
        names = [name for name, _ in columns]
        block = [column[start : start + _BLOCK] for _, column in columns]
        values = [dict(zip(names, row, strict=True)) for row in zip(*block, strict=True)]
        requests = bundle.read(values, _row_after(start))
        found = bundle.answer(requests)
        if explain:
            for answer, reasons in zip(found, bundle.reasons(requests), strict=True):
                answer["reasons"] = [reason.to_json() for reason in reasons]
        answers += found
    progress.step(table.height, table.height)
    return answers


def _row_after(start: int) -> Callable[[int], str]:
    return lambda index: say(f"row {start + index + 1}", f"第 {start + index + 1} 行")


def field_columns(schema: Schema, table: pl.DataFrame) -> list[tuple[str, list[JsonValue]]]:
    """The values of the column that each field of a request is read from.

    It has the field's name, or the name that the column had in training; a table of one column
    is the one field that a model asks for.

    Raises:
        UsageError: when a field that is needed has none.
        RequestError: for a value that is not of the field's kind.
    """
    from luodi.contracts import RESERVED
    from luodi.data.kinds import read_strictly
    from luodi.data.roles import as_text

    there = [name for name in table.columns if name not in RESERVED]
    found = []
    for field in schema.request:
        names = [name for name in (field.name, *field.aliases) if name in there]
        if not names and len(schema.request) == len(there) == 1:
            names = there
        if not names and field.required:
            raise UsageError(
                say(
                    f"The table has no column {field.name}; it has: {', '.join(there[:20])}.",
                    f"表中没有列 {field.name}；现有：{'、'.join(there[:20])}。",
                ),
                say(
                    f"The model reads: {', '.join(_wanted(schema))}.",
                    f"模型读取：{'、'.join(_wanted(schema))}。",
                ),
                say("Rename the column.", "请重命名该列。"),
            )
        if names:
            column = table.get_column(names[0])
            if field.kind == "text":  # as it is: a blank text is the model's to judge
                found.append((field.name, as_text(column).to_list()))
            else:
                found.append((field.name, read_strictly(column, field.kind)))
    return found


def _wanted(schema: Schema) -> list[str]:
    return [say(" or ", " 或 ").join((field.name, *field.aliases)) for field in schema.request]


def with_answers(
    table: pl.DataFrame, answers: list[Answer], schema: Schema, progress: TerminalProgress
) -> pl.DataFrame:
    """The table beside its answers: `label` and `probability`, or the answer's own fields.

    A column of the table that has such a name is renamed `input_...`: what stands under `label`
    is always the model's answer, never the truth that it is held against.
    """
    import polars as pl

    from luodi.contracts import RESERVED

    added: dict[str, list[JsonValue]] = {}
    for field in schema.answer:
        if field.kind == "scores" and "label" in answers[0]:
            added["probability"] = [answer[field.name][answer["label"]] for answer in answers]
        elif field.kind != "scores":
            added[field.name] = [answer.get(field.name) for answer in answers]
    if "reasons" in answers[0]:
        added["reasons"] = [_in_words(answer["reasons"]) for answer in answers]
    kept = table.drop(RESERVED, strict=False)
    renamed = {name: f"input_{name}" for name in kept.columns if name in added}
    for name, new in renamed.items():
        progress.say(
            say(
                f"The table's own column {name} is called {new} in the output.",
                f"表中原有的列 {name} 在输出中改名为 {new}。",
            )
        )
    return kept.rename(renamed).with_columns(
        pl.Series(name, values) for name, values in added.items()
    )


def _in_words(reasons: Sequence[Mapping[str, JsonValue]]) -> str:
    return " ".join(str(reason["text"]) for reason in reasons)


def write_table(table: pl.DataFrame, output: Path) -> None:
    """Write by the ending, whole or not at all: what was there stays until the last moment."""
    import os
    import tempfile

    ending = output.suffix.lower()
    with tempfile.NamedTemporaryFile(
        dir=output.resolve().parent, prefix=f".{output.name}.", delete=False
    ) as file:
        place = Path(file.name)
        try:
            if ending == ".parquet":
                table.write_parquet(file)
            elif ending == ".jsonl":
                table.write_ndjson(file)
            else:
                _check_flat(table, output)
                table.write_csv(file, separator="\t" if ending == ".tsv" else ",")
            file.flush()
            os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            place.chmod(0o666 & ~mask)
            place.replace(output)
        finally:
            place.unlink(missing_ok=True)


def write_lines(table: pl.DataFrame) -> None:
    """JSON lines on standard output, in blocks: a reader that goes away ends it at once."""
    try:
        for start in range(0, table.height, _BLOCK):
            sys.stdout.buffer.write(table.slice(start, _BLOCK).write_ndjson().encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise typer.Exit(0) from None  # head, less: it has seen enough


def _check_flat(table: pl.DataFrame, output: Path) -> None:
    nested = [name for name, kind in table.schema.items() if kind.is_nested()]
    if nested:
        raise UsageError(
            say(
                f"The column {nested[0]} holds lists or objects, which {output.suffix} cannot.",
                f"列 {nested[0]} 含列表或对象，{output.suffix} 无法存放。",
            ),
            "",
            say("Write to .jsonl or .parquet.", "请写成 .jsonl 或 .parquet。"),
        )
