"""Answered tables: to a file by its ending, or as JSON lines."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from luodi.contracts import UsageError, say

if TYPE_CHECKING:
    import polars as pl

_BLOCK = 4096
"""Rows that are written between two looks at whether the reader is still there."""


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
