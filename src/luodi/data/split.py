"""Dealing rows out to learn from, choose on and be judged on, so that no copy is on two sides.

A unit is what may not be torn: rows of one near-copy group, of one value of the group column, and
whatever these tie together. Units are dealt out, never rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from luodi.contracts import COPIES, DataError, Dataset, Parts, SplitSettings, say
from luodi.data.chance import shuffled, uniform
from luodi.data.duplicates import components, first_appearance, first_rows, numbered
from luodi.data.levels import levels

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

_TRAIN, _VALID, _TEST = 0, 1, 2


def split(
    data: Dataset,
    settings: SplitSettings,
    stratify: str | None,
    test: Dataset | None = None,
    valid: Dataset | None = None,
) -> Parts:
    """Deal the rows out.

    Without a time column: at random by the seed, each label's share alike in every part as far as
    units allow, the sizes exact to within a unit. With one: the latest rows are the test part, the
    next latest the validation part; a unit goes where its latest row belongs, so that nothing
    later than a cut stands before it, and ties go by row order.

    Args:
        data: the prepared rows.
        settings: shares of `data`, the seed, the group and time columns.
        stratify: the label column, None for answers that are no classes.
        test: an official test table, taken as it is; then all of `data` is dealt to the others.
        valid: an official validation table, likewise.

    Returns:
        The parts, each in the order of the rows.

    Raises:
        DataError: shares out of range, a column that is not there, or too few rows to do it.
    """
    import numpy as np

    _check_shares(settings)
    units = units_of(data, settings)
    sizes = (
        0 if valid is not None else _rounded(settings.valid, data.rows),
        0 if test is not None else _rounded(settings.test, data.rows),
    )
    if settings.time:
        part = _by_time(data, units, sizes, settings.time)
    else:
        labels = label_codes(data, stratify)
        part = _at_random(units, labels, sizes, settings.seed)
    wanted = {
        _TRAIN: True,
        _VALID: valid is None and settings.valid > 0,
        _TEST: test is None and settings.test > 0,
    }
    _check_parts(data, part, wanted, stratify)
    pieces = [data.take(np.flatnonzero(part == number)) for number in (_TRAIN, _VALID, _TEST)]
    return Parts(
        pieces[_TRAIN],
        pieces[_VALID] if valid is None else valid,
        pieces[_TEST] if test is None else test,
    )


def careless_split(
    rows: int, labels: Sequence[str] | None, settings: SplitSettings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The split that most scripts do: at random, stratified, copies wherever they fall.

    Only there to show what the leak would have claimed.

    Returns:
        The training rows (the validation rows among them) and the test rows, each ascending.
    """
    import numpy as np

    _check_shares(settings)
    kinds = numbered(labels) if labels is not None else np.zeros(rows, np.int64)
    sizes = (0, _rounded(settings.test, rows))
    part = _at_random(np.arange(rows), kinds, sizes, settings.seed)
    return np.flatnonzero(part == _TRAIN), np.flatnonzero(part == _TEST)


def limit(train: Dataset, rows: int, seed: int, stratify: str | None) -> Dataset:
    """A sample of at most `rows` rows in their order, each label's share kept, none lost.

    Raises:
        DataError: fewer rows asked for than there are labels.
    """
    import numpy as np

    if rows >= train.rows:
        return train
    labels = label_codes(train, stratify)
    counts = np.bincount(labels, minlength=1)
    if rows < len(counts) or rows < 1:
        raise DataError(
            say(
                f"A limit of {rows} rows for {len(counts)} labels.",
                f"限制为 {rows} 行，但标签有 {len(counts)} 个。",
            ),
            say("Expected at least one row a label.", "每个标签至少需要一行。"),
            say("Raise data.limit.", "请调大 data.limit。"),
        )
    quota = _shared(np.maximum(counts * (rows / train.rows), 1), rows, counts)
    order = shuffled(train.rows, seed, "limit")
    order = order[np.argsort(labels[order], kind="stable")]
    starts = np.cumsum(counts) - counts
    chosen = [order[start : start + number] for start, number in zip(starts, quota, strict=True)]
    return train.take(np.sort(np.concatenate(chosen)))


