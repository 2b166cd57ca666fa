"""What each row counts for, where the project names a column that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from luodi.contracts import DataError, Dataset, Role, say

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_SHOWN = 3


def as_weight(column: pl.Series) -> pl.Series:
    """The column as weights (float64).

    Raises:
        DataError: where something stands that is no number of 0 or more, or nothing; where all are
            0.
    """
    from luodi.data.formats import format_of
    from luodi.data.kinds import as_numbers

    numbers = as_numbers(column, format_of(column, "number"))
    good = (numbers >= 0).fill_null(False)
    if not good.all():
        wrong = column.filter(~good)
        shown = ", ".join(repr(value) for value in wrong.head(_SHOWN).to_list())
        raise DataError(
            say(
                f"{len(wrong)} values of the weight column {column.name} are no weights: {shown}.",
                f"权重列 {column.name} 有 {len(wrong)} 个值不能作为权重：{shown}。",
            ),
            say("Expected numbers of 0 or more.", "应为不小于 0 的数值。"),
            say("Mend them, or leave data.columns.weight out.",
                "请修正这些值，或去掉 data.columns.weight。"),
        )  # fmt: skip
    if len(numbers) and not (numbers > 0).any():
        raise DataError(
            say(
                f"All weights in {column.name} are 0.",
                f"权重列 {column.name} 全部为 0。",
            ),
            say("Expected some rows that count.", "应至少有一些行的权重大于 0。"),
        )
    return numbers.alias(column.name)


def row_weights(data: Dataset) -> NDArray[np.float64]:
    """(n,) what each row counts for; ones when the project names no weight column. Rows that were
    made for learning carry no weight: they count for as much as the others do on average.
    """
    import numpy as np

    names = data.columns(Role.WEIGHT)
    if not names:
        return np.ones(data.rows)
    weights = data.table.get_column(names[0])
    return np.asarray(weights.fill_null(strategy="mean").to_numpy(), np.float64)
