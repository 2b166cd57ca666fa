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
from luodi.data.header import Header, column_names, looks_headerless
from luodi.data.lines import blank_lines, check_no_nul, empty_file

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_QUOTE, _LF, _CR, _SPACE, _TAB = b'"'[0], b"\n"[0], b"\r"[0], b" "[0], b"\t"[0]
_SHOWN = 5
OFFER = re.compile(rb'\A"?sep=([,;|\t])"?[ ]*\r?\n')
"""A first line that Excel and exports for it write; it is no row, and holds no names."""


class Shape(NamedTuple):
    """Where records end, how many fields each has, whether its quotes follow the standard."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    fields: NDArray[np.int64]
    standard: bool


class Head(NamedTuple):
    """How a delimited file begins.

    Attributes:
        separator: as the file has it, which may be another than its ending says.
        body: where the rows begin, in bytes; `lines` and `blank` lines lie before them.
    """

    names: list[str]
    separator: str
    body: int
    lines: int
    blank: int


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
    table, blank = read_body(raw[head.body :], file, head.names, head.separator, head.lines)
    if header is None:
        findings += looks_headerless(head.names, table, file)
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
    above, raw = (offer.end(), raw[offer.end() :]) if offer else (0, raw)
    separator = offer[1].decode() if offer else separator
    separator = _actual_separator(raw, separator, file, findings)
    blank = 0
    reader = csv.reader(_lines_of(raw), delimiter=separator, strict=True)
    before = 0
    try:
        for record in reader:
            if any(value.strip() for value in record) or len(record) > 1:
                break
            blank, before = blank + 1, reader.line_num
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
    names, headed, noticed = column_names(record, header, file)
    findings += noticed
    lines = reader.line_num if headed else before
    body = 0
    for _ in range(lines):
        body = raw.find(b"\n", body) + 1 or len(raw)
    return Head(names, separator, above + body, lines + (above > 0), blank)


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
    shape = _shape(raw, separator.encode()[0])
    if not shape.standard:
        return _read_exactly(raw, file, separator, names, before)
    blank = _blank(raw, shape)
    _check_lengths(raw, shape, blank, names, file, before)
    count = int(blank.sum())
    table = pl.read_csv(
        _without(raw, shape, blank) if count else raw,
        separator=separator,
        has_header=False,
        schema=dict.fromkeys(names, pl.String),
        raise_if_empty=False,
    )
    if table.height != len(blank) - count:  # the promise: no record is lost without a word
        return _read_exactly(raw, file, separator, names, before)
    return table, count


def last_record(raw: bytes, separator: str) -> tuple[int, bool]:
    """Where the last whole record of `raw` ends, 0 when none does; whether its quotes up to
    there follow the standard, without which such a place cannot be told from the bytes alone."""
    import numpy as np

    signs = np.frombuffer(raw, np.uint8)
    breaks = signs == _LF
    quotes = np.flatnonzero(signs == _QUOTE)
    if len(quotes):
        inside = np.zeros(len(signs), np.bool_)
        inside[quotes] = True
        breaks &= ~np.bitwise_xor.accumulate(inside)
    ends = np.flatnonzero(breaks)
    end = int(ends[-1]) + 1 if len(ends) else 0
    within = quotes[quotes < end]
    if not end:
        return 0, not len(quotes) or _quotes_at_edges(signs, quotes, separator.encode()[0])
    return end, not len(within) or _quotes_at_edges(signs[:end], within, separator.encode()[0])


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
        raise _ragged(file, wrong, len(names), count)


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


def _shape(raw: bytes, separator: int) -> Shape:
    import numpy as np

    signs = np.frombuffer(raw, np.uint8)
    breaks = signs == _LF
    commas = signs == separator
    quotes = np.flatnonzero(signs == _QUOTE)
    standard = True
    if len(quotes):
        inside = np.zeros(len(signs), np.bool_)
        inside[quotes] = True
        inside = np.bitwise_xor.accumulate(inside)  # true from an opening quote to its closing one
        breaks &= ~inside
        commas &= ~inside
        standard = not inside[-1] and _quotes_at_edges(signs, quotes, separator)
    ends = np.flatnonzero(breaks)
    if not len(ends) or ends[-1] != len(signs) - 1:
        ends = np.append(ends, len(signs))
    starts = np.concatenate(([0], ends[:-1] + 1))
    places = np.flatnonzero(commas)
    fields = np.searchsorted(places, ends) - np.searchsorted(places, starts) + 1
    return Shape(starts, ends, fields, standard)


def _quotes_at_edges(signs: NDArray[np.uint8], quotes: NDArray[np.int64], separator: int) -> bool:
    """Every opening quote begins a field or follows a closing one; every closing one ends it."""
    import numpy as np

    opening, closing = quotes[0::2], quotes[1::2]
    edges = np.zeros(256, np.bool_)
    edges[[separator, _LF, _QUOTE]] = True
    before = signs[np.maximum(opening - 1, 0)]
    opens = (opening == 0) | edges[before]
    edges[_CR] = True
    after = signs[np.minimum(closing + 1, len(signs) - 1)]
    closes = (closing == len(signs) - 1) | edges[after]
    return bool(opens.all() and closes.all())


def _blank(raw: bytes, shape: Shape) -> NDArray[np.bool_]:
    """Records of white space alone."""
    import numpy as np

    lengths = shape.ends - shape.starts
    blank: NDArray[np.bool_] = lengths == 0
    for index in np.flatnonzero((lengths > 0) & (lengths < 64) & (shape.fields == 1)):
        blank[index] = not raw[shape.starts[index] : shape.ends[index]].strip()
    return blank


def _without(raw: bytes, shape: Shape, blank: NDArray[np.bool_]) -> bytes:
    kept = zip(shape.starts[~blank].tolist(), shape.ends[~blank].tolist(), strict=True)
    return b"\n".join(raw[start:end] for start, end in kept)


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
    raise _ragged(
        file,
        list(zip(lines, shape.fields[wrong[:_SHOWN]].tolist(), strict=True)),
        len(names),
        len(wrong),
    )


def _ragged(file: str, wrong: Sequence[tuple[int, int]], expected: int, count: int) -> DataError:
    english = ", ".join(f"line {line} has {fields}" for line, fields in wrong)
    chinese = "、".join(f"第 {line} 行有 {fields} 个" for line, fields in wrong)
    return DataError(
        say(
            f"{file}: {count} rows do not have the header's {expected} values: {english}"
            f"{', ...' if count > len(wrong) else ''}.",
            f"{file}:{count} 行的值个数与表头的 {expected} 列不符：{chinese}"
            f"{'等' if count > len(wrong) else ''}。",
        ),
        say("Expected as many values as columns.", "每行的值应与列数一致。"),
        say(
            'Quote values that hold the separator: "a, b".',
            '含有分隔符的值请加引号，如 "a, b"。',
        )
        if expected > 1
        else say(
            "Remove what stands above the line of column names, such as a title.",
            "请删除列名行上方的内容，例如标题行。",
        ),
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
