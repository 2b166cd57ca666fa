"""The finding about personal data in text columns."""

from __future__ import annotations

from collections import Counter

from luodi.contracts import CleanSettings, Dataset, Finding, JsonValue, Role, say
from luodi.data.examples import SHOWN, row_example
from luodi.data.privacy import find_personal
from luodi.data.reports import handled


def personal(data: Dataset, clean: CleanSettings) -> tuple[list[Finding], int]:
    """The finding about personal data in text columns, and how many rows hold some."""
    kinds: Counter[str] = Counter()
    rows: set[int] = set()
    examples: list[dict[str, JsonValue]] = []
    columns = []
    for name in data.columns(Role.TEXT):
        before = len(rows)
        for place, text in enumerate(data.table.get_column(name).to_list()):
            spans = find_personal(text) if text else []
            if spans:
                rows.add(place)
                kinds.update(span.kind for span in spans)
                if len(examples) < SHOWN:
                    examples.append(row_example(data, place, _around(text, spans[0].start)))
        if len(rows) > before:
            columns.append(name)
    if not rows:
        return [], 0
    shown = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    return [
        Finding(
            "personal-data",
            "info" if clean.personal_data == "mask" else "warning",
            len(rows),
            say(
                f"{len(rows)} rows hold personal data ({shown}).",
                f"{len(rows)} 行含有个人信息（{shown}）。",
            ),
            examples,
            columns,
            say("Set data.clean.personal_data: mask.", "可设置 data.clean.personal_data: mask。")
            if clean.personal_data == "keep"
            else "",
            handled(clean.personal_data),
            dict(kinds),
        )
    ], len(rows)


def _around(text: str, place: int) -> str:
    """The text from a little before the place on, so that a shortened example shows it."""
    return text if place < 40 else "…" + text[place - 20 :]
