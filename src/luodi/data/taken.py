"""Which characters of a text are spoken for."""

from __future__ import annotations

from bisect import bisect_right


class Taken:
    """Ranges that share no character, asked and added in the time of a search by halves.

    A long text may hold a hundred thousand numbers: comparing each with each would take hours.
    """

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []

    def take(self, start: int, end: int) -> bool:
        """Take `start` to `end` (not included) if all of it is free; whether it was."""
        place = bisect_right(self._starts, start)
        if place and self._ends[place - 1] > start:
            return False
        if place < len(self._starts) and self._starts[place] < end:
            return False
        self._starts.insert(place, start)
        self._ends.insert(place, end)
        return True
