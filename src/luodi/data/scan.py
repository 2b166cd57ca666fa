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
    Head,
    as_texts,
    ragged,
    read_header,
    read_rows,
    records_exactly,
    without_tail,
)
from luodi.data.header import Header, line_of, looks_headerless
from luodi.data.lines import blank_lines, check_no_nul
from luodi.data.numerals import Watched
from luodi.data.readers import HEADED, bare_name, read_json_lines
from luodi.data.shape import last_record
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
    out.leave_tail()
    if ending in HEADED and header is None and out.pieces:
        first = pl.read_parquet(out.pieces[0], n_rows=_ROWS).drop(out.tail, strict=False)
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
        self.tail = ""  # a last column without a name, which may be empty throughout
        self._schemas: list[dict[str, pl.DataType]] = []
        self._seen = Watched()

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
        self._seen.see(table)
        self.tell(self.rows)

    def filled(self, name: str) -> bool:
        """Whether a column has any value."""
        return name in self._seen.filled

    def leave_tail(self) -> None:
        """Whether the last column, which has no name of its own, is left out: no row fills it."""
        if self.filled(self.tail) or not self.rows:
            self.tail = ""
        if self.tail:
            self.findings = without_tail(self.findings, self.file, self.tail, self.rows)

    def settle(self) -> None:
        """One type a column, over all pieces; those that differ are written again."""
        import polars as pl

        types = self._types()
        types.pop(self.tail, None)
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
            if types[name] == pl.String():
                types[name] = self._seen.kind(name) or types[name]
        return types


def _delimited(separator: str, blocks: Iterator[bytes], file: str, out: _Out) -> None:
    raw = _beginning(blocks, separator, line_of(out.header))
    if b"\n" not in raw and b"\r" in raw:  # line ends of old Macs
        blocks = (block.replace(b"\r", b"\n") for block in blocks)
        raw = raw.replace(b"\r", b"\n")
    check_no_nul(raw, file)
    head = read_header(raw, file, separator, out.findings, out.header)
    separator, before = head.separator, head.lines
    out.blank += head.blank
    raw = raw[head.body :]
    while True:
        end, standard = last_record(raw, separator)
        if not out.rows and (raw[:end].strip() or not standard):
            head = head.seen(raw)
            out.tail = head.tail
        if not standard:
            _exactly(chain([raw], blocks), file, head, before, out)
            return
        if end:
            check_no_nul(raw[:end], file, before)
            out.add(*read_rows(raw[:end], file, head, before))
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
        head = head if out.rows else head.seen(raw)
        out.tail = head.tail
        out.add(*read_rows(raw, file, head, before))


def _beginning(blocks: Iterator[bytes], separator: str, line: int) -> bytes:
    """So many blocks that the header, which stands in this line at the latest, is in them."""
    raw = next(blocks)
    while len(raw) < _LONGEST:
        start, ending = 0, b"\n" if b"\n" in raw else b"\r"
        for _ in range(line - 1):
            start = raw.find(ending, start) + 1 or len(raw)
        end, _ = last_record(raw[start:], separator)
        # Line ends of old Macs: the last byte of a block may be half of another's.
        old = b"" if ending == b"\n" else raw[start : raw[:-1].rfind(b"\r") + 1]
        whole = OFFER.sub(b"", raw[start : start + end])
        if whole.strip() or old.strip() or not (block := next(blocks, b"")):
            break
        raw += block
    return raw


def _exactly(blocks: Iterable[bytes], file: str, head: Head, before: int, out: _Out) -> None:
    """Quotes in places where the standard has none: record by record."""
    rows: list[list[str]] = []
    names, lines = head.names, _lines(blocks, file, before)
    for record in records_exactly(lines, file, head.separator, names, before):
        if record is None:
            out.blank += 1
            continue
        rows.append(record)
        if len(rows) == _ROWS:
            out.add(as_texts(rows, names))
            rows = []
    if rows:
        out.add(as_texts(rows, names))
    if head.spare and out.filled(head.tail):
        raise ragged(file, [(head.lines + 1, len(names))], len(names) - 1, 1)


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
