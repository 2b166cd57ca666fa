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
    if not rows:
        return [], 0
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
        )
    ], len(rows)


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
