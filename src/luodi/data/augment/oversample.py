"""More rows of the rare classes, each between two that are there.

Source: Chawla et al., SMOTE (2002), with its form for tables of numbers and categories (SMOTE-NC)
and for categories alone (SMOTE-N), by imbalanced-learn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from luodi.contracts import DataError, MissingPartError, say
from luodi.data.augment.columns import Categories, Numbers, column_of

_NEIGHBOURS = 5


def oversample(
    table: pl.DataFrame, features: Sequence[str], label: str, ratio: float, seed: int
) -> pl.DataFrame:
    """Made rows (features and label) that bring each rare class to `ratio` of the commonest.

    A class of one row has nothing to stand between and gets none. Gaps are filled by the column's
    median for the search of neighbours; a made row has none in a number.

    Raises:
        DataError: when there is no feature, or only one class.
        MissingPartError: when imbalanced-learn is not installed.
    """
    known = table.filter(pl.col(label).is_not_null())
    classes = known.get_column(label).to_list()
    counts = Counter(classes)
    if not features or len(counts) < 2:
        raise DataError(
            say(
                f"Oversampling found {len(features)} features and {len(counts)} classes.",
                f"过采样发现 {len(features)} 个特征、{len(counts)} 个类别。",
            ),
            say("Expected features and at least two classes.", "应有特征和至少两个类别。"),
            say("Leave data.augment.table out.", "请去掉 data.augment.table。"),
        )
    names = list(counts)
    target = np.array([names.index(value) for value in classes], np.int64)
    wanted = _wanted(counts, names, ratio)
    if not wanted:
        return known.select(*features, label).clear()
    kept = np.flatnonzero(np.isin(target, [k for k, name in enumerate(names) if counts[name] > 1]))
    columns = [column_of(known.get_column(name)) for name in features]
    matrix, centres, widths = _matrix(known, columns)
    least = min(counts[names[place]] for place in wanted)
    sampler = _sampler(columns, wanted, min(_NEIGHBOURS, least - 1), seed)
    made, labels = sampler.fit_resample(matrix[kept], target[kept])
    made, labels = np.asarray(made, np.float64)[len(kept) :], np.asarray(labels)[len(kept) :]
    written = [
        column.write(made[:, place] * widths[place] + centres[place])
        if isinstance(column, Numbers)
        else column.write(np.round(made[:, place]).astype(np.int64))
        for place, column in enumerate(columns)
    ]
    chosen = pl.Series(
        label, [names[place] for place in labels.tolist()], dtype=table.schema[label]
    )
    return pl.DataFrame([*written, pl.Series(label, chosen, dtype=table.schema[label])])


def _wanted(counts: Counter[Any], names: Sequence[Any], ratio: float) -> dict[int, int]:
    """Class -> rows it is to have."""
    most = max(counts.values())
    goals = {place: round(ratio * most) for place in range(len(names))}
    return {
        place: goal
        for place, goal in goals.items()
        if goal > counts[names[place]] and counts[names[place]] > 1
    }


def _matrix(
    table: pl.DataFrame, columns: Sequence[Numbers | Categories]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """(rows, columns) of numbers of one width, and what they were shifted and divided by."""
    matrix = np.zeros((table.height, len(columns)))
    centres, widths = np.zeros(len(columns)), np.ones(len(columns))
    for place, column in enumerate(columns):
        values = column.read(table.get_column(column.name)).astype(np.float64)
        if isinstance(column, Numbers):
            known = values[~np.isnan(values)]
            centres[place] = np.median(known) if len(known) else 0.0
            widths[place] = (known.std() if len(known) else 0.0) or 1.0
            values = (np.where(np.isnan(values), centres[place], values) - centres[place]) / widths[
                place
            ]
        matrix[:, place] = values
    return matrix, centres, widths


def _sampler(
    columns: Sequence[Numbers | Categories], wanted: dict[int, int], neighbours: int, seed: int
) -> Any:
    try:
        from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC
    except ModuleNotFoundError as error:
        raise MissingPartError(
            say(
                f"Oversampling needs {error.name}, which is not installed.",
                f"过采样需要 {error.name}，但未安装。",
            ),
            "",
            say("pip install 'luodi[train]'", "请执行 pip install 'luodi[train]'"),
        ) from error
    places = [place for place, column in enumerate(columns) if isinstance(column, Categories)]
    settings = {"sampling_strategy": wanted, "random_state": seed, "k_neighbors": neighbours}
    if not places:
        return SMOTE(**settings)
    if len(places) == len(columns):
        return SMOTEN(**settings)
    return SMOTENC(places, **settings)
