"""One file's bytes to a table, by format."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from luodi.contracts import DataError, Finding, JsonValue, say
from luodi.data.arrow_streams import FILE_MARK, is_stream, messages
from luodi.data.cells import column_of, mixed_types
from luodi.data.delimited import read_delimited
from luodi.data.edges import blank_line, no_line, titles_told
from luodi.data.encoding import to_utf8
from luodi.data.frames import read_frame
from luodi.data.header import Header, Layout, column_names, line_of, looks_headerless
from luodi.data.json_keys import Repeated, names_repeated, repeated_names
from luodi.data.json_tables import in_envelope, rows_of
from luodi.data.lines import blank_lines, check_header, check_no_nul, empty_file
from luodi.data.unpack import ENDINGS, check_archive, damaged
from luodi.project.machine import memory_bytes

if TYPE_CHECKING:
    import polars as pl
    from fastexcel import ExcelReader

Read = tuple["pl.DataFrame", list[Finding]]


def read_file(
    raw: bytes, filename: str, shown: str, sheet: str | int | None = None, header: Header = None
) -> tuple[pl.DataFrame, str, list[Finding]]:
    """The table in a file, its encoding, and what was noticed.

    Args:
        raw: the file's bytes.
        filename: tells the format by its ending.
        shown: how errors name the file.
        sheet: of a workbook, by name or by number from 1; the first when left out.
        header: where the names of columns come from.

    Raises:
        DataError: an unknown ending, or content that is not of the format.
    """
    ending = PurePath(filename).suffix.lower()
    if ending in EXCEL:
        table, findings = _excel(raw, shown, sheet, header)
        return table, "", findings
    if ending not in HEADED:
        check_named_inside(shown, ending, header)
    if ending in _BINARY:
        table, findings = _BINARY[ending](raw, shown)
        return table, "", findings
    if ending not in _TEXT and ending not in HEADED:
        raise unknown_ending(shown, ending)
    decoded = to_utf8(raw, shown)
    if not decoded.raw.strip():
        raise empty_file(shown)
    if ending in HEADED:
        table, findings = read_delimited(decoded.raw, shown, HEADED[ending], header)
    else:
        table, findings = _TEXT[ending](decoded.raw, shown)
    return table, decoded.encoding, decoded.findings + findings


def unknown_ending(shown: str, ending: str) -> DataError:
    """The error for a file of a kind that is not read."""
    known = ", ".join([*HEADED, *_TEXT, *_BINARY, *EXCEL])
    packed = ", ".join(ENDINGS)
    return DataError(
        say(f"{shown} has the ending {ending!r}.", f"{shown} 的扩展名是 {ending!r}。"),
        say(f"Read are: {known}, and each with {packed}.", f"可读取：{known}，以及 {packed}。"),
    )


def check_named_inside(shown: str, ending: str, header: Header) -> None:
    """Refuse a header that the reader gives for a file whose format has names in it.

    Raises:
        DataError: naming both.
    """
    if header is None or (isinstance(header, Layout) and not header.sure):
        return
    given = "--no-header" if isinstance(header, Layout) else "data.header, --header"
    raise DataError(
        say(f"{shown}: {given} is given for a {ending} file.",
            f"{shown}：为 {ending} 文件指定了 {given}。"),
        say("Such a file names its columns itself; a header is a matter of CSV, TSV and Excel.",
            "这类文件自带列名；表头设置只用于 CSV、TSV 和 Excel。"),
        say(f"Remove {given}.", f"请去掉 {given}。"),
    )  # fmt: skip


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
    return pl.DataFrame({"text": kept, "file": [bare_name(file)] * len(kept)}), findings


def bare_name(file: str) -> str:
    """A file's name without the endings that tell how it is packed and read."""
    name = PurePath(file)
    return PurePath(name.stem).stem if name.suffix.lower() in ENDINGS else name.stem


def _jsonl(raw: bytes, file: str) -> Read:
    return read_json_lines(raw, file, 0)


def read_json_lines(raw: bytes, file: str, before: int) -> Read:
    """An object a line; `before` lines of the file lie before `raw`.

    Raises:
        DataError: naming the line that is none.
    """
    import orjson

    records: list[dict[str, JsonValue]] = []
    twice: list[Repeated] = []
    blank = 0
    for number, line in enumerate(raw.split(b"\n"), start=before + 1):
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
        if names := repeated_names(line, record):
            twice.append(Repeated(number, names))
    blank -= raw.endswith(b"\n")
    table, findings = _from_records(records, file)
    told = [blank_lines(file, blank)] if blank > 0 else []
    return table, [*told, *([names_repeated(file, twice)] if twice else []), *findings]


def _json(raw: bytes, file: str) -> Read:
    import orjson

    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if raw.lstrip().startswith(b"{"):  # JSON Lines under another ending
            return _jsonl(raw, file)
        raise _bad_json(file, error.lineno, error.msg) from None
    rows = rows_of(value, file)
    table, findings = _from_records(rows.records, file)
    if names := repeated_names(raw, value):
        findings.append(names_repeated(file, [Repeated(1, names)]))
    if rows.under:
        findings.append(in_envelope(rows, file))
    return table, findings


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
        column, mixed = column_of(name, values)
        columns.append(column)
        if mixed:
            findings.append(mixed_types(name, mixed, file))
    return pl.DataFrame(columns), findings


def _parquet(raw: bytes, file: str) -> Read:
    import polars as pl

    def read() -> pl.DataFrame:
        scanned = pl.scan_parquet(io.BytesIO(raw))
        check_fits(scanned, file)
        return pl.read_parquet(io.BytesIO(raw))

    return _columnar(read, "Parquet", file)


