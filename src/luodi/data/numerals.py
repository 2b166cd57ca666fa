"""Columns of texts that are numbers, told without losing a form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

WHOLE = r"^(0|-?[1-9][0-9]{0,14})$"
NUMBER = (
    r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,21})?"
    r"([eE]([+-]?[0-9]{1,2}|-[0-9]{3}|\+?1[0-9]{2}|\+?2[0-8][0-9]))?$"
)
"""Up to e+289: what has no end as a float is no number."""

_FIRST = 200


def infer_types(table: pl.DataFrame) -> pl.DataFrame:
    """Text columns that hold nothing but numbers become numbers.

    Only where no form is lost: "007", "+1" and an 18-digit code stay text.
    """
    import polars as pl

    texts = [name for name, kind in table.schema.items() if kind == pl.String]
    whole = fitting(table, texts, WHOLE)
    number = fitting(table, [name for name in texts if name not in whole], NUMBER)
    return table.with_columns(
        [pl.col(name).cast(pl.Int64) for name in whole]
        + [pl.col(name).cast(pl.Float64) for name in number]
    )


def fitting(table: pl.DataFrame, texts: Sequence[str], pattern: str) -> dict[str, None]:
    """The text columns with a value whose every value fits the pattern.

    Most are told by their first rows, and all columns are asked at once: a question a column
    takes seconds where there are thousands.
    """
    import polars as pl

    for part in (table.head(_FIRST), table):
        if not texts:
            break
        fits = pl.col(texts).str.contains(pattern).all()
        answers = part.select(fits).row(0)
        texts = [name for name, fit in zip(texts, answers, strict=True) if fit]
    if not texts:
        return {}
    known = table.select(pl.col(texts).is_not_null().any()).row(0)
    return dict.fromkeys(name for name, some in zip(texts, known, strict=True) if some)


class Watched:
    """What `infer_types` would say of a whole table, of which one piece after the other is seen.

    Attributes:
        filled: columns with any value: one without stays text.
    """

    def __init__(self) -> None:
        self.filled: set[str] = set()
        self._fit: dict[str, str] = {}  # column -> the pattern that all its texts fit

    def see(self, table: pl.DataFrame) -> None:
        """Take some rows into account."""
        import polars as pl

        known = table.select(pl.all().is_not_null().any()).row(0)
        filled = [name for name, some in zip(table.columns, known, strict=True) if some]
        self.filled.update(filled)
        kinds = table.schema
        for name in table.columns:
            self._fit.setdefault(name, WHOLE)
        for name in filled:
            if kinds[name] != pl.String:
                self._fit[name] = ""
        for pattern, otherwise in ((WHOLE, NUMBER), (NUMBER, "")):
            asked = [name for name in filled if self._fit[name] == pattern]
            fit = fitting(table, asked, pattern)
            self._fit |= dict.fromkeys((n for n in asked if n not in fit), otherwise)

    def kind(self, name: str) -> pl.DataType | None:
        """What a column of texts becomes; None for one that stays as it is."""
        import polars as pl

        pattern = self._fit[name] if name in self.filled else ""
        if not pattern:
            return None
        return pl.Int64() if pattern == WHOLE else pl.Float64()
