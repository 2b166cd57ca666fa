"""Classes that an official table has and the rows to learn from have not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from luodi.contracts import Dataset, Finding, say
from luodi.project.mistakes import nearest

_SHOWN = 5
"""Classes that the sentence names."""


def unlearnt_classes(
    learnt: Dataset,
    part: Dataset | None,
    name: str,
    label: str | None,
    content: Callable[[Dataset], Sequence[str]],
) -> list[Finding]:
    """The finding about rows of such classes; none where every class can be learnt.

    Args:
        learnt: the rows that training, and where none is given validation and test, come from.
        part: the official table, after cleaning.
        name: `test` or `valid`.
        label: the column of classes; None where labels are no classes.
        content: a table's rows as texts to show.
    """
    from luodi.data.examples import row_examples

    if part is None or label is None:
        return []
    known = learnt.table.get_column(label).unique().drop_nulls().to_list()
    strange = part.table.get_column(label).is_in(known).not_().fill_null(False)
    if not strange.any():
        return []
    counts = part.table.filter(strange).get_column(label).value_counts(sort=True, name="__rows__")
    classes = {str(value): int(rows) for value, rows in counts.iter_rows()}
    rows = sum(classes.values())
    listed = [f"{value} ({count})" for value, count in classes.items()][:_SHOWN]
    more = len(classes) - len(listed)
    first = next(iter(classes))
    near = nearest(first, map(str, known))
    table = say(f"{name} table", "测试表" if name == "test" else "验证表")
    message = say(
        f"{rows} rows of the {table} are of classes that no row to learn from has: "
        f"{', '.join(listed)}{f' and {more} more' if more else ''}.",
        f"{table}中有 {rows} 行属于训练表中没有的类别："
        f"{'、'.join(listed)}{f' 等另外 {more} 类' if more else ''}。",
    )
    remedy = say(
        f"Add rows of these classes to learn from, or take them out of the {table}.",
        f"请为这些类别补充训练数据，或从{table}中去掉它们。",
    )
    if near:
        remedy += say(f" Is {first} meant to be {near}?", f"{first} 是否应为 {near}？")
    handled = say(
        "Kept: no model learns to give such an answer, so each of these rows counts as a mistake.",
        "已保留：模型无法学会给出这些答案，因此这些行都按答错计。",
    )
    shown = row_examples(part, content(part), strange.arg_true().to_list())
    code, details = f"{name}-only-classes", {"classes": classes}
    return [Finding(code, "warning", rows, message, shown, (label,), remedy, handled, details)]
