"""Rows that a model cannot read: told one by one, while the others are answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.cli.predict_columns import as_rows, columns_of, field_columns, row_names
from luodi.cli.predict_writing import writing
from luodi.contracts import DataError, RequestError, say

if TYPE_CHECKING:
    import polars as pl

    from luodi.bundle import LoadedBundle
    from luodi.contracts import Request

ENDINGS = (".csv", ".tsv", ".jsonl")
ROW, WHY = "row", "refused"
"""What stands before a refused row's own columns: its number in the input, from 1, and why."""


class NothingFitsError(DataError):
    """No row of the input could be answered."""


class Rejects:
    """Takes out of a table what does not fit, and writes it.

    Attributes:
        rows: how many there were.
    """

    def __init__(self, write: Callable[[pl.DataFrame], None], place: Path) -> None:
        self._write, self._place = write, place
        self.rows = 0

    def left(
        self, bundle: LoadedBundle, table: pl.DataFrame, first: int
    ) -> tuple[pl.DataFrame, list[Request]]:
        """The rows that the model can read, in their order, and as it has read them.

        Args:
            first: the number of the table's first row within the input, from 0.

        Raises:
            UsageError: when a field that is needed has no column: then no row would fit.
        """
        import polars as pl

        why, read = _sorted(bundle, table, first)
        self.rows += len(why)
        places = sorted(why)
        refused = table[places]
        own = {name: f"input_{name}" for name in (ROW, WHY) if name in refused.columns}
        before = [
            pl.Series(ROW, [first + place + 1 for place in places], dtype=pl.Int64),
            pl.Series(WHY, [why[place] for place in places], dtype=pl.String),
        ]
        self._write(pl.DataFrame(before).hstack(refused.rename(own)))
        return table[[place for place in range(table.height) if place not in why]], read

    def nothing_fits(self, source: str) -> NothingFitsError:
        """What is to be raised when no row is left."""
        return NothingFitsError(
            say(
                f"None of the {self.rows} rows of {source} fits the model.",
                f"{source} 的 {self.rows} 行均不符合模型要求。",
            ),
            "",
            say(f"Each one's reason stands in {self._place}.", f"逐行原因见 {self._place}。"),
        )


@contextmanager
def rejecting(place: Path | None) -> Iterator[Rejects | None]:
    """Takes rejects and writes them to `place`; None where one row that does not fit is to refuse
    the whole input. What was refused is kept when nothing else was there.
    """
    if place is None:
        yield None
        return
    nothing: NothingFitsError | None = None
    with writing(place) as write:
        try:
            yield Rejects(write, place)
        except NothingFitsError as error:
            nothing = error
    if nothing:
        raise nothing


def _sorted(
    bundle: LoadedBundle, table: pl.DataFrame, first: int
) -> tuple[dict[int, str], list[Request]]:
    """Place of a row that does not fit -> why, in the words of the error that it would be; and the
    others in their order, read."""
    from luodi.data.kinds import refusal, unreadable

    why: dict[int, str] = {}
    for field, column in columns_of(bundle.schema, table):
        wrong = unreadable(column, field.kind, field.format)
        for place in wrong.is_not_null().arg_true().to_list():
            told = refusal(column.name, str(wrong[place]), field, first + place)
            why.setdefault(place, str(told))
    there = [place for place in range(table.height) if place not in why]
    named = row_names(first)
    asked = as_rows(field_columns(bundle.schema, table[there]))

    read: list[Request] = []

    def sort_out(start: int, stop: int) -> None:
        """Halves, until what does not fit is alone: one wrong row among thousands costs little."""
        try:
            read.extend(bundle.read(asked[start:stop], lambda at: named(there[start + at])))
        except RequestError as error:
            if stop - start == 1:
                why[there[start]] = str(error)
            else:
                middle = (start + stop) // 2
                sort_out(start, middle)
                sort_out(middle, stop)

    if asked:
        sort_out(0, len(asked))
    return why, read