def _check_shares(settings: SplitSettings) -> None:
    total = settings.valid + settings.test
    if min(settings.valid, settings.test) < 0 or not total < 1:
        raise DataError(
            say(
                f"The shares are valid {settings.valid:g} and test {settings.test:g}.",
                f"划分比例为 valid {settings.valid:g}、test {settings.test:g}。",
            ),
            say(
                "Expected shares from 0 that leave some to train on.",
                "比例应不小于 0，且总和小于 1。",
            ),
        )


def _rounded(share: float, rows: int) -> int:
    return int(share * rows + 0.5)


def _column(data: Dataset, name: str, setting: str) -> pl.Series:
    if name in data.table.columns:
        return data.table.get_column(name)
    raise DataError(
        say(f"{setting} names the column {name}.", f"{setting} 指定了列 {name}。"),
        say(
            f"The columns are: {', '.join(data.table.columns[:30])}.",
            f"现有的列：{'、'.join(data.table.columns[:30])}。",
        ),
    )


def label_codes(data: Dataset, stratify: str | None) -> NDArray[np.int64]:
    """(n,) a number for each label, by its value; zeros where nothing is stratified by."""
    import numpy as np

    if stratify is None:
        return np.zeros(data.rows, np.int64)
    values = _column(data, stratify, say("The stratification", "分层"))
    # Numbered by value, not by appearance: the order of rows must not tell which label is first.
    return levels(values)[1]


def units_of(data: Dataset, settings: SplitSettings) -> NDArray[np.int64]:
    """A number for each row; rows of one number must stay together."""
    import numpy as np

    rows = np.arange(data.rows)
    ties = []
    if COPIES in data.table.columns:
        ties.append(data.table.get_column(COPIES).to_numpy().astype(np.int64))
    if settings.group:
        values = _column(data, settings.group, "data.split.group").cast(str)
        # A row without a group is a group by itself.
        keys = [f"={value}" if value is not None else f"#{row}" for row, value in enumerate(values)]
        ties.append(numbered(keys))
    left = [rows for _ in ties]
    right = [np.flatnonzero(first_rows(tie))[first_appearance(tie)] for tie in ties]
    if not ties:
        return rows
    return first_appearance(components(np.concatenate(left), np.concatenate(right), data.rows))


def _at_random(
    units: NDArray[np.int64],
    labels: NDArray[np.int64],
    sizes: tuple[int, int],
    seed: int,
) -> NDArray[np.int64]:
    """The part of each row. Units of several labels are dealt first; pure ones fill the gaps."""
    import numpy as np

    count = int(labels.max(initial=0)) + 1
    totals = np.bincount(labels, minlength=count)
    gaps = _gaps(totals, sizes)
    order = np.argsort(units, kind="stable")
    ends = np.cumsum(np.bincount(units))
    members = np.split(order, ends[:-1])
    dealt = np.zeros(len(members), np.int64)
    size = np.diff(ends, prepend=0)
    low = np.minimum.reduceat(labels[order], ends - size)
    mixed = low != np.maximum.reduceat(labels[order], ends - size)
    shares = np.array(sizes) / max(len(units), 1)
    drawn = uniform(len(members), seed, "mixed")
    order = shuffled(len(members), seed, "units")
    for unit in order[mixed[order]]:
        held = np.bincount(labels[members[unit]], minlength=count)
        wanted = int(np.searchsorted(np.cumsum(shares), drawn[unit], side="right"))
        if wanted < 2 and (held <= gaps[wanted]).all():
            gaps[wanted] -= held
            dealt[unit] = (_VALID, _TEST)[wanted]
    pure = order[~mixed[order]]
    for label in range(count):
        waiting = pure[low[pure] == label]
        for place, part in ((1, _TEST), (0, _VALID)):
            taken = _fill(size[waiting], int(gaps[place, label]))
            dealt[waiting[taken]] = part
            waiting = waiting[~taken]
    of_rows: NDArray[np.int64] = dealt[units]
    return of_rows


