"""Rows that stand more than once, and equal rows with unlike labels, in any table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from luodi.contracts import Finding, say
from luodi.data.examples import SHOWN, shorten
from luodi.data.findings.column import (
    Column,
    Noticed,
    Record,
    Sheet,
)

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_MANY = 0.01
"""The share of rows from which copies and conflicts are more than what small tables always have."""
NEAR_ROWS = 50_000
"""Rows up to which near-copies are sought unasked: a second or two a column of texts."""


def duplicate_rows(sheet: Sheet) -> list[Noticed]:
    """Rows whose every value stands in an earlier row; identifiers are left out of the compare."""
    names = sheet.compared
    if not names or sheet.table.height < 2:
        return []
    groups = sheet.contents
    if (label := sheet.label) is not None and label.name in names:
        codes = _codes(label)
        groups = groups * (int(codes.max(initial=0)) + 1) + codes
    surplus = _surplus(groups)
    if not len(surplus):
        return []
    share = len(surplus) / sheet.table.height
    finding = Finding(
        "duplicate-rows",
        "warning" if share >= _MANY else "info",
        len(surplus),
        say(
            f"{len(surplus)} rows are exact copies of earlier ones ({share:.1%}).",
            f"{len(surplus)} 行与前面的行完全相同（占 {share:.1%}）。",
        ),
        _shown(sheet, names, surplus),
        remedy=say(
            "data.clean.duplicates: drop. A copy on each side of a split flatters a model.",
            "data.clean.duplicates: drop。副本若分在划分的两侧，模型会显得更好。",
        ),
        details={"share": share},
    )
    return [Noticed(finding, {"": surplus})]


def label_conflicts(sheet: Sheet) -> list[Noticed]:
    """Rows that are equal but for the label."""
    import numpy as np

    label = sheet.label
    if label is None:
        return []
    names = [name for name in sheet.compared if name != label.name]
    if not names:
        return []
    groups, labels = sheet.contents, _codes(label)
    pairs = np.unique(np.stack((groups, labels)), axis=1)[0]
    torn = np.unique(pairs[1:][pairs[1:] == pairs[:-1]])
    rows = np.flatnonzero(np.isin(groups, torn))
    if not len(rows):
        return []
    finding = Finding(
        "label-conflicts",
        "warning" if len(rows) >= _MANY * sheet.table.height else "info",
        len(torn),
        say(
            f"{len(torn)} contents carry labels that contradict each other ({len(rows)} rows).",
            f"{len(torn)} 种内容带有互相矛盾的标签（共 {len(rows)} 行）。",
        ),
        _shown(sheet, [label.name, *names], rows[np.argsort(groups[rows], kind="stable")]),
        (label.name,),
        say("Decide which label is right.", "请确定哪个标签正确。"),
        details={"rows": len(rows)},
    )
    return [Noticed(finding, {label.name: rows})]


def near_duplicates(
    sheet: Sheet, similarity: float = 0.8, at_most: int = NEAR_ROWS
) -> list[Noticed]:
    """Texts that are almost those of other rows, exact copies left aside."""
    import numpy as np

    from luodi.data.duplicates import exact_groups, first_rows, near_groups

    found = []
    for column in sheet.of_kind("text"):
        if not column.textual or column.rows > at_most:
            continue
        places = column.values.is_not_null().arg_true().to_numpy().astype(np.int64)
        texts = column.values[places].to_list()
        once = first_rows(exact_groups(texts))
        places = places[once]
        distinct = [text for text, kept in zip(texts, once.tolist(), strict=True) if kept]
        groups = near_groups(distinct, similarity)
        surplus = _surplus(groups)
        if not len(surplus):
            continue
        records: list[Record] = []
        numbers, first = np.unique(groups[surplus], return_index=True)
        for number, place in list(zip(numbers, first, strict=True))[:SHOWN]:
            one = int(np.flatnonzero(groups == number)[0])
            other = int(surplus[place])
            records.append(
                {
                    "row": [int(places[one]) + 1, int(places[other]) + 1],
                    "text": [shorten(distinct[one]), shorten(distinct[other])],
                }
            )
        finding = Finding(
            "near-duplicates",
            "info",
            len(surplus),
            say(
                f"{column.name}: {len(surplus)} texts are near-copies of others "
                f"(Jaccard similarity {similarity:g} or more).",
                f"{column.name}：{len(surplus)} 条文本与其他文本近似重复"
                f"（Jaccard 相似度不低于 {similarity:g}）。",
            ),
            tuple(records),
            (column.name,),
            say(
                "Keep them on one side of every split, as Luodi's do.",
                "划分时请保持在同一侧；Luodi 的划分即如此。",
            ),
        )
        found.append(Noticed(finding, {column.name: places[surplus]}))
    return found


def copies_across(
    first: pl.DataFrame, second: pl.DataFrame, columns: Sequence[str] | None = None
) -> NDArray[np.int64]:
    """The places of rows of `second` that are exact copies of rows of `first`.

    Args:
        columns: what is compared; those that both have where nothing is said.
    """
    import numpy as np
    import polars as pl

    names = list(columns or [name for name in first.columns if name in second.columns])
    if not names:
        return np.zeros(0, np.int64)
    known = first.select(names).unique().with_columns(pl.lit(True).alias("__known__"))
    found = second.select(names).join(known, on=names, how="left", nulls_equal=True,
                                      maintain_order="left")  # fmt: skip
    places: NDArray[np.int64] = (
        found["__known__"].fill_null(False).arg_true().to_numpy().astype(np.int64)
    )
    return places


def _codes(label: Column) -> NDArray[np.int64]:
    """(n,) a number for each label, 0 for none."""
    codes: NDArray[np.int64] = label.values.rank("dense").fill_null(0).to_numpy().astype("int64")
    return codes


def _surplus(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    import numpy as np
    import polars as pl

    first = pl.Series(groups).is_first_distinct()
    return np.flatnonzero(~first.to_numpy())


def _shown(sheet: Sheet, names: Sequence[str], rows: NDArray[np.int64]) -> tuple[Record, ...]:
    return tuple(
        {
            "row": place + 1,
            **{name: shorten(str(sheet.columns[name].values[place]), 40) for name in names[:6]},
        }
        for place in rows[:SHOWN].tolist()
    )
