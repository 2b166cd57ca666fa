"""From the project file's `data.columns` to a table whose columns have roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from luodi.contracts import (
    RESERVED,
    DataError,
    Dataset,
    Format,
    QuestionSettings,
    Role,
    RoleRule,
    say,
)
from luodi.contracts.written import DECIMAL_COMMA, PLAIN_POINT
from luodi.data.weights import as_weight

if TYPE_CHECKING:
    import polars as pl

MISSING = ("", "?", "na", "n/a", "nan", "null", "none", "-", "--", ".", "缺失", "无", "未知")
"""What people write where a number or a date is not known, in small letters. Among categories
each of these is a value of its own: "none" may well mean that somebody has no debts."""
SPACES = r"[_ \u{a0}\u{202f}]"
"""What may part the digits of a number beside points and commas."""
_THOUSANDS = r"^[^\d,]*\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?([eE][+-]?\d+)?$"
"""A number whose commas can part nothing but thousands."""
_READ = (Role.TEXT, Role.LABEL)
"""Roles whose columns are read as the kind that the task says; others but the weight stay as they
came."""


def assign_roles(
    table: pl.DataFrame,
    columns: Mapping[str, str | Sequence[str]],
    rules: Mapping[Role, RoleRule],
    question: QuestionSettings | None = None,
) -> Dataset:
    """The table as a Dataset. Columns read as text become text: 1, 1.0 and "1" are one label.

    Args:
        table: as collected.
        columns: role name -> the column, or columns, that play it.
        rules: the roles that the task knows.
        question: what the project file says beside the roles.

    Raises:
        DataError: an unknown role or column (the nearest is named), a required role without a
            column, several columns where one is needed, a label that should be a number and is
            none, or a weight that is none.
    """
    roles: dict[Role, tuple[str, ...]] = {}
    for key, value in columns.items():
        role = _role(key, rules)
        names = (value,) if isinstance(value, str) else tuple(value)
        for name in names:
            _check_column(role, name, table)
        if len(names) > 1 and not rules[role].many:
            raise DataError(
                say(
                    f"{len(names)} columns are given for the role {role}: {', '.join(names)}.",
                    f"角色 {role} 指定了 {len(names)} 列：{'、'.join(names)}。",
                ),
                say("This task takes one.", "此任务只接受一列。"),
            )
        if names:
            roles[role] = names
    question = question or QuestionSettings()
    for role, rule in rules.items():
        if rule.rest and role not in roles and (rest := _rest(table, roles, rules, question)):
            roles[role] = rest
    _check_required(roles, rules, table)
    read = [
        _READERS[rules[role].kind](table.get_column(name))
        for role in _READ
        for name in roles.get(role, ())
    ]
    read += [as_weight(table.get_column(name)) for name in roles.get(Role.WEIGHT, ())]
    return Dataset(table.with_columns(read), roles, question)


def _rest(
    table: pl.DataFrame,
    roles: Mapping[Role, tuple[str, ...]],
    rules: Mapping[Role, RoleRule],
    question: QuestionSettings,
) -> tuple[str, ...]:
    """The columns that play no other role of their own, and are not to be ignored."""
    taken = {name for role, names in roles.items() if not rules[role].shared for name in names}
    taken |= {name for name, kind in question.kinds.items() if kind == "ignore"}
    return tuple(name for name in table.columns if name not in taken and name not in RESERVED)


def as_number(column: pl.Series) -> pl.Series:
    """The column as numbers (float64); null where nothing stands.

    Raises:
        DataError: where something stands that is no number, with the first of it.
    """
    import polars as pl

    from luodi.data.formats import format_of, known

    if column.dtype == pl.Boolean or column.dtype.is_numeric():
        return column.cast(pl.Float64).fill_nan(None)
    text = known(column)
    numbers = written_numbers(text, format_of(column, "number")).fill_nan(None)
    if (wrong := text.is_not_null() & numbers.is_null()).any():
        shown = ", ".join(repr(value) for value in text.filter(wrong).head(3).to_list())
        raise DataError(
            say(
                f"{int(wrong.sum())} values of the column {column.name} are no numbers: {shown}.",
                f"列 {column.name} 有 {int(wrong.sum())} 个值不是数字：{shown}。",
            ),
            say("This task answers with a number.", "此任务的答案是数字。"),
            say(
                "Mend them, or use a classification task.",
                "请修正这些值，或改用分类任务。",
            ),
        )
    return numbers.alias(column.name)


def written_numbers(text: pl.Series, form: Format = "") -> pl.Series:
    """Numbers written as text, as float64; null where there is none.

    A comma parts thousands (1,234 and 1,23,456); elsewhere it may stand for a point, and what may
    be 24.5 must not be read as 245: it is where the column's `form` says so.
    """
    import polars as pl

    bare = text.str.replace_all(SPACES, "")
    if form == "decimal-comma":
        fits = bare.str.contains(DECIMAL_COMMA).fill_null(False)
        plain = bare.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        point = bare.str.contains(PLAIN_POINT).fill_null(False)
        return plain.zip_with(fits, bare.set(~point, None)).cast(pl.Float64, strict=False)
    unclear = bare.str.contains(",") & ~bare.str.contains(_THOUSANDS)
    bare = bare.set(unclear.fill_null(False), None).str.replace_all(",", "")
    return bare.cast(pl.Float64, strict=False)


def as_text(column: pl.Series) -> pl.Series:
    """The column as text: whole numbers without a point, true and false, ISO dates."""
    import polars as pl

    kind = column.dtype
    if kind.is_float():
        # 1e15: above it a float no longer holds every whole number, so its own form is truer.
        whole = column.is_finite() & (column == column.round(0)) & (column.abs() < 1e15)
        whole = whole.fill_null(False)
        integers = column.zip_with(whole, pl.Series([0.0], dtype=kind)).cast(pl.Int64)
        text = integers.cast(pl.String).zip_with(whole, column.cast(pl.String))
        return text.set(column.is_nan().fill_null(False), None).alias(column.name)
    if kind == pl.Binary or kind.is_nested():
        raise DataError(
            say(
                f"The column {column.name} holds {kind}.",
                f"列 {column.name} 的类型是 {kind}。",
            ),
            say("A text or label column holds single values.", "文本列或标签列应为单个值。"),
        )
    return column.cast(pl.String)


_READERS = {"text": as_text, "number": as_number}


def _nearest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5) or get_close_matches(
        name.lower(), [item.lower() for item in known], n=1, cutoff=0.5
    )
    if not close:
        return ""
    best = next(item for item in known if item.lower() == close[0].lower())
    return say(f"Did you mean {best}?", f"是否想写 {best}?")


def _role(key: str, rules: Mapping[Role, RoleRule]) -> Role:
    for role in rules:
        if role.value == key:
            return role
    known = [role.value for role in rules]
    raise DataError(
        say(f"data.columns names the role {key}.", f"data.columns 中有角色 {key}。"),
        say(f"This task knows: {', '.join(known)}.", f"此任务的角色有：{'、'.join(known)}。"),
        _nearest(key, known),
    )


def _check_column(role: Role, name: str, table: pl.DataFrame) -> None:
    known = [column for column in table.columns if column not in RESERVED]
    if name in known:
        return
    shown = known[:30]
    more = len(known) - len(shown)
    raise DataError(
        say(
            f"There is no column {name} (role {role}).",
            f"没有名为 {name} 的列（角色 {role}）。",
        ),
        say(
            f"The columns are: {', '.join(shown)}{f' and {more} more' if more else ''}.",
            f"现有的列：{'、'.join(shown)}{f' 等另外 {more} 列' if more else ''}。",
        ),
        _nearest(name, known),
    )


def _check_required(
    roles: Mapping[Role, tuple[str, ...]], rules: Mapping[Role, RoleRule], table: pl.DataFrame
) -> None:
    missing = [role for role, rule in rules.items() if rule.required and role not in roles]
    if not missing:
        return
    known = ", ".join(column for column in table.columns[:30] if column not in RESERVED)
    raise DataError(
        say(
            f"No column is given for: {', '.join(missing)}.",
            f"未指定以下角色的列：{'、'.join(missing)}。",
        ),
        say("The task needs it.", "此任务需要它。"),
        say(
            f"Name it under data.columns; the table has: {known}.",
            f"请在 data.columns 中写明；表中有：{known}。",
        ),
    )
