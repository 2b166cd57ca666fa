"""Files too large to be held: read once, a block at a time, into Parquet pieces.

Every check of the short way holds here as well, with the same words and the same line numbers;
types are settled over all pieces, as they would be over the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from luodi.contracts import DataError, Finding, Progress, say
from luodi.data.delimited import (
    OFFER,
    as_texts,
    last_record,
    read_body,
    read_header,
    records_exactly,
)
from luodi.data.header import Header, looks_headerless
from luodi.data.lines import blank_lines, check_no_nul
from luodi.data.numerals import NUMBER, WHOLE, fitting
from luodi.data.readers import HEADED, bare_name, read_json_lines
from luodi.data.textstream import Utf8Blocks
from luodi.data.unpack import Unpacked

if TYPE_CHECKING:
    import polars as pl

FROM = 64 << 20
"""Bytes from which on a text file is scanned, not loaded."""
_LONGEST = 512 << 20  # bytes of one record: beyond it a quote was never closed
_ROWS = 200_000


@dataclass(frozen=True)
class Scanned:
    """A long file as pieces."""

    pieces: list[Path]
    rows: int
    encoding: str
    findings: list[Finding]


def scannable(filename: str) -> bool:
    """Whether files of this name can be read a block at a time."""
    return PurePath(filename).suffix.lower() in _WAYS


def scan(
    content: Unpacked, head: bytes, folder: Path, progress: Progress, header: Header = None
) -> Scanned:
    """The rows of a long file, as pieces in `folder`.

    Args:
        content: whose stream goes on behind `head`.
        header: where the names of columns come from.

    Raises:
        DataError: as the short way does, with file and line.
    """
    import polars as pl

    for left in folder.glob("piece-*.parquet"):
        left.unlink()
    file = content.shown
    text = Utf8Blocks(head, content.stream, file)
    out = _Out(folder, file, partial(_told, progress, content), header)
    ending = PurePath(content.filename).suffix.lower()
    _WAYS[ending](iter(text), file, out)
    if ending in HEADED and header is None and out.pieces:
        first = pl.read_parquet(out.pieces[0], n_rows=_ROWS)
        out.findings += looks_headerless(first.columns, first, file)
    out.settle()
    if out.blank:
        out.findings.append(blank_lines(file, out.blank))
    return Scanned(out.pieces, out.rows, text.encoding, text.findings + out.findings)


def _told(progress: Progress, content: Unpacked, rows: int) -> None:
    stream = content.stream
    total = max(stream.packed, stream.size) if not stream.kind else stream.size * 1.01
    progress.step(stream.size, total, say(f"{rows:,} rows", f"{rows:,} 行"))


class _Out:
    """The pieces as they are made; which columns hold nothing but numbers so far."""

    def __init__(
        self, folder: Path, file: str, tell: Callable[[int], None], header: Header
    ) -> None:
        self.folder, self.file, self.tell, self.header = folder, file, tell, header
        self.pieces: list[Path] = []
        self.findings: list[Finding] = []
        self.rows = self.blank = 0
        self._schemas: list[dict[str, pl.DataType]] = []
        self._numbers: dict[str, str] = {}  # column -> the pattern that all its texts fit
        self._some: set[str] = set()  # columns with any value: one without stays text

    def add(self, table: pl.DataFrame, blank: int = 0) -> None:
        """Keep some rows."""
        self.blank += blank
        if not table.height:
            return
        path = self.folder / f"piece-{len(self.pieces):06d}.parquet"
        table.write_parquet(path, compression="zstd", statistics=False)
        self.pieces.append(path)
        self.rows += table.height
        self._schemas.append(dict(table.schema))
        self._watch(table)
        self.tell(self.rows)

    def _watch(self, table: pl.DataFrame) -> None:
        import polars as pl

        known = table.select(pl.all().is_not_null().any()).row(0)
        filled = [name for name, some in zip(table.columns, known, strict=True) if some]
        self._some.update(filled)
        kinds = table.schema
        for name in table.columns:
            self._numbers.setdefault(name, WHOLE)
        for name in filled:
            if kinds[name] != pl.String:
                self._numbers[name] = ""
        for pattern, otherwise in ((WHOLE, NUMBER), (NUMBER, "")):
            asked = [name for name in filled if self._numbers[name] == pattern]
            fit = fitting(table, asked, pattern)
            self._numbers |= dict.fromkeys((n for n in asked if n not in fit), otherwise)

    def settle(self) -> None:
        """One type a column, over all pieces; those that differ are written again."""
        import polars as pl

        types = self._types()
        for path, schema in zip(self.pieces, self._schemas, strict=True):
            if schema == types and list(schema) == list(types):
                continue
            table = pl.read_parquet(path).select(
                (pl.col(name) if name in schema else pl.lit(None).alias(name)).cast(kind)
                for name, kind in types.items()
            )
            table.write_parquet(path, compression="zstd", statistics=False)

    def _types(self) -> dict[str, pl.DataType]:
        import polars as pl

        types: dict[str, pl.DataType] = {}
        for name in dict.fromkeys(name for schema in self._schemas for name in schema):
            kinds = {schema[name] for schema in self._schemas if name in schema} - {pl.Null()}
            if len(kinds) == 1:
                types[name] = next(iter(kinds))
            elif kinds and all(kind.is_numeric() for kind in kinds):
                types[name] = pl.Float64()
            else:
                types[name] = pl.String()
            pattern = self._numbers[name] if name in self._some else ""
            if pattern and types[name] == pl.String():
                types[name] = pl.Int64() if pattern == WHOLE else pl.Float64()
        return types


def _delimited(separator: str, blocks: Iterator[bytes], file: str, out: _Out) -> None:
    raw = _beginning(blocks, separator)
    if b"\n" not in raw and b"\r" in raw:  # line ends of old Macs
        blocks = (block.replace(b"\r", b"\n") for block in blocks)
        raw = raw.replace(b"\r", b"\n")
    check_no_nul(raw, file)
    head = read_header(raw, file, separator, out.findings, out.header)
    names, separator, before = head.names, head.separator, head.lines
    out.blank += head.blank
    raw = raw[head.body :]
    while True:
        end, standard = last_record(raw, separator)
        if not standard:
            _exactly(chain([raw], blocks), file, separator, names, before, out)
            return
        if end:
            check_no_nul(raw[:end], file, before)
            out.add(*read_body(raw[:end], file, names, separator, before))
            before += raw.count(b"\n", 0, end)
            raw = raw[end:]
        elif len(raw) > _LONGEST:
            raise _endless(file, before + 1)
        following = next(blocks, b"")
        if not following:
            break
        raw += following
    if raw:
        check_no_nul(raw, file, before)
        out.add(*read_body(raw, file, names, separator, before))


def _beginning(blocks: Iterator[bytes], separator: str) -> bytes:
    """So many blocks that the header is in them."""
    raw = next(blocks)
    while len(raw) < _LONGEST:
        end, _ = last_record(raw, separator)
        old = b"" if b"\n" in raw else raw[: raw[:-1].rfind(b"\r") + 1]  # line ends of old Macs
        if OFFER.sub(b"", raw[:end]).strip() or old.strip() or not (block := next(blocks, b"")):
            break
        raw += block
    return raw


def _exactly(
    blocks: Iterable[bytes], file: str, separator: str, names: list[str], before: int, out: _Out
) -> None:  # fmt: skip
    """Quotes in places where the standard has none: record by record."""
    rows: list[list[str]] = []
    for record in records_exactly(_lines(blocks, file, before), file, separator, names, before):
        if record is None:
            out.blank += 1
            continue
        rows.append(record)
        if len(rows) == _ROWS:
            out.add(as_texts(rows, names))
            rows = []
    if rows:
        out.add(as_texts(rows, names))


def _lines(blocks: Iterable[bytes], file: str, before: int) -> Iterator[str]:
    left = b""
    for block in blocks:
        check_no_nul(block, file, before)
        before += block.count(b"\n")
        *whole, left = (left + block).split(b"\n")
        for line in whole:
            yield line.decode() + "\n"
        if len(left) > _LONGEST:
            raise _endless(file, before + 1)
    if left:
        yield left.decode()


def _endless(file: str, line: int) -> DataError:
    return DataError(
        say(f"{file}, line {line}: a record of over {_LONGEST >> 20} MiB.",
            f"{file} 第 {line} 行：一条记录超过 {_LONGEST >> 20} MiB。"),
        say("A quote that opens there may never close.", "该处的引号可能没有闭合。"),
        say("Close it, or write a quote inside a quoted value twice.",
            "请补上引号，或把引号内的引号写两次。"),
    )  # fmt: skip


def _by_lines(
    read: Callable[[bytes, str, int, _Out], None], blocks: Iterator[bytes], file: str, out: _Out
) -> None:
    """Formats in which a line is a row, cut at line ends."""
    left, before = b"", 0
    for block in blocks:
        raw = left + block
        end = raw.rfind(b"\n") + 1
        if not end and len(raw) > _LONGEST:
            raise _endless(file, before + 1)
        if end:
            read(raw[:end], file, before, out)
            before += raw.count(b"\n", 0, end)
        left = raw[end:]
    if left:
        read(left, file, before, out)


def _json_lines(raw: bytes, file: str, before: int, out: _Out) -> None:
    table, findings = read_json_lines(raw, file, before)
    out.blank += sum(finding.count for finding in findings if finding.code == "blank-lines")
    out.findings += [finding for finding in findings if finding.code != "blank-lines"]
    out.add(table)


def _texts(raw: bytes, file: str, before: int, out: _Out) -> None:
    import polars as pl

    check_no_nul(raw, file, before)
    lines = raw.decode().replace("\r\n", "\n").removesuffix("\n").split("\n")
    kept = [line for line in lines if line.strip()]
    table = pl.DataFrame({"text": kept, "file": [bare_name(file)] * len(kept)})
    out.add(table, len(lines) - len(kept))


_WAYS: dict[str, Callable[[Iterator[bytes], str, _Out], None]] = {
    **{ending: partial(_delimited, separator) for ending, separator in HEADED.items()},
    ".jsonl": partial(_by_lines, _json_lines),
    ".ndjson": partial(_by_lines, _json_lines),
    ".txt": partial(_by_lines, _texts),
}
