"""k-fold and nested splits. A unit (near-copies, a group) never stands on two sides of a fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from luodi.contracts import DataError, Dataset, SplitSettings, say
from luodi.data.chance import shuffled
from luodi.data.split import label_codes, units_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Fold(NamedTuple):
    """Places of the rows to learn from and of those held out, each ascending."""

    train: NDArray[np.int64]
    held: NDArray[np.int64]


class NestedFold(NamedTuple):
    """An outer fold, and inner folds of its training rows alone; places are of the whole table."""

    train: NDArray[np.int64]
    held: NDArray[np.int64]
    inner: list[Fold]


def k_folds(
    data: Dataset,
    count: int = 5,
    settings: SplitSettings = SplitSettings(),  # noqa: B008
    stratify: str | None = None,
) -> list[Fold]:
    """`count` folds; each row is held out once.

    At random by the seed, each label's share alike in every fold as far as units allow. With a
    time column each fold is held against what came before it alone: `count` folds of `count + 1`
    stretches of time, and the first stretch is never held out (Hyndman and Athanasopoulos,
    Forecasting, 2021, chapter 5.10); a unit stands where its latest row belongs, and leaves the
    training rows of folds before that.

    Args:
        data: the prepared rows.
        count: of folds, 2 at least.
        settings: the seed, the group and time columns; shares are not looked at.
        stratify: the label column, None for answers that are no classes.

    Raises:
        DataError: fewer units than folds, or a column that is not there.
    """
    import numpy as np

    units = units_of(data, settings)
    if count < 2 or count > most_folds(units, settings):
        raise _too_few(count, int(units.max(initial=-1)) + 1)
    if settings.time:
        return _forward(data, units, count, settings.time)
    fold = deal(units, label_codes(data, stratify), count, settings.seed)
    return [Fold(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(count)]


def most_folds(units: NDArray[np.int64], settings: SplitSettings) -> int:
    """How many folds there can be: a unit for each, and with a time column one before the first."""
    return int(units.max(initial=-1)) + 1 - bool(settings.time)


def nested_folds(
    data: Dataset,
    outer: int = 5,
    inner: int = 3,
    settings: SplitSettings = SplitSettings(),  # noqa: B008
    stratify: str | None = None,
) -> list[NestedFold]:
    """Outer folds to judge on; within each one's training rows, inner folds to choose on.

    Raises:
        DataError: as `k_folds`.
    """
    found = []
    for fold in k_folds(data, outer, settings, stratify):
        within = k_folds(data.take(fold.train), inner, settings, stratify)
        placed = [Fold(fold.train[part.train], fold.train[part.held]) for part in within]
        found.append(NestedFold(fold.train, fold.held, placed))
    return found


def deal(
    units: NDArray[np.int64], labels: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.int64]:
    """(n,) the fold of each row; rows of one unit have one fold.

    Units of several rows go first, the largest first, each to the fold that it suits best; single
    rows then even out each label's share.
    """
    import numpy as np

    kinds = int(labels.max(initial=0)) + 1
    totals = np.bincount(labels, minlength=kinds)
    wanted = totals / count
    held = np.zeros((count, kinds))
    sizes = np.bincount(units)
    of_unit = np.full(len(sizes), -1, np.int64)
    order = np.argsort(units, kind="stable")
    ends = np.cumsum(sizes)
    mixed = shuffled(len(sizes), seed, "folds")
    large = mixed[sizes[mixed] > 1]
    for unit in large[np.argsort(-sizes[large], kind="stable")]:
        rows = order[ends[unit] - sizes[unit] : ends[unit]]
        own = np.bincount(labels[rows], minlength=kinds)
        # How far the shares are off afterwards, less what is the same in every fold.
        off = ((held - wanted) * own).sum(axis=1)
        of_unit[unit] = int(np.argmin(off + 1e-9 * held.sum(axis=1)))
        held[of_unit[unit]] += own
    single = mixed[sizes[mixed] == 1]
    kind = labels[order[ends[single] - 1]]
    turn = 0
    for label in range(kinds):
        waiting = single[kind == label]
        room = _rooms(held[:, label], len(waiting), turn)
        of_unit[waiting] = np.repeat(np.arange(count), room)
        held[:, label] += room
        turn += len(waiting)  # rare labels must not all begin at the first fold
    fold: NDArray[np.int64] = of_unit[units]
    return fold


def _rooms(held: NDArray[np.float64], rows: int, turn: int) -> NDArray[np.int64]:
    """How many more rows of a label each fold takes, so that all end as even as they can."""
    import numpy as np

    count = len(held)
    level = np.sort(held)
    # The water level that `rows` reach when they fill the emptiest folds first.
    filled = np.arange(1, count + 1) * level - np.cumsum(level)
    lowest = int(np.searchsorted(filled, rows, side="right"))
    height = (rows + level[:lowest].sum()) / max(lowest, 1)
    room: NDArray[np.int64] = np.maximum(np.floor(height - held), 0).astype(np.int64)
    left = rows - int(room.sum())
    open_folds = np.argsort(held + room, kind="stable")
    first = [fold for fold in open_folds.tolist() if held[fold] < height or lowest == count]
    for place in range(left):
        room[first[(place + turn) % len(first)]] += 1
    return room


def _forward(data: Dataset, units: NDArray[np.int64], count: int, time: str) -> list[Fold]:
    import numpy as np

    from luodi.data.moments import moments

    when = moments(data.table.get_column(time))
    rank = np.empty(data.rows, np.int64)
    rank[np.argsort(when, kind="stable")] = np.arange(data.rows)
    latest = np.zeros(int(units.max(initial=-1)) + 1, np.int64)
    np.maximum.at(latest, units, rank)
    by_time = np.argsort(latest)
    after = np.cumsum(np.bincount(units)[by_time])
    stretch = np.empty(len(latest), np.int64)
    stretch[by_time] = np.minimum((after - 1) * (count + 1) // data.rows, count)
    of_row = stretch[units]
    folds = [
        Fold(np.flatnonzero(of_row < k), np.flatnonzero(of_row == k)) for k in range(1, count + 1)
    ]
    if any(not len(fold.train) or not len(fold.held) for fold in folds):
        raise _too_few(count, len(latest))
    return folds


def _too_few(count: int, units: int) -> DataError:
    return DataError(
        say(
            f"{units} units of rows cannot be dealt out to {count} folds.",
            f"{units} 组数据无法分成 {count} 折。",
        ),
        say(
            "Expected at least 2 folds, and a unit for each: near-copies and groups stay together.",
            "至少 2 折，且每折至少一组：近似重复与同组的行必须在一起。",
        ),
        say("Bring more rows, or ask for fewer folds.", "请增加数据，或减少折数。"),
    )