def _fill(sizes: NDArray[np.int64], gap: int) -> NDArray[np.bool_]:
    """Which units are taken, in order, each if it still fits."""
    import numpy as np

    taken = np.zeros(len(sizes), np.bool_)
    for place, size in enumerate(sizes.tolist()):
        if gap <= 0:
            break
        if size <= gap:
            taken[place] = True
            gap -= size
    return taken


def _gaps(totals: NDArray[np.int64], sizes: tuple[int, int]) -> NDArray[np.int64]:
    """(2, labels): rows of each label that the validation and the test part want.

    One row of each label at least is left to train on.
    """
    import numpy as np

    rows = max(int(totals.sum()), 1)
    room = np.maximum(totals - 1, 0)
    test = _shared(totals * (sizes[1] / rows), sizes[1], room)
    valid = _shared(totals * (sizes[0] / rows), sizes[0], room - test)
    return np.stack((valid, test))


def _shared(
    wanted: NDArray[np.floating[Any]], total: int, most: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Whole numbers near `wanted` that sum to `total`, by largest remainder, none above `most`."""
    import numpy as np

    given = np.minimum(np.floor(wanted).astype(np.int64), most)
    while given.sum() > total:  # a floor of one a label can ask for more than there is
        given[int(np.argmax(given - wanted + given * 1e-9))] -= 1
    while (missing := total - int(given.sum())) > 0:
        open_places = np.flatnonzero(given < most)
        if not len(open_places):
            break
        remainder = (wanted - given)[open_places]
        given[open_places[np.argsort(-remainder, kind="stable")[:missing]]] += 1
    numbers: NDArray[np.int64] = given
    return numbers


def _by_time(
    data: Dataset, units: NDArray[np.int64], sizes: tuple[int, int], name: str
) -> NDArray[np.int64]:
    """The latest units are the test part, the next latest the validation part."""
    import numpy as np

    from luodi.data.moments import moments

    when = moments(_column(data, name, "data.split.time"))
    rank = np.empty(data.rows, np.int64)
    rank[np.argsort(when, kind="stable")] = np.arange(data.rows)
    latest = np.zeros(int(units.max(initial=-1)) + 1, np.int64)
    np.maximum.at(latest, units, rank)
    order = np.argsort(-latest)  # ranks are distinct: no ties
    after = np.cumsum(np.bincount(units)[order])
    part = np.zeros(len(latest), np.int64)
    in_test = after <= sizes[1]
    in_valid = ~in_test & (after <= sizes[0] + sizes[1])
    part[order[in_test]] = _TEST
    part[order[in_valid]] = _VALID
    of_rows: NDArray[np.int64] = part[units]
    return of_rows


def _check_parts(
    data: Dataset, part: NDArray[np.int64], wanted: Mapping[int, bool], stratify: str | None
) -> None:
    import numpy as np

    names = {_TRAIN: "train", _VALID: "valid", _TEST: "test"}
    for number, name in names.items():
        if wanted[number] and not (part == number).any():
            raise DataError(
                say(
                    f"{data.rows} rows cannot be split: none is left for {name}.",
                    f"{data.rows} 行无法划分：{name} 部分没有数据。",
                ),
                say(
                    "Rows that are near-copies, or of one group, stay on one side.",
                    "近似重复或同组的行必须在同一侧。",
                ),
                say("Bring more rows, or change data.split.", "请增加数据，或修改 data.split。"),
            )
    if stratify is None:
        return
    labels, codes = levels(data.table.get_column(stratify))
    if missing := sorted({*range(len(labels))} - {*np.unique(codes[part == _TRAIN]).tolist()}):
        raise DataError(
            say(
                f"No training row has the label {labels[missing[0]]}.",
                f"训练部分没有标签为 {labels[missing[0]]} 的行。",
            ),
            say("Each label needs rows to learn from.", "每个标签都需要可供学习的行。"),
            say(
                "Bring more rows of it, leave it out, or change data.split.",
                "请增加该标签的数据、去掉该标签，或修改 data.split。",
            ),
        )
