"""One file's bytes to a table, by format."""

from __future__ import annotations

import gzip
import io
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING

from luodi.contracts import DataError, Finding, JsonValue, say
from luodi.data.delimited import read_delimited
from luodi.data.encoding import to_utf8
from luodi.data.lines import blank_lines, check_header, check_no_nul, empty_file

if TYPE_CHECKING:
    import polars as pl

_UNPACKED_LIMIT = 8 << 30
"""Bytes that a compressed file may unpack to: past it, it is a bomb, not data."""

Read = tuple["pl.DataFrame", list[Finding]]


def read_file(raw: bytes, filename: str, shown: str) -> tuple[pl.DataFrame, str, list[Finding]]:
    """The table in a file, its encoding, and what was noticed.

    Args:
        raw: the file's bytes.
        filename: tells the format by its ending; `.gz` is unpacked first.
        shown: how errors name the file.

    Raises:
        DataError: an unknown ending, or content that is not of the format.
    """
    path = PurePath(filename)
    if path.suffix.lower() == ".gz":
        raw, path = _unpacked(raw, shown), path.with_suffix("")
    ending = path.suffix.lower()
    if ending in _BINARY:
        table, findings = _BINARY[ending](raw, shown)
        return table, "", findings
    if ending not in _TEXT:
        known = ", ".join([*_TEXT, *_BINARY])
        raise DataError(
            say(f"{shown} has the ending {ending!r}.", f"{shown} 的扩展名是 {ending!r}。"),
            say(f"Read are: {known}, and each with .gz.", f"可读取：{known}，以及它们的 .gz。"),
        )
    decoded = to_utf8(raw, shown)
    if not decoded.raw.strip():
        raise empty_file(shown)
    table, findings = _TEXT[ending](decoded.raw, shown)
    return table, decoded.encoding, decoded.findings + findings


def _unpacked(raw: bytes, file: str) -> bytes:
    pieces, size = [], 0
    try:
        with gzip.open(io.BytesIO(raw)) as stream:
            while piece := stream.read(1 << 24):
                size += len(piece)
                if size > _UNPACKED_LIMIT:
                    raise DataError(
                        say(
                            f"{file} unpacks to more than {_UNPACKED_LIMIT >> 30} GiB.",
                            f"{file} 解压后超过 {_UNPACKED_LIMIT >> 30} GiB。",
                        ),
                        remedy=say("Split it into smaller files.", "请拆分为较小的文件。"),
                    )
                pieces.append(piece)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(file, "gzip", error) from None
    return b"".join(pieces)


def _damaged(file: str, kind: str, error: BaseException) -> DataError:
    reason = (
        str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
    )
    return DataError(
        say(f"{file} is no readable {kind}: {reason}.", f"{file} 不是可读的 {kind}:{reason}。"),
        say("The file is damaged or cut short.", "文件已损坏或不完整。"),
        say("Export or copy it again.", "请重新导出或复制。"),
    )


def _csv(raw: bytes, file: str) -> Read:
    return read_delimited(raw, file, ",")


def _tsv(raw: bytes, file: str) -> Read:
    return read_delimited(raw, file, "\t")


def _lines(raw: bytes, file: str) -> Read:
    """One row a line that is not blank: the text, and the file's name without its ending."""
    import polars as pl

    check_no_nul(raw, file)
    text = raw.decode().replace("\r\n", "\n")
    if "\n" not in text:
        text = text.replace("\r", "\n")
    lines = text.removesuffix("\n").split("\n")
    kept = [line for line in lines if line.strip()]
    findings = [blank_lines(file, len(lines) - len(kept))] if len(kept) < len(lines) else []
    name = PurePath(file)
    stem = PurePath(name.stem).stem if name.suffix.lower() == ".gz" else name.stem
    return pl.DataFrame({"text": kept, "file": [stem] * len(kept)}), findings


def _jsonl(raw: bytes, file: str) -> Read:
    import orjson

    records: list[dict[str, JsonValue]] = []
    blank = 0
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            blank += 1
            continue
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise _bad_json(file, number, error.msg) from None
        if not isinstance(record, dict):
            raise _bad_json(file, number, say("not an object", "不是对象"))
        records.append(record)
    blank -= raw.endswith(b"\n")
    table, findings = _from_records(records, file)
    return table, ([blank_lines(file, blank)] if blank > 0 else []) + findings


def _json(raw: bytes, file: str) -> Read:
    import orjson

    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if raw.lstrip().startswith(b"{"):  # JSON Lines under another ending
            return _jsonl(raw, file)
        raise _bad_json(file, error.lineno, error.msg) from None
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise _bad_json(file, 1, say("not a list of objects", "不是对象的列表"))
    for place, record in enumerate(value, start=1):
        if not isinstance(record, dict):
            raise DataError(
                say(
                    f"{file}: item {place} is no object.",
                    f"{file}：第 {place} 项不是对象。",
                ),
                say("Expected a list of objects.", "应为对象的列表。"),
            )
    return _from_records(value, file)


