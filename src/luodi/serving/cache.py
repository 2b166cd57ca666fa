"""Answers that were given before, by the exact request; a version has a cache of its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

import orjson

from luodi.contracts import Answer, Request


class AnswerCache:
    """The answers used last. Lives on one event loop.

    Kept as JSON: a caller may change what it is given, and it takes a third of the memory.

    Args:
        most: how many answers are kept.
        count: told how many of a call's requests were found, and how many were not.
    """

    def __init__(self, most: int, count: Callable[[int, int], None]) -> None:
        self._most, self._count = most, count
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    async def answer(
        self,
        requests: Sequence[Request],
        ask: Callable[[Sequence[Request]], Awaitable[list[Answer]]],
    ) -> list[Answer]:
        """One answer a request, in order; only what is not kept is asked for, and once."""
        keys = [orjson.dumps(dict(request), option=orjson.OPT_SORT_KEYS) for request in requests]
        there = {key: self._kept[key] for key in keys if key in self._kept}
        missing = {
            key: request for key, request in zip(keys, requests, strict=True) if key not in there
        }
        self._count(sum(key in there for key in keys), sum(key not in there for key in keys))
        for key in there:
            self._kept.move_to_end(key)
        if missing:
            given = await ask(list(missing.values()))
            for key, answer in zip(missing, given, strict=True):
                there[key] = self._kept[key] = orjson.dumps(answer)
                self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return [orjson.loads(there[key]) for key in keys]
