"""Values of any kind to one column of one type."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from luodi.contracts import Finding, JsonValue, say

if TYPE_CHECKING:
    import polars as pl


def column_of(name: str, values: list[JsonValue]) -> tuple[pl.Series, Counter[str]]:
    """The values in one type; the kinds met, when they had to be turned into text."""
    import orjson
    import polars as pl

    kinds = Counter(type(value).__name__ for value in values if value is not None)
    if not kinds:
        return pl.Series(name, values, dtype=pl.String), Counter()
    if kinds.keys() == {"str"}:
        return pl.Series(name, values, dtype=pl.String), Counter()
    if kinds.keys() == {"bool"}:
        return pl.Series(name, values, dtype=pl.Boolean), Counter()
    if kinds.keys() == {"int"} and all(abs(value or 0) < 1 << 63 for value in values):
        return pl.Series(name, values, dtype=pl.Int64), Counter()
    if kinds.keys() <= {"int", "float"} and "float" in kinds:
        floats = [None if value is None else float(value) for value in values]
        return pl.Series(name, floats, dtype=pl.Float64), Counter()
    texts = [
        value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
        for value in values
    ]
    return pl.Series(name, texts, dtype=pl.String), kinds


def mixed_types(name: str, kinds: Counter[str], file: str) -> Finding:
    """The finding about a column that had to be turned into text."""
    shown = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    return Finding(
        "mixed-types",
        "warning" if len(kinds) > 1 else "info",
        sum(kinds.values()),
        say(
            f"{file}: the column {name} holds {shown}; it was read as text.",
            f"{file}：列 {name} 含有 {shown}；已按文本读取。",
        ),
        columns=[name],
        details={"file": file},
    )
