"""A table's columns and a model's fields: which is read by which, and the answers beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from luodi.contracts import JsonValue, Limited, Progress, UsageError, say

if TYPE_CHECKING:
    import polars as pl

    from luodi.bundle import LoadedBundle
    from luodi.contracts import Answer, Field, Schema
    from luodi.data.header import Header


def header_of(bundle: LoadedBundle, headed: bool | int | None) -> Header:
    """Where the names of a table's columns come from: its first line, or the bundle.

    Rows that were learnt from without a header are asked about without one, those whose names
    stood below a title by the same line, or by the first where that has them. A bundle that was
    made before its table's columns were kept knows its fields alone.

    Args:
        headed: what the reader says of the first line, if anything; or which line holds names.
    """
    from luodi.bundle import read_data
    from luodi.data.header import Layout

    if headed:
        return headed
    chain = read_data(bundle.folder, bundle.manifest).get("lineage", {})
    tables: dict[str, dict[str, Any]] = {one["table"]: one for one in chain.get("origins", ())}
    learnt = tables.get("data", {})
    line = learnt.get("line", 1) if headed is None else 1
    if headed is None and line == 1 and learnt.get("headed", True):
        return None
    asked = tuple((field.name, *field.aliases) for field in bundle.schema.request)
    columns, labels = learnt.get("columns", ()), learnt.get("labels", ())
    return Layout(tuple(columns), tuple(labels), asked, headed is False, line)


def columns_of(schema: Schema, table: pl.DataFrame) -> list[tuple[Field, pl.Series]]:
    """The column that each field of a request is read from.

    It has the field's name, or the name that the column had in training; a table of one column
    is the one field that a model asks for.

    Raises:
        UsageError: when a field that is needed has none, or the table none of them.
    """
    from luodi.contracts import RESERVED

    there = [name for name in table.columns if name not in RESERVED]
    found = []
    for field in schema.request:
        names = [name for name in (field.name, *field.aliases) if name in there]
        if not names and len(schema.request) == len(there) == 1:
            names = there
        if not names and field.required:
            raise _lacking(field.name, there, schema)
        if names:
            found.append((field, table.get_column(names[0])))
    if not found:  # none is needed, but of none there is nothing to say
        raise _lacking(schema.request[0].name, there, schema)
    return found


def _lacking(name: str, there: Sequence[str], schema: Schema) -> UsageError:
    return UsageError(
        say(
            f"The table has no column {name}; it has: {', '.join(there[:20])}.",
            f"表中没有列 {name}；现有：{'、'.join(there[:20])}。",
        ),
        say(
            f"The model reads: {', '.join(_wanted(schema))}.",
            f"模型读取：{'、'.join(_wanted(schema))}。",
        ),
        say("Rename the column.", "请重命名该列。"),
    )


def field_columns(
    schema: Schema, table: pl.DataFrame, first: int = 0
) -> list[tuple[str, list[JsonValue]]]:
    """The values of the column that each field is read from: see `columns_of`.

    Args:
        first: the number of the table's first row within the input, from 0.

    Raises:
        UsageError: when a field that is needed has none.
        RequestError: for a value that is not of the field's kind.
    """
    from luodi.data.kinds import read_strictly
    from luodi.data.roles import as_text

    return [
        (
            field.name,
            as_text(column).to_list()  # as it is: a blank text is the model's to judge
            if field.kind == "text"
            else read_strictly(column, field, first),
        )
        for field, column in columns_of(schema, table)
    ]


def as_rows(columns: Sequence[tuple[str, Sequence[JsonValue]]]) -> list[JsonValue]:
    """Columns of one length, by field, as what a caller would send: an object a row."""
    names = [name for name, _ in columns]
    values = zip(*(column for _, column in columns), strict=True)
    return [dict(zip(names, row, strict=True)) for row in values]


def row_names(first: int) -> Callable[[int], str]:
    """How an error calls a row of a block that begins at the input's row `first`, by its place
    from 0. The language is asked for once: each of a million rows has a name, read or not."""
    name = say("row {}", "第 {} 行")
    return lambda at: name.format(first + at + 1)


def _wanted(schema: Schema) -> list[str]:
    return [say(" or ", " 或 ").join((field.name, *field.aliases)) for field in schema.request]


def with_answers(
    table: pl.DataFrame, answers: list[Answer], bundle: LoadedBundle, progress: Progress
) -> pl.DataFrame:
    """The table beside its answers: `label` and `probability`, or the answer's own fields; and
    `truncated`, whether the row was longer than is read, where the model has such a limit.

    A column of the table that has such a name is renamed `input_...`: what stands under `label`
    is always the model's answer, never the truth that it is held against.
    """
    import polars as pl

    from luodi.contracts import RESERVED

    added: dict[str, list[JsonValue]] = {}
    for field in bundle.schema.answer:
        if field.kind == "scores" and "label" in answers[0]:
            added["probability"] = [answer[field.name][answer["label"]] for answer in answers]
        elif field.kind != "scores":
            added[field.name] = [answer.get(field.name) for answer in answers]
    if isinstance(bundle.predictor, Limited):
        added["truncated"] = [bool(answer.get("truncated")) for answer in answers]
    if "reasons" in answers[0]:
        added["reasons"] = [_in_words(answer["reasons"]) for answer in answers]
    kept = table.drop(RESERVED, strict=False)
    renamed = {name: f"input_{name}" for name in kept.columns if name in added}
    for name, new in renamed.items():
        progress.say(
            say(
                f"The table's own column {name} is called {new} in the output.",
                f"表中原有的列 {name} 在输出中改名为 {new}。",
            )
        )
    return kept.rename(renamed).with_columns(
        pl.Series(name, values) for name, values in added.items()
    )


def _in_words(reasons: Sequence[Mapping[str, JsonValue]]) -> str:
    return " ".join(str(reason["text"]) for reason in reasons)
