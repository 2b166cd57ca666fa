"""One file to the parts of a table: held in memory, or scanned into pieces when it is long."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from luodi.contracts import Finding, Progress, Spoken, recording
from luodi.data.arrow_streams import FILE_MARK, batches_in, is_stream, unroll
from luodi.data.header import Header
from luodi.data.locate import Located
from luodi.data.readers import check_named_inside, read_file
from luodi.data.scan import FROM, Scanned, scan, scannable
from luodi.data.store import Manifest, Store, file_digest
from luodi.data.unpack import Unpacked, beside_files, damaged, unpack

if TYPE_CHECKING:
    import polars as pl

ROWS_AT_ONCE, BYTES_AT_ONCE = 250_000, 64 << 20
"""What is taken of a long piece at a time, whichever is less."""
_GLANCE = 1000
_ARROW = (".arrow", ".arrows", ".feather")
_COLUMNAR = (".parquet", *_ARROW)


@dataclass(frozen=True)
class SourceFile:
    """One file that was read. `path` is as a reader would name it: relative where it can be."""

    path: str
    bytes: int
    sha256: str
    encoding: str
    rows: int

    @staticmethod
    def of_table(name: str, table: pl.DataFrame) -> SourceFile:
        """A folder, known by the table that it gave."""
        from luodi.data.fingerprint import fingerprint

        return SourceFile(name, 0, fingerprint(table).removeprefix("sha256:"), "", table.height)


@dataclass(frozen=True)
class Part:
    """The rows of one file: a table, or pieces on the disk; those of a `columnar` file have the
    types that it gave them."""

    file: SourceFile
    table: pl.DataFrame | None = None
    pieces: Sequence[Path] = ()
    findings: list[Finding] = field(default_factory=list)
    columnar: bool = False

    @property
    def rows(self) -> int:
        """How many."""
        return self.file.rows

    @property
    def columns(self) -> list[str]:
        """Their names."""
        import polars as pl

        if self.table is not None:
            return self.table.columns
        if not self.pieces:
            return []
        piece = self.pieces[0]
        return list(pl.read_ipc_schema(piece) if is_arrow(piece) else pl.read_parquet_schema(piece))

    def tables(self) -> Iterator[pl.DataFrame]:
        """The rows, a piece at a time, of a long piece so many rows at a time.

        Raises:
            DataError: a piece is damaged.
        """
        if self.table is not None:
            yield self.table
        for piece in self.pieces:
            start, most = 0, self._at_once(piece)
            while (table := rows_of(piece, self.file.path, start, most)).height:
                yield table
                start += table.height
                if table.height < most:
                    break

    def _at_once(self, piece: Path) -> int:
        """How many rows to take: about `BYTES_AT_ONCE`. A batch of an Arrow file is decoded as a
        whole for each slice of it, so no less than one is taken."""
        if not is_arrow(piece):
            first = rows_of(piece, self.file.path, 0, _GLANCE)
            return _bounded(int(first.estimated_size()), first.height)
        if len(self.pieces) > 1:  # as many as its dictionary has changed
            return ROWS_AT_ONCE
        most = _bounded(piece.stat().st_size, self.rows)
        return max(most, -(-self.rows // batches_in(piece)))


def _bounded(size: int, rows: int) -> int:
    return min(ROWS_AT_ONCE, max(_GLANCE, BYTES_AT_ONCE * rows // max(size, 1)))


def rows_of(path: Path, shown: str, start: int, most: int) -> pl.DataFrame:
    """The next rows of a Parquet or Arrow file from row `start` on, at most so many; none behind
    its end.

    Raises:
        DataError: the file is damaged.
    """
    with _whole(path, shown):
        return _plain(_scan(path).slice(start, most).collect())


def _scan(path: Path) -> pl.LazyFrame:
    import polars as pl

    return pl.scan_ipc(path) if is_arrow(path) else pl.scan_parquet(path)


def _plain(table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    names = [name for name, dtype in table.schema.items() if isinstance(dtype, pl.Categorical)]
    return table.with_columns(pl.col(names).cast(pl.String))


@contextmanager
def _whole(path: Path, shown: str) -> Iterator[None]:
    """Damage in words."""
    import polars as pl

    try:
        yield
    # Polars answers damage inside compressed pages with a Rust panic, which is no Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise damaged(shown, "Arrow" if is_arrow(path) else "Parquet", error) from None


def is_arrow(path: Path) -> bool:
    """Whether a file of columns is Arrow's, not Parquet; what the store keeps has no ending."""
    if not path.suffix:
        with path.open("rb") as file:
            return file.read(len(FILE_MARK)) == FILE_MARK
    return path.suffix.lower() in _ARROW


