"""Where rows come from: files, and what is fetched from afar into the store, as one table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.contracts import RESERVED, ROW, DataError, Finding, Progress, Quiet, say
from luodi.data.fetching import Access, fetch
from luodi.data.header import Header
from luodi.data.locate import Located, locate
from luodi.data.numerals import infer_types
from luodi.data.reading import Part, SourceFile, read_parts
from luodi.data.sampling import drawn, sampled, too_large
from luodi.data.store import Store
from luodi.project.home import home_folder
from luodi.project.sources import (
    AnySource,
    FilesSource,
    ImagesSource,
    TablesSource,
    TextsSource,
    hide_password,
    typed,
)

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Collected:
    """The rows of a source, in one table with the column ROW, and what was noticed on the way."""

    table: pl.DataFrame
    findings: list[Finding]
    files: list[SourceFile]


@dataclass(frozen=True)
class Gathered:
    """A source as parts: tables in memory, and pieces of those too large for it."""

    parts: list[Part]
    findings: list[Finding]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(part.rows for part in self.parts)


def collect(
    source: AnySource,
    root: Path,
    progress: Progress = Quiet(),  # noqa: B008
    access: Access | None = None,
    sample: int | None = None,
    header: Header = None,
    *,
    fitting: bool = False,
) -> Collected:
    """Read everything of `source` into one table.

    Args:
        source: a path or a glob, relative to `root`; `package:NAME[==VERSION]/inner/glob` for
            files of an installed distribution, found without running its code; an address; or
            one of the kinds in `project/sources.py`.
        root: the project's folder.
        progress: told of each file.
        access: what a fetch may use; by default the home folder of `root`, and no private address.
        sample: at most so many rows, drawn evenly over all of them, the same ones each time; ROW
            keeps their places, and a finding counts the others.
        header: where the names of columns come from, unless the source says so itself.
        fitting: of a table larger than memory, such a sample of as many rows as fit.

    Returns:
        The table, in the order of the files' names; files of a glob must agree on their columns.

    Raises:
        DataError: nothing found, an unknown format, an unreadable file (file and line named), a
            source that cannot be had, a table larger than memory without `sample`.
        MissingPartError: a package, a library or a secret is missing.
    """
    gathered = gather(source, root, progress, access, header=header)
    findings, total, shown = gathered.findings, gathered.rows, hide_password(str(source))
    if not total:
        raise DataError(
            say(f"{shown} holds no rows.", f"{shown} 中没有数据行。"),
            say("Expected a header and rows.", "应有表头和数据行。"),
        )
    large = too_large(gathered.parts) if sample is None else None
    if large is not None:
        if not fitting:
            raise large.refused(shown, total)
        sample = large.fits
    chosen = drawn(total, sample) if sample is not None and sample < total else None
    if chosen is None:
        tables = [table for part in gathered.parts for table in part.tables()]
    else:
        tables = sampled(gathered.parts, chosen)
        findings = [*findings, _left_out(shown, total, len(chosen), asked=large is None)]
    table = _join(tables, [part.file.path for part in gathered.parts])
    if chosen is None:
        table = table.with_row_index(ROW)
    return Collected(table, findings, [part.file for part in gathered.parts])


def gather(
    source: AnySource,
    root: Path,
    progress: Progress,
    access: Access | None = None,
    held: int | None = None,
    header: Header = None,
) -> Gathered:
    """Every file of a source, fetched where it is afar, checked, and read as far as it fits.

    Args:
        held: as `read_parts` has it.
        header: as `collect` has it.

    Raises:
        DataError, MissingPartError: as `collect`.
    """
    kind = typed(source)
    place = access or Access(home_folder(root), root)
    if isinstance(kind, TablesSource):
        return _tables(kind, root, progress, place, held, header)
    store = Store(place.home)
    if isinstance(kind, TextsSource | ImagesSource):
        return _folders(kind, root, progress, place, header)
    findings: list[Finding] = []
    if kind.remote:
        manifest = fetch(kind, place, progress)
        findings += manifest.findings
        files = [
            Located(store.check(item), item.name, item.name, None, kind.in_pieces, item.sha256,
                    item.bytes, None if kind.in_pieces else header)
            for item in manifest.objects
        ]  # fmt: skip
    else:
        files = [*_named(kind, root, header)]
    parts: list[Part] = []
    for done, file in enumerate(files):
        progress.step(done, len(files), file.name)
        for part in read_parts(file, store, progress, held):
            _check_names(part)
            if parts and not file.piece:
                _check_columns(parts[0], part)
            parts.append(part)
            findings += part.findings
    progress.step(len(files), len(files))
    return Gathered(parts, _gathered(findings))


def _tables(
    kind: TablesSource,
    root: Path,
    progress: Progress,
    access: Access,
    held: int | None,
    header: Header,
) -> Gathered:
    parts: list[Part] = []
    findings: list[Finding] = []
    for source in kind.tables.values():
        one = gather(source, root, progress, access, held, header)
        for part in one.parts:
            _check_columns(parts[0] if parts else part, part)
            parts.append(part)
        findings += one.findings
    return Gathered(parts, _gathered(findings))


def _named(kind: object, root: Path, header: Header) -> Iterator[Located]:
    assert isinstance(kind, FilesSource)  # noqa: S101  # all that is left
    for file in locate(kind.files, root):
        name = f"{file.path.name}.{kind.format}" if kind.format else ""
        own = header if kind.header is None else kind.header
        yield file._replace(filename=name, sheet=kind.sheet, header=own)


def _folders(
    kind: TextsSource | ImagesSource,
    root: Path,
    progress: Progress,
    access: Access,
    header: Header,
) -> Gathered:
    from luodi.data.folders import read_texts
    from luodi.data.pictures import read_images, read_listed_images

    if isinstance(kind, TextsSource):
        table, findings = read_texts(kind.texts, root)
    elif kind.table is None:
        table, findings = read_images(kind.images, root)
    else:
        listed = collect(kind.table, root, progress, access, header=header)
        table, findings = read_listed_images(kind.images, listed.table.drop(ROW), kind.path, root)
        findings = [*listed.findings, *findings]
    part = Part(SourceFile.of_table(str(kind), table), table=table)
    _check_names(part)
    return Gathered([part], findings)


def _left_out(source: str, total: int, kept: int, *, asked: bool) -> Finding:
    """A warning where nobody asked for a sample: whoever looks at it has to know."""
    return Finding(
        "sample",
        "info" if asked else "warning",
        total - kept,
        say(f"{source}: {kept:,} of {total:,} rows were drawn; {total - kept:,} were left out.",
            f"{source}：从 {total:,} 行中抽取 {kept:,} 行，其余 {total - kept:,} 行未用。"),
        details={"rows": total, "kept": kept},
    )  # fmt: skip


def _check_names(part: Part) -> None:
    if reserved := [name for name in part.columns if name in RESERVED]:
        raise DataError(
            say(
                f"{part.file.path} has a column {reserved[0]}.",
                f"{part.file.path} 中有名为 {reserved[0]} 的列。",
            ),
            say("Luodi keeps that name for itself.", "该名称由 Luodi 保留。"),
            say("Rename the column.", "请重命名该列。"),
        )


def _check_columns(first: Part, part: Part) -> None:
    wanted, found = first.columns, part.columns
    if set(wanted) == set(found):
        return
    file, first_file = part.file.path, first.file.path
    missing = sorted(set(wanted) - set(found), key=wanted.index)
    extra = sorted(set(found) - set(wanted), key=found.index)
    raise DataError(
        say(
            f"{file} and {first_file} differ in their columns"
            + (f"; missing: {', '.join(missing[:10])}" if missing else "")
            + (f"; more: {', '.join(extra[:10])}" if extra else "")
            + ".",
            f"{file} 与 {first_file} 的列不一致"
            + (f"；缺少：{'、'.join(missing[:10])}" if missing else "")
            + (f"；多出：{'、'.join(extra[:10])}" if extra else "")
            + "。",
        ),
        say("Files of one source have the same columns.", "同一来源的文件应有相同的列。"),
        say("Narrow the glob, or name the columns alike.", "请缩小通配范围，或统一列名。"),
    )


def _join(tables: list[pl.DataFrame], files: Sequence[str]) -> pl.DataFrame:
    """The tables under one another; the list is emptied. Types are settled over all files, not file
    by file."""
    import polars as pl

    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    aligned = [_aligned(table, names) for table in tables]
    tables.clear()
    schemas = [dict(table.schema) for table in aligned]  # asking costs as much as columns
    for name in names if len(tables) > 1 else ():
        kinds = {schema[name] for schema in schemas} - {pl.Null()}
        if len(kinds) > 1 and not all(kind.is_numeric() for kind in kinds):
            try:
                aligned = [table.with_columns(pl.col(name).cast(pl.String)) for table in aligned]
            except pl.exceptions.PolarsError:
                shown = ", ".join(sorted(map(str, kinds)))
                raise DataError(
                    say(
                        f"The column {name} has different types ({shown}) in: "
                        f"{', '.join(files[:5])}.",
                        f"列 {name} 的类型不一致（{shown}），见：{'、'.join(files[:5])}。",
                    )
                ) from None
    table = _stacked(aligned) if len(aligned) > 1 else aligned[0].rechunk()
    return infer_types(table.with_columns(pl.col(pl.Null).cast(pl.String)))


def _stacked(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """The tables under one another, and none of them left: column by column, so that a long table
    is held once and not twice."""
    import polars as pl

    left = [table.get_columns()[::-1] for table in tables]
    tables.clear()
    stacked = []
    while left[0]:
        pieces = [columns.pop().to_frame() for columns in left]
        stacked.append(pl.concat(pieces, how="vertical_relaxed", rechunk=True).to_series())
    return pl.DataFrame(stacked)


def _aligned(table: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """The table under these columns; one that it lacks (in a piece) is empty there."""
    import polars as pl

    there = set(table.columns)  # asking costs as much as columns
    absent = [name for name in names if name not in there]
    return table.with_columns(pl.lit(None).alias(name) for name in absent).select(names)


def _gathered(findings: Sequence[Finding]) -> list[Finding]:
    """Findings of one kind over many files as one, so that a thousand files do not flood."""
    kept: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        key = (finding.code, str(finding.details.get("encoding", "")), *finding.columns)
        kept.setdefault(key, []).append(finding)
    return [_one(group) for group in kept.values()]


def _one(group: Sequence[Finding]) -> Finding:
    first = group[0]
    if len(group) == 1:
        return first
    others = len(group) - 1
    return replace(
        first,
        count=sum(finding.count for finding in group),
        message=first.message
        + say(f" The same in {others} more files.", f"另有 {others} 个文件情况相同。"),
        details={"files": [finding.details.get("file") for finding in group]},
    )
