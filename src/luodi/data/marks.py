"""What is known of each row: its copies, its near-copies, and what it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from luodi.contracts import CleanSettings, Dataset, Progress, Role
from luodi.data.duplicates import first_appearance, first_rows, near_groups, numbered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Marks(NamedTuple):
    """What is known of each of n rows.

    `content` (n,) numbers the exact contents, `copies` (n,) the groups of near-copies; the others
    (n,) tell which rows have no content, no label, or a content whose copies disagree.
    """

    content: NDArray[np.int64]
    copies: NDArray[np.int64]
    empty: NDArray[np.bool_]
    unlabelled: NDArray[np.bool_]
    conflicting: NDArray[np.bool_]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Rows with a content and a label."""
        return ~(self.empty | self.unlabelled)


def mark(data: Dataset, normal: Sequence[str], clean: CleanSettings, progress: Progress) -> Marks:
    """The marks of each row.

    Args:
        data: as its roles were assigned.
        normal: (n) the rows' normalised contents.
        clean: contents in conflict that will not be kept tie no near-copies together.
        progress: told of the search for near-copies.
    """
    import numpy as np
    import polars as pl

    textual = bool(data.columns(Role.TEXT))
    blank = np.fromiter((not text for text in normal), np.bool_, data.rows)
    labels = data.table.get_column(data.column(Role.LABEL)) if data.columns(Role.LABEL) else None
    none = np.zeros(data.rows, np.bool_)
    if labels is None:
        unlabelled = none
    else:
        blank_label = labels.cast(pl.String).str.strip_chars() == ""
        unlabelled = (labels.is_null() | blank_label).to_numpy()
        unlabelled = unlabelled.astype(np.bool_)
    content = numbered(normal)
    if not textual:  # a row without a text is no empty row, and a copy of no other
        content = np.where(blank, content.max(initial=0) + 1 + np.arange(data.rows), content)
    empty = blank if textual else none
    by_chance = not textual and alike_by_chance(data)
    marks = Marks(content, np.arange(data.rows) if by_chance else content, empty, unlabelled, none)
    if labels is not None and not labels.dtype.is_numeric():  # two numbers are no contradiction
        codes = numbered(labels.fill_null("").to_list())
        marks = marks._replace(conflicting=_disagreeing(content, codes, marks.usable))
    if not textual:
        return marks
    judged = marks.usable if clean.conflicts == "keep" else marks.usable & ~marks.conflicting
    return marks._replace(copies=near_numbers(normal, content, judged, clean.similarity, progress))


def alike_by_chance(data: Dataset) -> bool:
    """Whether rows may well be equal without being copies: few columns of few values.

    A table of sex, age class and district has a few hundred different rows; equal ones are
    different people. One with an amount to the cent does not repeat itself by chance.
    """
    room = 1.0
    for name in data.columns(Role.FEATURE):
        room *= max(data.table.get_column(name).n_unique(), 1)
        if room > _ROOM * data.rows:
            return False
    return True


_ROOM = 100
"""Different rows that the columns have room for, a row of the table: above it, equal rows are
copies."""


def _disagreeing(
    content: NDArray[np.int64], labels: NDArray[np.int64], usable: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Rows whose content stands with more than one label among the usable rows."""
    import numpy as np

    pairs = np.unique(np.stack((content[usable], labels[usable])), axis=1)
    times = np.bincount(pairs[0], minlength=int(content.max(initial=0)) + 1)
    return (times[content] > 1) & usable


def near_numbers(
    normal: Sequence[str],
    content: NDArray[np.int64],
    judged: NDArray[np.bool_],
    similarity: float,
    progress: Progress,
) -> NDArray[np.int64]:
    """(n,) the group of near-copies of each row; rows not judged go by their content alone."""
    import numpy as np

    places = np.flatnonzero(judged)
    distinct = places[first_rows(content[places])]
    groups = near_groups([normal[place] for place in distinct], similarity, progress)
    # Contents outside keep numbers of their own, past those of the groups.
    by_content = np.arange(int(content.max(initial=0)) + 1) + len(distinct)
    by_content[content[distinct]] = groups
    return first_appearance(by_content[content])