def read_parts(
    file: Located, store: Store, progress: Progress, held: int | None = None
) -> Iterator[Part]:
    """What a file holds: one part, or one for each file of a .zip.

    Args:
        held: bytes up to which a file is loaded, not scanned; `FROM` when left out.

    Raises:
        DataError: with file and line.
    """
    held = FROM if held is None else held
    known = (file.sha256, file.bytes) if file.sha256 else None
    ending = PurePath(file.filename or file.path.name).suffix.lower()
    same = ending in _COLUMNAR and file.path.suffix.lower() == ending
    if same and long(file.path, held) and not _streamed(file.path):
        check_named_inside(file.name, ending, file.header)
        yield _columnar(file, known or file_digest(file.path))
        return
    aside = beside_files(file.path, file.name) if ending == ".zip" else []
    for content in unpack(file.path, file.name, file.filename):
        head = content.stream.read(held + 1)
        make = _way(content, head, progress, file.header) if len(head) > held else None
        if make is not None:
            known = known or file_digest(file.path)
            part = _scanned(content, make, known, store, file.header)
            yield replace(part, findings=[*aside, *part.findings])
            aside = []
            continue
        raw = head + (content.stream.rest() if len(head) > held else b"")
        if known is None:
            packed = content.stream.kind != ""
            known = (
                file_digest(file.path) if packed else (hashlib.sha256(raw).hexdigest(), len(raw))
            )
        table, encoding, findings = read_file(
            raw, content.filename, content.shown, file.sheet, file.header
        )
        seen = SourceFile(content.shown, known[1], known[0], encoding, table.height)
        yield Part(seen, table, findings=[*aside, *findings])
        aside = []


@cache
def _version() -> str:
    """A name for the code that makes pieces: what other code made is not taken for its own."""
    digest = hashlib.sha256()
    for name in (
        "arrow_streams", "delimited", "edges", "encoding", "header", "json_keys", "json_tables",
        "lines", "numerals", "readers", "scan", "shape", "textstream",
    ):  # fmt: skip
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


def long(path: Path, held: int) -> bool:
    """Whether a file is longer than what is loaded whole."""
    return path.stat().st_size > held


def _streamed(path: Path) -> bool:
    """Whether a file of columns is an Arrow stream, which can only be read from its beginning."""
    if not is_arrow(path):
        return False
    with path.open("rb") as file:
        return is_stream(file.read(len(FILE_MARK)))


def _columnar(file: Located, known: tuple[str, int]) -> Part:
    """A long file of columns is its own piece."""
    import polars as pl

    with _whole(file.path, file.name):
        rows = int(_scan(file.path).select(pl.len()).collect().item())
    seen = SourceFile(file.name, known[1], known[0], "", rows)
    return Part(seen, pieces=[file.path], columnar=True)


def _way(
    content: Unpacked, head: bytes, progress: Progress, header: Header
) -> Callable[[Path], Scanned] | None:
    """How a long file is made pieces in a folder; None for one that must be held."""
    if scannable(content.filename):
        return lambda folder: scan(content, head, folder, Spoken(progress), header)
    if PurePath(content.filename).suffix.lower() not in _ARROW or not is_stream(head):
        return None

    def unrolled(folder: Path) -> Scanned:
        begun = io.BytesIO(head)
        found = unroll(lambda n: begun.read(n) or content.stream.read(n), folder, content.shown)
        rows_of(found.pieces[0], content.shown, 0, _GLANCE)  # damage is told before it is kept
        return Scanned(found.pieces, found.rows, "", [])

    return unrolled


def _scanned(
    content: Unpacked,
    make: Callable[[Path], Scanned],
    known: tuple[str, int],
    store: Store,
    header: Header,
) -> Part:
    """The pieces of a long file, from the store where it was scanned before."""
    named = "" if header is None else f":{header}"
    name = f"scan-{_version()}:{known[0]}:{content.shown}{named}"
    key = hashlib.sha256(name.encode()).hexdigest()[:16]
    manifest = store.find(key)
    if manifest is None or not all(store.object(o.sha256).is_file() for o in manifest.objects):
        with store.work(key) as folder:
            with recording():  # whoever reads the store next may have another language
                done = make(folder)
            objects = [store.put(path, path.name) for path in done.pieces]
            when = datetime.now(UTC).isoformat(timespec="seconds")
            facts = {"encoding": done.encoding, "rows": str(done.rows)}
            manifest = Manifest(content.shown, when, objects, done.findings, facts)
            store.keep(key, manifest)
            store.discard(folder)
        manifest = store.find(key) or manifest
    seen = SourceFile(
        content.shown, known[1], known[0], manifest.facts["encoding"], int(manifest.facts["rows"])
    )
    pieces = [store.object(item.sha256) for item in manifest.objects]
    columnar = not scannable(content.filename)
    return Part(seen, pieces=pieces, findings=list(manifest.findings), columnar=columnar)
