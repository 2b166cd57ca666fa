"""Rows as they are shown in findings: short, and without anybody's personal data."""

from __future__ import annotations

from collections.abc import Iterable

from luodi.contracts import ROW, Dataset, JsonValue, Role
from luodi.data.privacy import mask

SHOWN = 5
_LENGTH = 80


def shorten(text: str, length: int = _LENGTH) -> str:
    """`text` on one line, masked, at most `length` characters."""
    # Masked before it is cut: half a telephone number would pass unseen.
    line = mask(" ".join(text[: 50 * length].split()))
    return line if len(line) <= length else line[: length - 1] + "…"


def row_examples(
    data: Dataset, contents: list[str], rows: Iterable[int], **more: JsonValue
) -> list[dict[str, JsonValue]]:
    """A small record for each of these places: `row` counts from 1 in what was collected."""
    numbers = data.table.get_column(ROW) if ROW in data.table.columns else range(data.rows)
    labels = data.table.get_column(data.column(Role.LABEL)) if data.columns(Role.LABEL) else None
    records = []
    for place in rows:
        record: dict[str, JsonValue] = {"row": int(numbers[place]) + 1}
        if contents[place]:
            record["text"] = shorten(contents[place])
        if labels is not None:
            record["label"] = labels[place]
        records.append({**record, **more})
    return records
