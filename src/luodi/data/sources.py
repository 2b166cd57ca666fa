"""Where rows come from: files named by a path, a glob, or a package that carries them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.contracts import RESERVED, ROW, DataError, Finding, Progress, Quiet, say
from luodi.data.delimited import infer_types
from luodi.data.locate import Located, locate
from luodi.data.readers import read_file

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class SourceFile:
    """One file that was read. `path` is as a reader would name it: relative where it can be."""

    path: str
    bytes: int
    sha256: str
    encoding: str
    rows: int


@dataclass(frozen=True)
class Collected:
    """The rows of a source, in one table with the column ROW, and what was noticed on the way."""

    table: pl.DataFrame
    findings: list[Finding]
    files: list[SourceFile]


def collect(source: str, root: Path, progress: Progress = Quiet()) -> Collected:  # noqa: B008
    """Read every file of `source` into one table.

    Args:
        source: a path or a glob, relative to `root`, or `package:NAME[==VERSION]/inner/glob` for
            files of an installed distribution, found without running its code.
        root: the project's folder.
        progress: told of each file.

    Returns:
        The table, in the order of the files' names; files of a glob must agree on their columns.

    Raises:
        DataError: nothing found, an unknown format, an unreadable file (file and line named).
        MissingPartError: the package is not installed, or in another version.
    """
    located = locate(source, root)
    tables: list[pl.DataFrame] = []
    files: list[SourceFile] = []
    findings: list[Finding] = []
    for done, place in enumerate(located):
        progress.step(done, len(located), place.name)
        table, file, noticed = _read(place)
        if tables:
            _check_columns(tables[0], files[0].path, table, file.path)
        tables.append(table)
        files.append(file)
        findings += noticed
    progress.step(len(located), len(located))
    table = _join(tables, [file.path for file in files])
    if not table.height:
        raise DataError(
            say(f"{source} holds no rows.", f"{source} 中没有数据行。"),
            say("Expected a header and rows.", "应有表头和数据行。"),
        )
    return Collected(table.with_row_index(ROW), _gathered(findings), files)


def _read(place: Located) -> tuple[pl.DataFrame, SourceFile, list[Finding]]:
    try:
        raw = place.path.read_bytes()
    except OSError as error:
        raise DataError(
            say(f"{place.name} cannot be read: {error}.", f"无法读取 {place.name}:{error}。")
        ) from None
    table, encoding, findings = read_file(raw, place.path.name, place.name)
    if reserved := [name for name in table.columns if name in RESERVED]:
        raise DataError(
            say(
                f"{place.name} has a column {reserved[0]}.",
                f"{place.name} 中有名为 {reserved[0]} 的列。",
            ),
            say("Luodi keeps that name for itself.", "该名称由 Luodi 保留。"),
            say("Rename the column.", "请重命名该列。"),
        )
    digest = hashlib.sha256(raw).hexdigest()
    return table, SourceFile(place.name, len(raw), digest, encoding, table.height), findings


def _check_columns(first: pl.DataFrame, first_file: str, table: pl.DataFrame, file: str) -> None:
    if set(first.columns) == set(table.columns):
        return
    missing = [name for name in first.columns if name not in table.columns]
    extra = [name for name in table.columns if name not in first.columns]
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


def _join(tables: Sequence[pl.DataFrame], files: Sequence[str]) -> pl.DataFrame:
    """The tables under one another. Types are settled over all files, not file by file."""
    import polars as pl

    names = tables[0].columns
    aligned = [table.select(names) for table in tables]
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
    return infer_types(pl.concat(aligned, how="vertical_relaxed", rechunk=True))


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
