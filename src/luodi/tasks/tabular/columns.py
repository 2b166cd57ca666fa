"""Between a table's columns and the fields of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING

from luodi.contracts import DataError, Dataset, Field, JsonValue, Request, Role, say

if TYPE_CHECKING:
    import polars as pl

Columns = Mapping[str, Sequence[JsonValue]]
"""Field name -> the values of n rows, None where nothing is known."""

_CATEGORIES = 200
"""Categories that a schema lists of a field: enough for a form, small enough for a document."""


def request_fields(data: Dataset) -> tuple[Field, ...]:
    """A field for each feature column that can be learnt from, in the table's order.

    A field is required when no row was ever without it: what a model has not seen missing it
    must not be asked about as if it had.

    Raises:
        DataError: no column is left.
    """
    fields = [_field(data, name) for name in data.columns(Role.FEATURE)]
    return _some([field for field in fields if field is not None])


def seen_fields(fields: Sequence[Field], train: Dataset) -> tuple[Field, ...]:
    """The fields with the categories and examples of the training part.

    A column that is empty there teaches nothing, and is no field.

    Raises:
        DataError: no column is left.
    """
    from luodi.data.kinds import read

    found = []
    for field in fields:
        column = train.table.get_column(field.name)
        present = read(column, field.kind, field.format).drop_nulls()
        if len(present):
            found.append(_with_values(field, present))
    return _some(found)


def _some(fields: Sequence[Field]) -> tuple[Field, ...]:
    if not fields:
        raise DataError(
            say("There is no column to learn from.", "没有可供学习的列。"),
            say(
                "Expected at least one that is neither constant, nor empty, nor a running number.",
                "至少需要一列既非常数、非空列、也非流水号的列。",
            ),
            say(
                "Name columns under data.columns.feature, or what they hold under data.kinds.",
                "请在 data.columns.feature 中列出特征列，或在 data.kinds 中指定其类型。",
            ),
        )
    return tuple(fields)


def _field(data: Dataset, name: str) -> Field | None:
    from luodi.data.formats import format_of
    from luodi.data.kinds import read, recognise

    column = data.table.get_column(name)
    kind = data.question.kinds.get(name) or recognise(column)
    if kind == "ignore":
        return None
    form = format_of(column, kind)
    present = read(column, kind, form).drop_nulls()
    if not len(present):
        return None
    return _with_values(Field(name, kind, len(present) == len(column), format=form), present)


def _with_values(field: Field, present: pl.Series) -> Field:
    categories = tuple(_commonest(present)) if field.kind == "category" else ()
    example = categories[0] if categories else _typical(present)
    return replace(field, categories=categories, example=example)


def _commonest(present: pl.Series) -> list[str]:
    import polars as pl

    counts = present.rename("value").value_counts(name="times")
    ordered = counts.sort(pl.col("times"), pl.col("value"), descending=[True, False])
    found: list[str] = ordered.head(_CATEGORIES).get_column("value").to_list()
    return found


def _typical(present: pl.Series) -> JsonValue:
    """The value in the middle: a median number or date, a text of middling length."""
    import polars as pl

    middle = len(present) // 2
    if present.dtype != pl.String:
        return present.sort()[middle]
    return present.to_frame("text").sort(pl.col("text").str.len_chars(), "text")["text"][middle]


def table_columns(data: Dataset, fields: Sequence[Field]) -> dict[str, list[JsonValue]]:
    """The fields' values in each row of a table."""
    from luodi.data.kinds import read_column

    return {
        field.name: read_column(data.table.get_column(field.name), field.kind, field.format)
        for field in fields
    }


def table_requests(data: Dataset, fields: Sequence[Field]) -> list[Request]:
    """The rows of a table as requests."""
    columns = table_columns(data, fields)
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def request_columns(
    requests: Sequence[Request], names: Sequence[str]
) -> dict[str, list[JsonValue]]:
    """Requests turned on their side: a list of values a field."""
    if len(names) > 1 and requests:
        try:
            turned = zip(*map(itemgetter(*names), requests), strict=True)
            return {name: list(values) for name, values in zip(names, turned, strict=True)}
        except KeyError:
            pass  # a request that was never read may lack a field
    return {name: [request.get(name) for request in requests] for name in names}


def row_texts(data: Dataset) -> list[str]:
    """Each row's features as one text: equal texts are rows alike."""
    import polars as pl

    from luodi.data.roles import as_text

    names = data.columns(Role.FEATURE)
    if not names:
        return [""] * data.rows
    columns = [as_text(data.table.get_column(name)).fill_null("") for name in names]
    told = [pl.lit(f"{name}=") + column for name, column in zip(names, columns, strict=True)]
    return pl.select(pl.concat_str(told, separator="; ")).to_series().to_list()
