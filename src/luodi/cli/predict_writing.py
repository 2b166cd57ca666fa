"""Answered tables: to a file by its ending, or as JSON lines; whole, or block by block."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import typer

from luodi.contracts import UsageError, say

if TYPE_CHECKING:
    import polars as pl

_BLOCK = 4096
"""Rows that are written between two looks at whether the reader is still there."""


def write_table(table: pl.DataFrame, output: Path) -> None:
    """Write by the ending, whole or not at all: what was there stays until the last moment."""
    with _replacing(output) as file:
        if output.suffix.lower() == ".parquet":
            table.write_parquet(file)
        else:
            _writer(output, file)(table)


@contextmanager
def writing(output: Path | None) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Takes tables of the same columns and writes their rows, to a file or as JSON lines to
    standard output.

    The file appears whole, once all is written; what was there stays until then.
    """
    if output is None:
        yield _to_stdout
        return
    with _replacing(output) as file:
        yield _writer(output, file)


def _writer(output: Path, file: IO[bytes]) -> Callable[[pl.DataFrame], None]:
    """Writes tables one after the other: JSON lines, or delimited under one header."""
    ending = output.suffix.lower()
    if ending == ".jsonl":
        return lambda table: table.write_ndjson(file)
    begun = False

    def write(table: pl.DataFrame) -> None:
        nonlocal begun
        _check_flat(table, output)
        separator = "\t" if ending == ".tsv" else ","
        table.write_csv(file, separator=separator, include_header=not begun)
        begun = True

    return write


@contextmanager
def _replacing(output: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `output` once it was written without a fault."""
    with tempfile.NamedTemporaryFile(
        dir=output.resolve().parent, prefix=f".{output.name}.", delete=False
    ) as file:
        place = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            mask = os.umask(0)
            os.umask(mask)
            place.chmod(0o666 & ~mask)
            place.replace(output)
        finally:
            place.unlink(missing_ok=True)


def _to_stdout(table: pl.DataFrame) -> None:
    try:
        sys.stdout.buffer.write(table.write_ndjson().encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise typer.Exit(0) from None  # head, less: it has seen enough


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
