"""Which rows of which requests a log has held, so that feedback on one that nobody asked can be
told.

Beside each segment lie the hashes of its rows' places, eight bytes each: in the order in which
they came, and in their own order once the segment is Parquet. They are on the disk before the
lines are. To look one up takes no table and no line to be read.

A log can tell that it never held a row only while it is whole. The file `every-row` says so: it is
made with the model's folder, and goes for good with the first request that is left out, and with
the first file that is pruned.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import mmap
import os
import secrets
import struct
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.traffic.segments import IDS, WHOLE, files, folder_of, is_written, root

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WRITER = ".writer-"
_COUNTS = struct.Struct("<qq")
_PATIENCE, _AGAIN = 5.0, 0.05
"""Seconds that the writers are waited for, and between two looks at them."""


Place = tuple[str, int]
"""A request's id, and a row of it, from 0."""


def hashes(places: Iterable[Place]) -> bytes:
    """Eight bytes a row: among a billion of them, one that was never asked passes for one that was
    once in twenty billion times."""
    return b"".join(
        hashlib.blake2b(
            number.encode("utf-8", "surrogatepass"), digest_size=8, salt=row.to_bytes(8, "little")
        ).digest()
        for number, row in places
    )


class Counts:
    """Rows that a process has taken for its log, and rows that it is done with.

    They lie in a file, mapped: another process that misses a request's id sees whether it may be
    among those that wait. The file is locked for as long as its process lives.
    """

    def __init__(self, home: Path) -> None:
        folder = root(home)
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{_WRITER}{os.getpid()}-{secrets.token_hex(4)}"
        hidden = self.path.with_name(f".new{self.path.name}")
        self._file = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._file, _COUNTS.size)
        fcntl.flock(self._file, fcntl.LOCK_EX)  # before others see it: unlocked, it is removed
        hidden.rename(self.path)
        self._map = mmap.mmap(self._file, _COUNTS.size)

    def tell(self, taken: int | None = None, done: int | None = None) -> None:
        """Have others know one of the counts; each is told by one thread alone."""
        for place, count in enumerate((taken, done)):
            if count is not None:
                struct.pack_into("<q", self._map, 8 * place, count)

    def close(self) -> None:
        """This process takes no more."""
        self.path.unlink(missing_ok=True)
        os.close(self._file)


async def written(home: Path, patience: float = _PATIENCE) -> bool:
    """Wait until every log of this home has written what it had taken when this was called.

    False when one has not within `patience` seconds.
    """
    waiting = {path: taken for path, taken, done in _writers(home) if done < taken}
    until = time.monotonic() + patience
    while waiting:
        if time.monotonic() > until:
            return False
        await asyncio.sleep(_AGAIN)
        now = {path: done for path, _, done in _writers(home)}
        # One that is gone has written everything, or was killed with it.
        waiting = {path: taken for path, taken in waiting.items() if now.get(path, taken) < taken}
    return True


def _writers(home: Path) -> Iterator[tuple[Path, int, int]]:
    for path in root(home).glob(f"{_WRITER}*"):
        if not is_written(path):
            path.unlink(missing_ok=True)  # of a process that was killed
            continue
        with contextlib.suppress(FileNotFoundError):
            taken, done = _COUNTS.unpack(path.read_bytes())
            yield path, taken, done


def is_whole(home: Path, model: str) -> bool:
    """Whether a model's log has held every request so far."""
    folder = folder_of(home, model)
    return not folder.exists() or (folder / WHOLE).exists()


def lacking(home: Path, model: str, places: Sequence[Place]) -> set[Place]:
    """Those of the rows, under their ids as they are written, that no file of a model's log
    holds."""
    import numpy as np

    wanted = np.frombuffer(hashes(places), "<u8")
    order = np.argsort(wanted)
    found = np.zeros(len(wanted), bool)
    for path in reversed(files(folder_of(home, model))):  # most ask about what was lately answered
        ids = _read(path.with_suffix(IDS))
        if path.suffix == ".parquet":
            found |= _among(wanted, ids)
        else:
            lately = _among(ids, wanted[order])
            found |= np.isin(wanted, ids[lately])
        if found.all():
            break
    return {place for place, there in zip(places, found, strict=True) if not there}


def _read(path: Path) -> NDArray[Any]:
    import numpy as np

    try:
        count = path.stat().st_size // 8
        return np.memmap(path, "<u8", "r", shape=(count,)) if count else np.zeros(0, "<u8")
    except FileNotFoundError:
        return np.zeros(0, "<u8")  # pruned meanwhile: the log is whole no more


def _among(asked: NDArray[Any], ordered: NDArray[Any]) -> NDArray[Any]:
    """Whether each of these stands among others that are in order."""
    import numpy as np

    if not len(ordered):
        return np.zeros(len(asked), bool)
    places = np.searchsorted(ordered, asked)
    return np.asarray(ordered[np.minimum(places, len(ordered) - 1)] == asked)


def put_in_order(path: Path) -> None:
    """Order the ids of a segment that is about to become Parquet; whole before, and whole after."""
    import numpy as np

    ids = np.sort(_read(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with temporary.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(ids.tobytes())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
