"""Rows as they are shown in findings: short, and without anybody's personal data."""

from __future__ import annotations

from collections.abc import Sequence

from luodi.contracts import ROW, Dataset, JsonValue, Role
from luodi.data.privacy import mask

SHOWN = 5
_LENGTH = 80


def shorten(text: str, length: int = _LENGTH) -> str:
    """`text` on one line, masked, at most `length` characters."""
    # Masked before it is cut: half a telephone number would pass unseen.
    line = mask(" ".join(text[: 50 * length].split()))
    return line if len(line) <= length else line[: length - 1] + "…"


def row_example(data: Dataset, place: int, text: str, **more: JsonValue) -> dict[str, JsonValue]:
    """A small record of the row at `place`: its number as collected (from 1), text and label."""
    numbers = data.table.get_column(ROW) if ROW in data.table.columns else range(data.rows)
    record: dict[str, JsonValue] = {"row": int(numbers[place]) + 1}
    if text:
        record["text"] = shorten(text)
    for name in data.columns(Role.LABEL):
        record[name if len(data.columns(Role.LABEL)) > 1 else "label"] = data.table[name][place]
    return {**record, **more}


def row_examples(
    data: Dataset, contents: Sequence[str], rows: Sequence[int]
) -> list[dict[str, JsonValue]]:
    """A record for each of the first few of these rows."""
    return [row_example(data, place, contents[place]) for place in rows[:SHOWN]]
