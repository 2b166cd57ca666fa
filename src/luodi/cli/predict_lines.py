"""JSON lines in, JSON lines out, a block at a time: as many as there are, in the same memory."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import polars as pl

    from luodi.contracts import Progress

STDIN = "-"
_BLOCK_BYTES = 2 * 2**20
"""Of a block: a few thousand rows, enough that like lengths are found among them."""
_LONGEST_LINE = 64 * 2**20


@dataclass(frozen=True)
class Block:
    """Some rows of the input, and the number of the first, from 0."""

    table: pl.DataFrame
    first: int


def can_stream(source: str, output: Path | None, as_json: bool) -> bool:
    """Whether the rows can be answered without all of them in memory: JSON lines to JSON lines."""
    if output is not None and output.suffix.lower() != ".jsonl":
        return False
    if output is None and as_json:
        return False  # the one document holds them all
    path = Path(source)
    return source == STDIN or (path.suffix.lower() == ".jsonl" and path.is_file() and _utf8(path))


def _utf8(path: Path) -> bool:
    """Whether it begins in plain UTF-8; other encodings are read whole, where they are guessed."""
    with path.open("rb") as file:
        start = file.read(_BLOCK_BYTES)
    if start.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return False
    try:
        start[: start.rfind(b"\n") + 1].decode()
    except UnicodeDecodeError:
        return False
    return True


def blocks(source: str, progress: Progress) -> Iterator[Block]:
    """The input's rows, block by block, each read as a file of its own.

    Raises:
        DataError: for a line that is not JSON; the lines before it were answered.
    """
    from luodi.data.readers import read_file

    total = 0 if source == STDIN else Path(source).stat().st_size
    name = "stdin.jsonl" if source == STDIN else source
    done = first = 0
    with _opened(source) as file:
        while data := _lines(file):
            if total:
                progress.step(done, total)
            done += len(data)
            if not data.strip():
                continue
            table, _, findings = read_file(data, Path(name).name, name)
            for finding in findings if not first else ():
                progress.say(finding.message)
            yield Block(table, first)
            first += table.height
    if total:
        progress.step(total, total)


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    if source == STDIN:
        yield sys.stdin.buffer
    else:
        with Path(source).open("rb") as file:
            yield file


def _lines(file: IO[bytes]) -> bytes:
    """Whole lines, about a block of them; empty at the end."""
    data = file.read(_BLOCK_BYTES)
    if len(data) == _BLOCK_BYTES and not data.endswith(b"\n"):
        data += file.readline(_LONGEST_LINE)
    return data


@contextmanager
def writing(output: Path | None) -> Iterator[Callable[[pl.DataFrame], None]]:
    """Takes tables and writes their rows as JSON lines, to standard output or to a file.

    The file appears whole, once all is written; what was there stays until then.
    """
    if output is None:
        yield _to_stdout
        return
    with tempfile.NamedTemporaryFile(
        dir=output.resolve().parent, prefix=f".{output.name}.", delete=False
    ) as file:
        place = Path(file.name)
        try:
            yield lambda table: table.write_ndjson(file)
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
