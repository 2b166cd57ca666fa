"""Rows in and answers out, a block at a time: as many as there are, in the same memory."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING

from luodi.contracts import say

if TYPE_CHECKING:
    import polars as pl

    from luodi.contracts import Progress
    from luodi.data.header import Header
    from luodi.data.passing import Passing

STDIN = "-"
_BLOCK_BYTES = 2 * 2**20
"""Of a block: a few thousand rows, enough that like lengths are found among them."""
_LONGEST_LINE = 64 * 2**20
_ROWS = 8192
"""Of a block of a table that was read before: its rows have their types, and no line ends."""
_TABLES = (".csv", ".tsv", ".parquet", ".arrow", ".arrows", ".feather")
_WRITTEN = (".csv", ".tsv", ".jsonl")


@dataclass(frozen=True)
class Block:
    """Some rows of the input, and the number of the first, from 0."""

    table: pl.DataFrame
    first: int


@contextmanager
def passing_by(
    source: str, output: Path | None, as_json: bool, progress: Progress, header: Header
) -> Iterator[Iterator[Block] | None]:
    """The input's blocks; None where all rows must be in memory.

    JSON lines are read as they come, and written as such: a later line may have other columns.
    A table is read to its end before its first row is answered: what it holds in a column is known
    then, and every line that is wrong was told.

    Raises:
        DataError: for a table that cannot be read, with file and line.
    """
    ending = None if output is None else output.suffix.lower()
    if output is None and as_json:
        yield None  # the one document holds them all
    elif ending in (None, ".jsonl") and _are_lines(source):
        yield _lines_of(source, progress, header)
    elif (ending is None or ending in _WRITTEN) and _is_table(source):
        with tempfile.TemporaryDirectory(prefix="luodi-predict-") as scratch:
            yield _of_table(source, Path(scratch), progress, header)
    else:
        yield None


def _are_lines(source: str) -> bool:
    path = Path(source)
    return source == STDIN or (path.suffix.lower() == ".jsonl" and path.is_file() and _utf8(path))


def _is_table(source: str) -> bool:
    from luodi.data.unpack import STREAMS

    name = PurePath(source)
    bare = PurePath(name.stem) if name.suffix.lower() in STREAMS else name
    return bare.suffix.lower() in _TABLES and Path(source).is_file()


def _of_table(
    source: str, scratch: Path, progress: Progress, header: Header
) -> Iterator[Block] | None:
    from luodi.data.passing import passing

    found = passing(source, Path.cwd(), scratch, progress, header)
    if found is None:
        return None
    for finding in found.findings:
        progress.say(finding.message)
    return _blocks_of(found, progress)


def _blocks_of(found: Passing, progress: Progress) -> Iterator[Block]:
    first = 0
    for table in found.blocks(_ROWS):
        progress.step(first, found.rows, say(f"{first:,} rows", f"{first:,} 行"))
        yield Block(table, first)
        first += table.height
    progress.step(found.rows, found.rows)


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


def _lines_of(source: str, progress: Progress, header: Header) -> Iterator[Block]:
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
            table, _, findings = read_file(data, Path(name).name, name, header=header)
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
