"""Texts from data, cut to what a report has room for."""

from __future__ import annotations

TEXT_LENGTH = 160
"""Characters of a row's content that a table shows."""
NAME_LENGTH = 24
"""Characters of a label or a column that a picture's axis has room for."""


def shorten(text: str, length: int = TEXT_LENGTH) -> str:
    """`text` on one line, at most `length` characters, the cut shown."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
