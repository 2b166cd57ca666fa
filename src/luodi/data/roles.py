"""From the project file's `data.columns` to a table whose columns have roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from luodi.contracts import RESERVED, DataError, Dataset, Role, RoleRule, say

if TYPE_CHECKING:
    import polars as pl

_TEXTUAL = (Role.TEXT, Role.LABEL)


def assign_roles(
    table: pl.DataFrame,
    columns: Mapping[str, str | Sequence[str]],
    rules: Mapping[Role, RoleRule],
) -> Dataset:
    """The table as a Dataset. Text and label columns become text: 1, 1.0 and "1" are one label.

    Args:
        table: as collected.
        columns: role name -> the column, or columns, that play it.
        rules: the roles that the task knows.

    Raises:
        DataError: an unknown role or column (the nearest is named), a required role without a
            column, or several columns where one is needed.
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
    _check_required(roles, rules, table)
    textual = [name for role in _TEXTUAL for name in roles.get(role, ())]
    return Dataset(table.with_columns([as_text(table.get_column(n)) for n in textual]), roles)


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