def check_fits(scanned: pl.LazyFrame, file: str) -> None:
    """Refuse a small file of columns that stands for more than the memory holds.

    A value that repeats takes no room in such a file, however often it does.

    Raises:
        DataError: naming rows and columns.
    """
    import polars as pl

    rows, width = int(scanned.select(pl.len()).collect().item()), len(scanned.collect_schema())
    free, _ = memory_bytes()
    if free and rows * width > free:  # a byte a cell is less than any column takes
        raise DataError(
            say(f"{file} stands for {rows:,} rows of {width:,} columns.",
                f"{file} 表示 {rows:,} 行 × {width:,} 列。"),
            say(f"There are {free / (1 << 30):.1f} GiB of memory.",
                f"可用内存为 {free / (1 << 30):.1f} GiB。"),
            say("Split it into smaller files.", "请拆分为较小的文件。"),
        )  # fmt: skip


def _arrow(raw: bytes, file: str) -> Read:
    """Arrow's file format, or its stream format, which names its pieces one by one."""
    import polars as pl

    if not is_stream(raw[: len(FILE_MARK)]):
        return _columnar(lambda: pl.read_ipc(io.BytesIO(raw)), "Arrow", file)
    # A reader takes a stream that broke off between two pieces for a whole one, and passes over
    # one that stands behind it.
    for _ in messages(io.BytesIO(raw).read, file):
        pass
    return _columnar(lambda: pl.read_ipc_stream(io.BytesIO(raw)), "Arrow", file)


def _columnar(read: Callable[[], pl.DataFrame], kind: str, file: str) -> Read:
    import polars as pl

    try:
        table = read()
    # Polars answers damage inside compressed pages with a Rust panic, which is no Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise damaged(file, kind, error) from None
    names = [name for name, dtype in table.schema.items() if isinstance(dtype, pl.Categorical)]
    return table.with_columns(pl.col(names).cast(pl.String)), []


def _excel(raw: bytes, file: str, sheet: str | int | None, header: Header) -> Read:
    """One sheet. Rows without any value are counted and passed over."""
    import fastexcel
    import polars as pl

    check_archive(raw, file)
    try:
        book = fastexcel.read_excel(raw)
        chosen = _sheet(book.sheet_names, sheet, file)
        above, record = _sheet_header(book, chosen, header, file)
        names, headed, noticed, _ = column_names(record, header, file, len(above) + 1)
        row = len(above) if headed else None
        table = book.load_sheet(chosen, header_row=row, schema_sample_rows=None).to_polars()
    except (fastexcel.FastExcelError, OSError, ValueError) as error:
        raise damaged(file, "Excel", error) from None
    table = table.select(table.columns[: len(names)])  # a title may reach farther than the names
    table = table.rename(dict(zip(table.columns, names, strict=True)))
    empty = table.select(pl.all_horizontal(pl.all().is_null())).to_series()
    findings = [*noticed, *(looks_headerless(names, table, file) if header is None else [])]
    if above:
        findings.append(titles_told(above, names, file, len(above) + 1))
    if empty.any():
        findings.append(blank_lines(file, int(empty.sum())))
        table = table.filter(~empty)
    if sheet is None and len(book.sheet_names) > 1:
        first, *rest = book.sheet_names
        others = ", ".join(rest)
        findings.append(
            Finding(
                "sheets",
                "warning",
                len(rest),
                say(
                    f"{file}: only the first sheet, {first}, was read; not {others}.",
                    f"{file}：只读取了第一个工作表 {first}，未读取 {others}。",
                ),
                remedy=say(
                    "To read another: source: {files: ..., sheet: NAME}.",
                    "如需其他工作表：source: {files: ..., sheet: 名称}。",
                ),
                details={"file": file},
            )
        )
    return table, findings


def _sheet_header(
    book: ExcelReader, chosen: str, header: Header, file: str
) -> tuple[list[list[str]], list[str | None]]:
    """The rows above the names, counted as the sheet counts them, and the row of names."""
    first = book.load_sheet(chosen, header_row=None, n_rows=1, dtypes="string").to_polars()
    if not first.height:
        raise empty_file(file)
    line = line_of(header)
    if line == 1 or (isinstance(header, Layout) and header.has_all(first.row(0))):
        return [], list(first.row(0))
    top = book.load_sheet(
        chosen, header_row=None, skip_rows=0, n_rows=line, dtypes="string"
    ).to_polars()
    if top.height < line:
        raise no_line(file, line, top.height)
    *above, record = [[value or "" for value in row] for row in top.iter_rows()]
    if not any(record):
        raise blank_line(file, line)
    while not record[-1]:
        del record[-1]
    return above, list(record)


def _sheet(names: Sequence[str], wanted: str | int | None, file: str) -> str:
    """The sheet of this name, or of this number from 1."""
    if wanted is None and names:
        return names[0]
    if isinstance(wanted, int) and str(wanted) not in names and 0 < wanted <= len(names):
        return names[wanted - 1]
    if str(wanted) in names:
        return str(wanted)
    shown = ", ".join(names)
    raise DataError(
        say(f"{file} has no sheet {wanted}.", f"{file} 中没有工作表 {wanted}。"),
        say(f"There are: {shown}.", f"已有：{shown}。"),
    )


HEADED = {".csv": ",", ".tsv": "\t"}
_TEXT: dict[str, Callable[[bytes, str], Read]] = {
    ".txt": _lines,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".json": _json,
}
_BINARY: dict[str, Callable[[bytes, str], Read]] = {
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".arrows": _arrow,
    ".feather": _arrow,
    ".pkl": read_frame,
    ".pickle": read_frame,
}
EXCEL = (".xlsx", ".xls", ".xlsb", ".ods")
