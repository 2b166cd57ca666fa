"""What a spreadsheet made of a label when a table was opened in it and saved again.

It takes 007 for 7, 1.0 for 1, true for TRUE, 2024-05-01 for a day that it writes as its region
does, 1-3 for the third of January, and a long number for its first six digits. What is written is
held against the labels that there are: each may be read in several ways, one in common is enough.
"""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from luodi.contracts import DataError, say

Reading = tuple[str | int | Decimal, ...]
"""A kind, and the value: of a number, of a day, of a day without a year, of yes and no."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_SHORTENED = re.compile(r"[+-]?\d(\.\d+)?e[+-]?\d+", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: 0?0:00(?::00(?:\.0+)?)?)?")
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})")
_NO_YEAR = re.compile(r"(\d{1,2})[-/月](\d{1,2})日?")
_NAMED = re.compile(r"(\d{1,2})-([A-Za-z]{3})|([A-Za-z]{3})-(\d{1,2})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def defused(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula; a plain number is none."""
    return f"'{text}" if text.startswith(FORMULA) and not _NUMBER.fullmatch(text) else text


def bare(text: str) -> str:
    """What `defused` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


class Labels:
    """The labels that there are, found again by what a spreadsheet made of them.

    Args:
        written: all that a file holds of labels. One among it that no spreadsheet leaves as it is
            tells that none had the file; then a text that is a label stands for itself alone.
    """

    def __init__(self, labels: Iterable[str], written: Iterable[str]) -> None:
        self.known = set(labels)
        seen = set(written)
        self.as_they_were = any(rewritten(label) for label in self.known & seen)
        self.taken_for: dict[Reading, list[str]] = {}
        for label in sorted(self.known):
            for reading in readings(label):
                self.taken_for.setdefault(reading, []).append(label)

    def meant(self, written: str) -> Sequence[str]:
        """The labels that may be meant by a text: one, several, or none."""
        if written in self.known and self.as_they_were:
            return [written]
        found = {written} & self.known
        for reading in readings(written):
            found.update(self.taken_for.get(reading, ()))
        if digits := _digits(written):
            found.update(label for label in self.known if _rounded(label, digits, written))
        return sorted(found)


def rewritten(label: str) -> bool:
    """Whether no spreadsheet would leave the label as it is: what still stands so was in none."""
    if label.casefold() in ("true", "false"):
        return not label.isupper()
    plain = re.fullmatch(r"-?(0|[1-9]\d{0,10})(\.\d{0,5}[1-9])?", label)
    return bool(readings(label)) and not plain


def readings(text: str) -> frozenset[Reading]:
    """All that a spreadsheet may take a text for; nothing for one that it leaves alone."""
    if text.casefold() in ("true", "false"):
        return frozenset({("truth", text.casefold())})
    found: set[Reading] = set()
    number = _number(text)
    if number is not None:
        found.add(("number", number))
    if match := _YEAR_FIRST.fullmatch(text):
        found |= _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _YEAR_LAST.fullmatch(text):
        year = int(match[4]) + (0 if len(match[4]) == 4 else 2000 if int(match[4]) < 30 else 1900)
        found |= _day(year, int(match[1]), int(match[3])) | _day(year, int(match[3]), int(match[1]))
    if match := _NO_YEAR.fullmatch(text):
        found |= _month_day(int(match[1]), int(match[2]))
        if "月" not in text:
            found |= _month_day(int(match[2]), int(match[1]))
    if match := _NAMED.fullmatch(text):
        name, day = match[2] or match[3], int(match[1] or match[4])
        if name.lower() in _MONTHS:
            found |= _month_day(_MONTHS.index(name.lower()) + 1, day)
    return frozenset(found)


def _number(text: str) -> Decimal | None:
    """A comma is a decimal one: none parts thousands where no format was chosen."""
    text = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return Decimal(text).normalize() + 0
    except InvalidOperation:
        return None


def _digits(written: str) -> int:
    """How many digits are left of a long number; 0 for a text that is not shortened."""
    text = written.replace(",", ".")
    return (
        sum(map(str.isdigit, text.lower().partition("e")[0])) if _SHORTENED.fullmatch(text) else 0
    )


def _rounded(label: str, digits: int, written: str) -> bool:
    number = _number(label)
    return number is not None and Decimal(f"{number:.{digits - 1}e}") == _number(written)


def _day(year: int, month: int, day: int) -> set[Reading]:
    try:
        date(year, month, day)
    except ValueError:
        return set()
    return {("day", year, month, day)}


def _month_day(month: int, day: int) -> set[Reading]:
    return {("day of a year", *found[2:]) for found in _day(2024, month, day)}


def saved_rows(path: Path, shown: str) -> Iterator[tuple[int, list[str]]]:
    """A corrected file's rows as texts, the header first, each with its line; a workbook's by row.

    Raises:
        DataError: the file cannot be read, or is no table.
    """
    from luodi.data.delimited import OFFER
    from luodi.data.encoding import to_utf8
    from luodi.data.readers import EXCEL, read_file
    from luodi.data.roles import as_text

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(
            say(
                f"{shown} cannot be read: {error.strerror}.",
                f"无法读取 {shown}：{error.strerror}。",
            ),
            say("data.corrections names it.", "由 data.corrections 指定。"),
        ) from None
    if path.suffix.lower() in EXCEL:
        table, _, _ = read_file(raw, path.name, shown)
        yield 1, table.columns
        rows = zip(*(as_text(column).to_list() for column in table.iter_columns()), strict=True)
        yield from ((line, [value or "" for value in row]) for line, row in enumerate(rows, 2))
        return
    text = to_utf8(raw, shown).raw.decode().removeprefix("\ufeff")
    csv.field_size_limit(sys.maxsize)  # the module's own limit is far below a long document
    offer = OFFER.match(text[:20].encode())
    text, line = (text[offer.end() :], 2) if offer else (text, 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text))
    above = line
    try:
        for row in reader:
            yield line, row
            line = above + reader.line_num
    except csv.Error as error:
        raise DataError(
            say(f"{shown}, line {line}: {error}.", f"{shown} 第 {line} 行：{error}。"),
            say("Expected CSV as a spreadsheet saves it.", "应为电子表格保存的 CSV。"),
        ) from None


def _separator(text: str) -> str:
    """What a spreadsheet put between the values: it follows the machine's region."""
    first = next(iter(text.splitlines()), "")
    return max(",;\t", key=first.count)
