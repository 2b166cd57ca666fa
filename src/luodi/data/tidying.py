"""Which columns of a table are brought into one form, and the steps that do so to requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from luodi.contracts import CleanSettings, Dataset, Role
from luodi.data.preparation import Normalise, Step
from luodi.data.tidy import tidy

if TYPE_CHECKING:
    import polars as pl

Ways = Mapping[str, tuple[str, ...]]
"""Column -> the ways in which its texts are brought into one form."""


def text_ways(data: Dataset, clean: CleanSettings) -> Ways:
    """The columns to be tidied, by the training table: texts and categories.

    Dates, numbers and yes-or-no in text are left as they are: `case` would spoil a date's T.
    """
    import polars as pl

    from luodi.data.kinds import recognise

    wanted: dict[str, tuple[str, ...]] = {}
    for name in (*data.columns(Role.TEXT), *data.columns(Role.FEATURE)):
        ways = clean.of(name).normalise
        column = data.table.get_column(name)
        if not ways or column.dtype != pl.String:
            continue
        kind = data.question.kinds.get(name) or recognise(column)
        if name in data.columns(Role.TEXT) or kind in ("text", "category"):
            wanted[name] = ways
    return wanted


def tidied(table: pl.DataFrame, ways: Ways) -> pl.DataFrame:
    """The table with these columns in one form; each different value is worked on once."""
    import polars as pl

    columns = []
    for name, chosen in ways.items():
        if table.schema.get(name) != pl.String:
            continue
        column = table.get_column(name)
        values = column.drop_nulls().unique()
        after = pl.Series([tidy(value, chosen) for value in values.to_list()], dtype=pl.String)
        columns.append(column.replace_strict(values, after, default=None, return_dtype=pl.String))
    return table.with_columns(columns)


def tidying_steps(data: Dataset, ways: Ways) -> list[Step]:
    """The same for requests: a text column's field is every text, a feature's is its own."""
    steps: list[Step] = []
    if texts := [ways[name] for name in data.columns(Role.TEXT) if name in ways]:
        steps.append(Normalise(texts[0]))
    by_ways: dict[tuple[str, ...], list[str]] = {}
    for name in data.columns(Role.FEATURE):
        if name in ways:
            by_ways.setdefault(ways[name], []).append(name)
    steps += [Normalise(chosen, tuple(names)) for chosen, names in by_ways.items()]
    return steps
