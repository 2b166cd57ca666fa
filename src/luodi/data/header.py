"""Column names: given, counted, or of a file's first line; and whether that line looks like one.

A file without a header would lose its first row as column names. So the names are held against
the values under them: a number among numbers, a value that stands again and again below, a text as
long as the texts, a code of the codes' very form speaks for a row; a word over numbers, or over
values of another form, for a header, and one such word is enough.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from luodi.contracts import DataError, Finding, say
from luodi.data.lines import check_header

if TYPE_CHECKING:
    import polars as pl

CODE = "headerless"
_ROWS, _COLUMNS = 1000, 50
_FEW = 12
"""Different values up to which each stands often enough to be met again."""
_OFTEN = 50
_LONG = 24
"""The width from which on a text says something that few column names say."""
_SHOWN = 5
_UNKNOWN = re.compile(r"(?i)|[?.-]+|nan|null|none|n/?a|\\n")


class Named(NamedTuple):
    """The names of a file's columns, and whether its first line held them.

    Attributes:
        findings: that one of them had none.
        nameless: whether the last column has a name only because it must have one.
    """

    names: list[str]
    headed: bool
    findings: Sequence[Finding] = ()
    nameless: bool = False


@dataclass(frozen=True)
class Layout:
    """The columns of the table that a model learnt from, for a file that may not name its own.

    Attributes:
        columns: all of them, in their order; none where that was not kept.
        labels: those that hold the answer, which a file of questions may lack.
        asked: of each field that a model reads, the names that it goes by.
        sure: the reader says that no line holds names; else one that has all that is asked does.
        line: where the names stood when the model learnt; 1 where none did.
    """

    columns: tuple[str, ...]
    labels: tuple[str, ...]
    asked: tuple[tuple[str, ...], ...]
    sure: bool
    line: int = 1

    def has_all(self, record: Sequence[str | None]) -> bool:
        """Whether a record holds a name of each field that is asked for."""
        found = {(value or "").strip() for value in record}
        return not self.sure and all(found.intersection(names) for names in self.asked)

    def named(self, record: Sequence[str | None], file: str, line: int) -> Named:
        """By how many values the first record has: all columns, all but the answer's, or those
        that are read. A separator may stand behind them.

        Raises:
            DataError: the record has another number of them.
        """
        if self.line > 1 or self.has_all(record):
            return _headed(record, file, line)
        ways = self._ways()
        lengths = [len(record), *([len(record) - 1] if _blank_end(record) else [])]
        for length in lengths:
            for way in ways:
                if len(way) == length:
                    return Named(list(way), False)
        told = say(" or ", " 或 ").join(", ".join(way) for way in ways)
        raise DataError(
            say(f"{file}, line {line} has {len(record)} values and no header.",
                f"{file} 第 {line} 行有 {len(record)} 个值，且没有表头。"),
            say(f"Without a header the model reads: {told}.", f"没有表头时，模型读取：{told}。"),
            say("Write a first line that names the columns; --header says that there is one.",
                "请在第一行写上列名；--header 表示已有表头。"),
        )  # fmt: skip

    def _ways(self) -> list[tuple[str, ...]]:
        known = {name for names in self.asked for name in names}
        read = tuple(name for name in self.columns if name in known)
        unlabelled = tuple(name for name in self.columns if name not in self.labels)
        ways = [self.columns, unlabelled, read or tuple(names[0] for names in self.asked)]
        return list(dict.fromkeys(way for way in ways if way))


Header = bool | int | tuple[str, ...] | Layout | None
"""True: the first line holds the names; a number: that line does; False: none does, and columns are
counted; or the names of a file without, or what a model knows of them; None: the first line, and it
is told where that looks wrong."""


def line_of(header: Header) -> int:
    """The line in which the names stand, as far as that is said; else the first."""
    if isinstance(header, Layout):
        return header.line
    return header if isinstance(header, int) and not isinstance(header, bool) else 1


def column_names(
    record: Sequence[str | None], header: Header, file: str, line: int = 1, *, tail: bool = False
) -> Named:
    """The names of a file's columns, whose first record this is.

    Args:
        line: where it stands.
        tail: whether a separator may stand behind the last value.

    Raises:
        DataError: names that are empty, repeated or too few; numbers alone, unless `header` is
            True.
    """
    if header is False:
        names = [f"column_{place}" for place in range(1, len(record) + 1)]
        return Named(names, False, nameless=len(names) > 1)
    if header is None or isinstance(header, int):
        return _headed(record, file, line, numbers=header is not None)
    if isinstance(header, Layout):
        return header.named(record, file, line)
    wanted = (len(header), len(header) + (tail and _blank_end(record)))
    if len(record) not in wanted:
        raise DataError(
            say(f"{file}, line {line} has {len(record)} values; data.header names {len(header)}.",
                f"{file} 第 {line} 行有 {len(record)} 个值，"
                f"而 data.header 有 {len(header)} 个列名。"),
            say("Expected a name a column.", "每列应有一个名称。"),
        )  # fmt: skip
    return Named(check_header(header, file, numbers=True), False)


def _blank_end(record: Sequence[str | None]) -> bool:
    return not (record[-1] or "").strip()


def _headed(record: Sequence[str | None], file: str, line: int, *, numbers: bool = False) -> Named:
    """A line of names. One may lack: of the column before the others, in which pandas, R and
    spreadsheets keep what they call rows by, or of an empty one behind them, where each line ends
    in a separator. A line with fewer names than that is a title."""
    names = [(name or "").strip() for name in record]
    unnamed = [place for place, name in enumerate(names) if not name]
    before = unnamed == [0] and len(names) > 1
    behind = unnamed == [len(names) - 1] and len(names) > 2
    if not (before or behind):
        return Named(check_header(record, file, numbers=numbers, line=line), True)
    [place] = unnamed
    names[place] = f"column_{place + 1}"
    finding = Finding(
        "unnamed", "info", 1,
        say(f"{file}: column {place + 1} has no name; it is called {names[place]}.",
            f"{file}：第 {place + 1} 列没有名称，称为 {names[place]}。"),
        details={"file": file, "column": names[place]},
    )  # fmt: skip
    checked = check_header(names, file, numbers=numbers, line=line)
    return Named(checked, True, [finding], nameless=behind)


def looks_headerless(names: Sequence[str], body: pl.DataFrame, file: str) -> list[Finding]:
    """The finding that the names are probably a row, lost; none where they look like names.

    Args:
        body: the rows under them, or the first of them.
    """
    import polars as pl

    rows = body.select(pl.nth(range(min(body.width, _COLUMNS)))).head(_ROWS)
    columns = [
        [str(value) for value in column.drop_nulls().to_list() if str(value).strip()]
        for column in rows.cast(pl.String, strict=False).iter_columns()
    ]
    heads = [name.strip() for name in names[: len(columns)]]
    if list(heads) in [list(row) for row in rows.head(_FEW).rows()]:
        return []  # the very header, once more: files that were put together
    if _counted(heads):
        return []
    proofs: list[str] = []
    for name, values in zip(heads, columns, strict=True):
        if not values or _UNKNOWN.fullmatch(name):
            continue
        proof = _speaks(name, values)
        if proof is None:
            return []
        proofs += [proof] if proof else []
    return [_told(names, proofs, file)] if proofs else []


def _speaks(name: str, values: Sequence[str]) -> str | None:
    """What says that the name is a value; empty where nothing does, None where it is a name."""
    number = _number(name)
    numbers = [found for value in values if (found := _number(value)) is not None]
    if len(numbers) >= 0.95 * len(values):
        if number is None:
            return None
        within = min(numbers) <= number <= max(numbers)
        return say(f"{name} among numbers", f"{name} 与下方同为数字") if within else ""
    counts = Counter(values)
    again = counts[name]
    few = len(counts) <= _FEW
    if again > 1 and len(counts) <= max(_FEW, len(values) // 5):
        return say(f"{name} stands in {again} rows below", f"{name} 在下方 {again} 行中出现")
    if few and len(values) >= _OFTEN and not again and min(counts.values()) > 1:
        return None
    return _formed(name, values)


def _formed(name: str, values: Sequence[str]) -> str | None:
    """By the form of codes, or by the length of texts."""
    forms = Counter(_form(value) for value in values)
    form, times = forms.most_common(1)[0]
    if "9" in form and times >= 0.95 * len(values) and len(values) > 1:
        alike = say(f"{name} has the form of all values below", f"{name} 与下方各值形式相同")
        return alike if _form(name) == form else None
    texts = sorted(_width(value) for value in values if _is_text(value))
    if len(texts) < 0.8 * len(values) or not _is_text(name):
        return ""
    middle = texts[len(texts) // 2]
    if middle < _LONG or not middle / 2 <= _width(name) <= 2 * middle:
        return ""
    return say(f"“{name[:40]}” is a text like those below", f"“{name[:40]}”与下方同为长文本")


def _counted(names: Sequence[str]) -> bool:
    """Whether years or numbers of places stand over the columns, as in a table put on its side."""
    numbers = [int(name) for name in names if re.fullmatch(r"[0-9]{1,4}", name)]
    rising = all(a < b for a, b in pairwise(numbers))
    return len(numbers) > 2 and rising


def _form(text: str) -> str:
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "9", text[:40]))


def _is_text(value: str) -> bool:
    return " " in value or not value.isascii()


def _width(text: str) -> int:
    """In columns of a terminal, nearly: a Chinese character says as much as two letters."""
    return sum(1 if char.isascii() else 2 for char in text)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _told(names: Sequence[str], proofs: Sequence[str], file: str) -> Finding:
    row, told = ", ".join(name[:40] for name in names[:_SHOWN]), "; ".join(proofs[:_SHOWN])
    more = ", ..." if len(names) > _SHOWN else ""
    return Finding(
        CODE,
        "warning",
        1,
        say(f"{file}, line 1 was read as column names and looks like a row: {row}{more} ({told}).",
            f"{file} 第 1 行被读作列名，但看起来是一行数据：{row}{more}（{told}）。"),
        [{"row": 1, "text": row}],
        remedy=say("Without a header say data.header: false (column_1, column_2, ...) or "
                   "data.header: [names]; if those are names, data.header: true.",
                   "没有表头请写 data.header: false（column_1、column_2……）或 data.header: [列名]；"
                   "若确为列名，请写 data.header: true。"),
        details={"file": file},
    )  # fmt: skip