def _bad_json(file: str, line: int, reason: str) -> DataError:
    return DataError(
        say(f"{file}, line {line}: {reason}.", f"{file} 第 {line} 行：{reason}。"),
        say("Expected one JSON object a line.", "每行应为一个 JSON 对象。"),
        say("Mend the line, or export the file again.", "请修正该行，或重新导出文件。"),
    )


def _from_records(records: list[dict[str, JsonValue]], file: str) -> Read:
    import polars as pl

    names = list(dict.fromkeys(name for record in records for name in record))
    check_header(names, file) if names else None
    columns, findings = [], []
    for name in names:
        values = [record.get(name) for record in records]
        column, mixed = _column(name, values)
        columns.append(column)
        if mixed:
            findings.append(_mixed(name, mixed, file))
    return pl.DataFrame(columns), findings


def _column(name: str, values: list[JsonValue]) -> tuple[pl.Series, Counter[str]]:
    """The values in one type; the kinds met, when they had to be turned into text."""
    import orjson
    import polars as pl

    kinds = Counter(type(value).__name__ for value in values if value is not None)
    if not kinds:
        return pl.Series(name, values, dtype=pl.String), Counter()
    if kinds.keys() == {"str"}:
        return pl.Series(name, values, dtype=pl.String), Counter()
    if kinds.keys() == {"bool"}:
        return pl.Series(name, values, dtype=pl.Boolean), Counter()
    if kinds.keys() == {"int"} and all(abs(value or 0) < 1 << 63 for value in values):
        return pl.Series(name, values, dtype=pl.Int64), Counter()
    if kinds.keys() <= {"int", "float"} and "float" in kinds:
        floats = [None if value is None else float(value) for value in values]
        return pl.Series(name, floats, dtype=pl.Float64), Counter()
    texts = [
        value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
        for value in values
    ]
    return pl.Series(name, texts, dtype=pl.String), kinds


def _mixed(name: str, kinds: Counter[str], file: str) -> Finding:
    shown = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return Finding(
        "mixed-types",
        "warning" if len(kinds) > 1 else "info",
        sum(kinds.values()),
        say(
            f"{file}: the column {name} holds {shown}; it was read as text.",
            f"{file}：列 {name} 含有 {shown}；已按文本读取。",
        ),
        columns=[name],
        details={"file": file},
    )


def _parquet(raw: bytes, file: str) -> Read:
    import polars as pl

    return _columnar(lambda: pl.read_parquet(io.BytesIO(raw)), "Parquet", file)


def _arrow(raw: bytes, file: str) -> Read:
    import polars as pl

    return _columnar(lambda: pl.read_ipc(io.BytesIO(raw)), "Arrow", file)


def _columnar(read: Callable[[], pl.DataFrame], kind: str, file: str) -> Read:
    import polars as pl

    try:
        table = read()
    # Polars answers damage inside compressed pages with a Rust panic, which is no Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise _damaged(file, kind, error) from None
    names = [name for name, dtype in table.schema.items() if isinstance(dtype, pl.Categorical)]
    return table.with_columns(pl.col(names).cast(pl.String)), []


def _excel(raw: bytes, file: str) -> Read:
    """The first sheet. Rows without any value are counted and passed over."""
    import fastexcel
    import polars as pl

    try:
        book = fastexcel.read_excel(raw)
        sheets = book.sheet_names
        head = book.load_sheet(0, header_row=None, n_rows=1, dtypes="string").to_polars()
        if not head.height:
            raise empty_file(file)
        names = check_header(head.row(0), file)
        table = book.load_sheet(0, header_row=0, schema_sample_rows=None).to_polars()
    except (fastexcel.FastExcelError, OSError, ValueError) as error:
        raise _damaged(file, "Excel", error) from None
    table = table.rename(dict(zip(table.columns, names, strict=True)))
    empty = table.select(pl.all_horizontal(pl.all().is_null())).to_series()
    findings = []
    if empty.any():
        findings.append(blank_lines(file, int(empty.sum())))
        table = table.filter(~empty)
    if len(sheets) > 1:
        others = ", ".join(sheets[1:])
        findings.append(
            Finding(
                "sheets",
                "warning",
                len(sheets) - 1,
                say(
                    f"{file}: only the first sheet, {sheets[0]}, was read; not {others}.",
                    f"{file}：只读取了第一个工作表 {sheets[0]}，未读取 {others}。",
                ),
                details={"file": file},
            )
        )
    return table, findings


_TEXT: dict[str, Callable[[bytes, str], Read]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".txt": _lines,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".json": _json,
}
_BINARY: dict[str, Callable[[bytes, str], Read]] = {
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
    ".xlsx": _excel,
    ".xls": _excel,
    ".xlsb": _excel,
    ".ods": _excel,
}
