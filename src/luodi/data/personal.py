"""The finding about personal data in columns of text, and the columns that are hidden."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from luodi.contracts import CleanSettings, Dataset, Finding, JsonValue, Role, say
from luodi.data.examples import SHOWN, row_example
from luodi.data.masking import Mask, searching
from luodi.data.privacy import Span, placeholder, replace_spans
from luodi.data.reports import handled

if TYPE_CHECKING:
    import polars as pl

_LEARNT = (Role.TEXT, Role.FEATURE)
FEWEST_DIGITS = 10**9
"""The least number that is looked at as what it may stand for."""
_DRAWN = 300
_JOINED = (Role.GROUP, Role.SLICE, Role.PROTECTED, Role.ID)


def hidden_columns(data: Dataset, clean: CleanSettings) -> list[str]:
    """The columns of text whose personal data is hidden.

    What a model reads; and with pseudonyms, which keep equal things equal, what rows are told
    apart and joined by as well. A placeholder there would make one group of all.
    """
    import polars as pl

    roles = (*_LEARNT, *_JOINED) if clean.personal_data == "pseudonymise" else _LEARNT
    names = dict.fromkeys(name for role in roles for name in data.columns(role))
    return [name for name in names if data.table.schema[name] == pl.String]


def personal(data: Dataset, clean: CleanSettings) -> tuple[list[Finding], int]:
    """The finding about personal data in columns of text, and how many rows hold some."""
    step = searching(clean)
    kinds: Counter[str] = Counter()
    rows: set[int] = set()
    examples: list[dict[str, JsonValue]] = []
    columns = []
    for name in hidden_columns(data, clean):
        column = data.table.get_column(name)
        found = _found(column, step)  # a column of categories has few values, however many rows
        places = column.is_in(list(found)).fill_null(False).arg_true().to_list() if found else []
        for place in places:
            text = column[place]
            kinds.update(span.kind for span in found[text])
            if len(examples) < SHOWN:
                shown = replace_spans(text, found[text], placeholder)
                examples.append(row_example(data, place, _around(shown, found[text][0].start)))
        rows.update(places)
        if places:
            columns.append(name)
    numbers = _in_numbers(data, step)
    if not rows:
        return numbers, 0
    shown = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    return [
        Finding(
            "personal-data",
            "warning" if clean.personal_data == "keep" else "info",
            len(rows),
            say(
                f"{len(rows)} rows hold personal data ({shown}).",
                f"{len(rows)} 行含有个人信息（{shown}）。",
            ),
            examples,
            columns,
            _remedy(clean, names="NAME" in step.kinds),
            handled(clean.personal_data),
            dict(kinds),
        ),
        *numbers,
    ], len(rows)


def _in_numbers(data: Dataset, step: Mask) -> list[Finding]:
    """Columns of whole numbers that are nobody's measure: phone numbers that were read as such.
    They cannot be hidden and stay numbers, so it is told whatever the project asks for."""
    import polars as pl

    found: Counter[str] = Counter()
    columns: dict[str, JsonValue] = {}
    most = 0
    for name in dict.fromkeys(name for role in _LEARNT for name in data.columns(role)):
        column = data.table.get_column(name)
        least = column.min() if column.dtype.is_integer() else None
        if not isinstance(least, int) or least < FEWEST_DIGITS:
            continue
        texts = column.cast(pl.String)
        if not mostly_personal(texts, step):
            continue
        hits = _found(texts, step)
        columns[name] = count = int(texts.is_in(list(hits)).sum())
        most = max(most, count)
        found.update(span.kind for spans in hits.values() for span in spans[:1])
    if not columns:
        return []
    told = ", ".join(columns)
    kind = found.most_common(1)[0][0]
    return [
        Finding(
            "personal-numbers", "warning", most,
            say(f"Whole numbers that look like personal data ({kind}): {told}.",
                f"看起来是个人信息（{kind}）的整数列：{told}。"),
            columns=list(columns),
            remedy=say("A number is not masked: leave the column out, data.kinds.NAME: ignore.",
                       "数值不会被遮盖：请去掉该列，data.kinds.列名: ignore。"),
            details=columns,
        )
    ]  # fmt: skip


def mostly_personal(texts: pl.Series, step: Mask) -> bool:
    """Whether half of a column's values, of some that are evenly drawn, hold personal data: among
    ten thousand codes a few look like a phone number by chance."""
    known = texts.drop_nulls()
    drawn = known.gather_every(-(-len(known) // _DRAWN) or 1)
    found = sum(1 for spans in step.find(drawn.to_list()) if spans)
    return found >= 0.5 * len(drawn) > 0


def _found(column: pl.Series, step: Mask) -> dict[str, list[Span]]:
    """The values that hold personal data, and where."""
    values = column.drop_nulls().unique(maintain_order=True).to_list()
    return {value: spans for value, spans in zip(values, step.find(values), strict=True) if spans}


def _remedy(clean: CleanSettings, names: bool) -> str:
    if clean.personal_data == "keep":
        return say(
            "Set data.clean.personal_data: mask, or pseudonymise.",
            "可设置 data.clean.personal_data: mask 或 pseudonymise。",
        )
    if names:
        return ""
    return say(
        "Names and addresses were not looked for; data.clean.personal_types may name them.",
        "未查找姓名和地址；可在 data.clean.personal_types 中加入 NAME、ADDRESS。",
    )


def _around(text: str, place: int) -> str:
    """The text from a little before the place on, so that a shortened example shows it."""
    return text if place < 40 else "…" + text[place - 20 :]
