"""Values as people write them: a day, a number with a decimal comma, yes or no.

A column of the training table and a request are read by the same words: what was learnt from
`24,5` or `有` is what is asked about.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

Format = Literal["", "decimal-comma", "day-first", "month-first", "digits"]
"""How a field's texts are written where that is not plain: 1.234,5; 24.05.2020; 05/24/2020;
20200524. What is plain (1234.5, 2020-05-24) is read all the same."""

SPELLINGS = (
    ("true", "false"), ("yes", "no"), ("t", "f"), ("y", "n"), ("1", "0"),
    ("是", "否"), ("有", "无"),
)  # fmt: skip
"""How yes and no are written, in small letters."""
TRUE, FALSE = (frozenset(words) for words in zip(*SPELLINGS, strict=True))

DECIMAL_COMMA = r"^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?$"
"""A number whose comma is a decimal one, and whose points part thousands."""
PLAIN_POINT = r"^[+-]?\d*\.(?:\d{1,2}|\d{4,})$"
"""A number whose point can part no thousands: it is read as it stands in any column."""
_TIME = r"(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?:Z|[+-]\d{2}:?\d{2})?)?"
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?" + _TIME)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})" + _TIME)
_DIGITS = re.compile(r"(\d{4})(\d{2})(\d{2})" + _TIME)
_SPACES = re.compile(r"[_ \u00a0\u202f]")
_DECIMAL, _POINT = re.compile(DECIMAL_COMMA), re.compile(PLAIN_POINT)


def iso_date(text: str, form: Format = "") -> str | None:
    """A day, maybe with a time, as ISO has it: 2024/3/5 is 2024-03-05; None when it is none."""
    text = text.strip()
    if match := _DAY.fullmatch(text):
        year, month, day, time = match.groups()
    elif form in ("day-first", "month-first") and (match := _YEAR_LAST.fullmatch(text)):
        first, second, year, time = match.groups()
        day, month = (first, second) if form == "day-first" else (second, first)
    elif form == "digits" and (match := _DIGITS.fullmatch(text)):
        year, month, day, time = match.groups()
    else:
        return None
    spelt = f"{year}-{int(month):02d}-{int(day):02d}" + (f"T{time}" if time else "")
    try:
        datetime.fromisoformat(spelt)
    except ValueError:
        return None
    return spelt


def truth(text: str) -> bool | None:
    """Yes or no in any of its `SPELLINGS`; None when it is neither."""
    word = text.strip().lower()
    return word in TRUE if word in TRUE or word in FALSE else None


def decimal_comma(text: str) -> float | None:
    """1.234,5 as 1234.5; None when it is no number so written."""
    bare = _SPACES.sub("", text)
    if _POINT.fullmatch(bare):
        return float(bare)
    if _DECIMAL.fullmatch(bare) is None:
        return None
    return float(bare.replace(".", "").replace(",", "."))
