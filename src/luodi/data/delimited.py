"""CSV and TSV: every record accounted for, every refusal with its line.

Polars reads fast but pads short records and is undefined on stray quotes. So the shape of the
file is checked first, over the bytes at once; Polars reads files whose shape is right, and
Python's csv module, slower and exact, the ones with quotes in places where the standard
(RFC 4180) has none.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from luodi.contracts import DataError, Finding, say
from luodi.data.edges import (
    Titles,
    first_values,
    header_remedy,
    tail_of,
    tail_told,
    titles,
    titles_told,
    values_above,
)
from luodi.data.header import Header, column_names, line_of, looks_headerless
from luodi.data.lines import blank_lines, check_no_nul, empty_file
from luodi.data.shape import Shape, blank_records, shape_of, without_blank

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_SHOWN = 5
OFFER = re.compile(rb'\A"?sep=([,;|\t])"?[ ]*\r?\n')
"""A first line that Excel and exports for it write; it is no row, and holds no names."""


class Head(NamedTuple):
    """How a delimited file begins.

    Attributes:
        separator: as the file has it, which may be another than its ending says.
        body: where the rows begin, in bytes; `lines` and `blank` lines lie before them.
        tail: the last of the names, where the file has none for it; left out where no row has a
            value there. `spare`: none may have.
    """

    names: list[str]
    separator: str
    body: int
    lines: int
    blank: int
    tail: str = ""
    spare: bool = False

    def seen(self, body: bytes) -> Head:
        """The same, once the first row is there to be looked at."""
        if self.tail or not (tail := tail_of(body, self.names, self.separator)):
            return self
        return self._replace(names=[*self.names, tail], tail=tail, spare=True)


def read_delimited(
    raw: bytes, file: str, separator: str, header: Header = None
) -> tuple[pl.DataFrame, list[Finding]]:
    """All columns as text; `raw` is UTF-8. Empty values are missing ones.

    Raises:
        DataError: an empty file, a NUL byte, a header with empty or repeated names, records of
            another length than the header, a quote that never closes. Each names file and line.
    """
    findings: list[Finding] = []
    check_no_nul(raw, file)
    if not raw.strip():
        raise empty_file(file)
    if b"\n" not in raw and b"\r" in raw:  # line ends of old Macs
        raw = raw.replace(b"\r", b"\n")
    head = read_header(raw, file, separator, findings, header)
    body = raw[head.body :]
    head = head.seen(body)
    table, blank = read_rows(body, file, head, head.lines)
    if head.tail and table.height and not table[head.tail].count():
        table = table.drop(head.tail)
        findings[:] = without_tail(findings, file, head.tail, table.height)
    if header is None:
        findings += looks_headerless(table.columns, table, file)
    if blank + head.blank:
        findings.append(blank_lines(file, blank + head.blank))
    return table, findings


def read_header(
    raw: bytes, file: str, separator: str, findings: list[Finding], header: Header = None
) -> Head:
    """The names in the first record that is not blank, or of a file whose first record is a row.

    Raises:
        DataError: a name that is empty, repeated, or broken by a line end; numbers alone.
    """
    offer = OFFER.match(raw)  # not for readers: it tells Excel what the separator is
    separator = offer[1].decode() if offer else separator
    lines, start = (1, offer.end()) if offer else (0, 0)
    above = Titles(0, 0)
    if line_of(header) > 1:
        first = first_values(raw[start:], _actual_separator(raw[start:], separator, file, []))
        above = titles(raw, header, first, file)
    if above.lines:
        lines, start = above
    separator = _actual_separator(raw[start:], separator, file, findings)
    reader = csv.reader(_lines_of(raw[start:]), delimiter=separator, strict=True)
    blank, before = 0, lines
    try:
        for record in reader:
            if any(value.strip() for value in record) or len(record) > 1:
                break
            blank, before = blank + 1, lines + reader.line_num
        else:
            raise empty_file(file)
    except csv.Error as error:
        raise DataError(
            say(
                f"{file}, line {before + 1}: a column name is broken by a line end or a quote "
                f"({error}).",
                f"{file} 第 {before + 1} 行：列名中含有换行或引号有误（{error}）。",
            ),
            say("Expected one header line.", "应有一行表头。"),
        ) from None
    named = column_names(record, header, file, before + 1, tail=True)
    findings += named.findings
    if above.lines:
        passed = values_above(raw[:start], separator)
        findings.append(titles_told(passed, named.names, file, before + 1))
    last = lines + reader.line_num if named.headed else before
    body = start
    for _ in range(last - lines):
        body = raw.find(b"\n", body) + 1 or len(raw)
    tail = named.names[-1] if named.nameless else ""
    return Head(named.names, separator, body, last, blank, tail)


def read_rows(raw: bytes, file: str, head: Head, before: int) -> tuple[pl.DataFrame, int]:
    """As `read_body`, of a file whose rows may all end in a separator.

    Raises:
        DataError: as `read_body`, of the file as it is without; some rows end so, others do not.
    """
    if not head.spare:
        return read_body(raw, file, head.names, head.separator, before)
    try:
        table, blank = read_body(raw, file, head.names, head.separator, before)
    except DataError:
        table = None
    if table is not None and not table[head.tail].count():
        return table, blank
    read_body(raw, file, head.names[:-1], head.separator, before)
    first = head.lines + 1  # a block of rows that have no such end, after others that have it
    raise ragged(file, [(first, len(head.names))], len(head.names) - 1, 1)


def without_tail(findings: list[Finding], file: str, tail: str, rows: int) -> list[Finding]:
    """What was noticed, now that the last column is left out: it needs no name."""
    kept = [f for f in findings if f.code != "unnamed" or f.details["column"] != tail]
    return [*kept, tail_told(file, rows)]


def read_body(
    raw: bytes, file: str, names: Sequence[str], separator: str, before: int
) -> tuple[pl.DataFrame, int]:
    """The records under a header, and how many blank lines were passed over.

    Args:
        before: how many lines of the file lie before `raw`.

    Raises:
        DataError: as `read_delimited`.
    """
    import polars as pl

    if not raw:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String)), 0
    shape = shape_of(raw, separator.encode()[0])
    if not shape.standard:
        return _read_exactly(raw, file, separator, names, before)
    blank = blank_records(raw, shape)
    _check_lengths(raw, shape, blank, names, file, before)
    count = int(blank.sum())
    table = pl.read_csv(
        without_blank(raw, shape, blank) if count else raw,
        separator=separator,
        has_header=False,
        schema=dict.fromkeys(names, pl.String),
        raise_if_empty=False,
    )
    if table.height != len(blank) - count:  # the promise: no record is lost without a word
        return _read_exactly(raw, file, separator, names, before)
    return table, count


def records_exactly(
    lines: Iterable[str], file: str, separator: str, names: Sequence[str], before: int
) -> Iterator[list[str] | None]:
    """Each record under the header, slowly and exactly; None for a blank line.

    Raises:
        DataError: a record of another length, once all are read; a quote that never closes.
    """
    csv.field_size_limit(sys.maxsize)  # the module's own limit is far below a long document
    reader = csv.reader(lines, delimiter=separator, strict=True)
    wrong: list[tuple[int, int]] = []
    count, line = 0, before + 1
    try:
        for record in reader:
            if not any(value.strip() for value in record) and len(record) < 2:
                yield None
            elif len(record) != len(names):
                count += 1
                if len(wrong) < _SHOWN:
                    wrong.append((line, len(record)))
            else:
                yield record
            line = before + reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            say(f"{file}, line {line}: {error}.", f"{file} 第 {line} 行：引号有误（{error}）。"),
            say("Expected quotes that close.", "引号应成对。"),
            say(
                'Write a quote inside a quoted value twice: "a ""b"" c".',
                '引号内的引号请写两次："a ""b"" c"。',
            ),
        ) from None
    if wrong:
        raise ragged(file, wrong, len(names), count)


def _lines_of(raw: bytes) -> Iterator[str]:
    start = 0
    while start < len(raw):
        end = raw.find(b"\n", start) + 1 or len(raw)
        yield raw[start:end].decode()
        start = end


def _actual_separator(raw: bytes, separator: str, file: str, findings: list[Finding]) -> str:
    head = raw[: raw.find(b"\n") if b"\n" in raw else len(raw)].decode()
    if separator in head:
        return separator
    other = max("\t;|,", key=head.count)
    if not head.count(other):
        return separator
    shown = "\\t" if other == "\t" else other
    findings.append(
        Finding(
            "separator",
            "info",
            1,
            say(f"{file} is separated by {shown!r}.", f"{file} 以 {shown!r} 分隔。"),
            details={"file": file, "separator": other},
        )
    )
    return other


def _check_lengths(
    raw: bytes,
    shape: Shape,
    blank: NDArray[np.bool_],
    names: Sequence[str],
    file: str,
    before: int,
) -> None:
    import numpy as np

    wrong = np.flatnonzero((shape.fields != len(names)) & ~blank)
    if not len(wrong):
        return
    lines = [before + raw.count(b"\n", 0, int(shape.starts[index])) + 1 for index in wrong[:_SHOWN]]
    raise ragged(
        file,
        list(zip(lines, shape.fields[wrong[:_SHOWN]].tolist(), strict=True)),
        len(names),
        len(wrong),
    )


def ragged(file: str, wrong: Sequence[tuple[int, int]], expected: int, count: int) -> DataError:
    """The error for records of another length than the names."""
    english = ", ".join(f"line {line} has {fields}" for line, fields in wrong)
    chinese = "、".join(f"第 {line} 行有 {fields} 个" for line, fields in wrong)
    return DataError(
        say(
            f"{file}: {count} rows do not have the header's {expected} values: {english}"
            f"{', ...' if count > len(wrong) else ''}.",
            f"{file}：{count} 行的值个数与表头的 {expected} 列不符：{chinese}"
            f"{'等' if count > len(wrong) else ''}。",
        ),
        say("Expected as many values as columns.", "每行的值应与列数一致。"),
        say(
            'Quote values that hold the separator: "a, b".',
            '含有分隔符的值请加引号，如 "a, b"。',
        )
        + say(
            " Where a title stands above the names, say in which line they are: ",
            "列名上方若有标题，请写明列名所在的行：",
        )
        + header_remedy(),
    )


def _read_exactly(
    raw: bytes, file: str, separator: str, names: Sequence[str], before: int
) -> tuple[pl.DataFrame, int]:
    lines = io.StringIO(raw.decode(), newline="")
    rows, blank = [], 0
    for record in records_exactly(lines, file, separator, names, before):
        if record is None:
            blank += 1
        else:
            rows.append(record)
    return as_texts(rows, names), blank


def as_texts(rows: Sequence[Sequence[str]], names: Sequence[str]) -> pl.DataFrame:
    """Records as a table of texts; empty values are missing ones."""
    import polars as pl

    columns = {
        name: pl.Series([row[place] or None for row in rows], dtype=pl.String)
        for place, name in enumerate(names)
    }
    return pl.DataFrame(columns)
