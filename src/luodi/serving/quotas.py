"""Rates and daily quotas of keys, held by all workers of a service together.

One small file in the home folder, mapped by every worker: a slot a key, with a token bucket and the
rows of the day. A slot is read and written under a lock on its own bytes, which the kernel lets go
of however a worker ends; a service that is started again finds what was asked before.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from luodi.registry.keys import Key

_SLOT = struct.Struct("<16sddqq")
"""Prefix, rows left in the bucket, when that was, the day, rows asked that day."""
_SLOTS = 4096
_DAY = 86_400


@dataclass(frozen=True)
class Refused:
    """Too much was asked: what of, and when to come again."""

    what: str
    seconds: float


class Quotas:
    """The limits of all keys.

    Args:
        path: the file that all who serve a home folder share; None for this process alone.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        size = _SLOT.size * _SLOTS
        self._file: int | None = None
        if path is None:
            self._map = mmap.mmap(-1, size)
        else:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if os.fstat(self._file).st_size < size:
                os.ftruncate(self._file, size)
            self._map = mmap.mmap(self._file, size)
        self._places: dict[str, int] = {}

    def take(self, key: Key, rows: int) -> Refused | None:
        """Count `rows` against a key's limits; None when they may be asked."""
        rights = key.rights
        if rights.rate is None and rights.daily is None:
            return None
        place = self._place(key.prefix)
        with self._locked(place, _SLOT.size):
            return self._count(key, rows, place)

    @contextmanager
    def _locked(self, start: int, size: int) -> Iterator[None]:
        """These bytes are ours alone; one process by itself needs no lock."""
        if self._file is None:
            yield
            return
        fcntl.lockf(self._file, fcntl.LOCK_EX, size, start)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, size, start)

    def _count(self, key: Key, rows: int, place: int) -> Refused | None:
        rights, now = key.rights, self._clock()
        _, left, then, day, used = _SLOT.unpack_from(self._map, place)
        today = int(now // _DAY)
        used = used if day == today else 0
        if rights.daily is not None and used + rows > rights.daily:
            return Refused("daily", _DAY - now % _DAY)
        if rights.rate is not None:
            left = min(float(rights.burst), left + max(0.0, now - then) * rights.rate)
            # More at once than ever fits is let through by a full bucket, and paid for after.
            needed = min(rows, rights.burst)
            if left < needed:
                self._write(key, place, (left, now, today, used))
                return Refused("rate", (needed - left) / rights.rate)
            left -= rows
        self._write(key, place, (left, now, today, used + rows))
        return None

    def _write(self, key: Key, place: int, state: tuple[float, float, int, int]) -> None:
        _SLOT.pack_into(self._map, place, key.prefix.encode(), *state)

    def _place(self, prefix: str) -> int:
        """Where a key's slot begins: found by its name, or the first free one from there on."""
        if prefix not in self._places:
            first = int.from_bytes(prefix.encode(), "little") % _SLOTS
            with self._locked(0, len(self._map)):
                self._places[prefix] = self._search(prefix.encode(), first)
        return self._places[prefix]

    def _search(self, name: bytes, first: int) -> int:
        for step in range(_SLOTS):
            place = (first + step) % _SLOTS * _SLOT.size
            found = self._map[place : place + 16].rstrip(b"\0")
            if found in (name, b""):
                if not found:  # a new bucket is full, however large it is
                    _SLOT.pack_into(self._map, place, name, float("inf"), 0.0, 0, 0)
                return place
        return first * _SLOT.size  # more keys than slots: they share one, the stricter for both
