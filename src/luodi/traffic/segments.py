"""The files of the log: appended to by one process, bounded in bytes and age."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

FEEDBACK = "feedback-"
IDS, WHOLE = ".ids", "every-row"
"""What lies beside a segment, and beside all of them: see `held`. A file `whole`, of an earlier
version, spoke of requests and not of their rows."""
_numbers = count()


def root(home: Path) -> Path:
    """Where the traffic of every model lies."""
    return home / "traffic"


def folder_of(home: Path, model: str) -> Path:
    """Where one model's traffic lies; a name too long for a folder is told by its hash."""
    if len(model.encode()) > 200:
        model = "model-" + hashlib.sha256(model.encode()).hexdigest()[:32]
    return root(home) / model


class Segment:
    """One file that lines are appended to. Its lock says that its writer lives.

    The kernel lets go of the lock however the writer ends, so that what a killed process left is
    told from what is being written.
    """

    def __init__(self, folder: Path, prefix: str = "") -> None:
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            pass
        else:
            if not prefix:
                (folder / WHOLE).touch(mode=0o600)
        begun = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        self.path = folder / f"{prefix}{begun}-{os.getpid()}-{next(_numbers)}.jsonl"
        self._file = os.open(
            self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600
        )
        fcntl.flock(self._file, fcntl.LOCK_EX)
        _sync(folder)
        self._ids: int | None = None
        self.bytes = 0
        self.begun = time.monotonic()
        self._torn = False

    def append(self, lines: Sequence[bytes], ids: bytes = b"") -> None:
        """Write whole lines and have them on the disk; before them the hashes of their ids.

        Raises:
            OSError: when the disk is full or broken; the lines may stand there in part.
        """
        if ids:
            self._note(ids)
        # After a write that failed half-way, the next line must not go on in the torn one.
        data = (b"\n" if self._torn else b"") + b"".join(lines)
        self._torn = True
        while data:
            written = os.write(self._file, data)
            self.bytes += written
            data = data[written:]
        os.fdatasync(self._file)
        self._torn = False

    def _note(self, ids: bytes) -> None:
        if self._ids is None:
            path = self.path.with_suffix(IDS)
            self._ids = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if os.write(self._ids, ids) < len(ids):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fdatasync(self._ids)

    def close(self) -> None:
        """No more lines; the file may be compacted now."""
        if self._ids is not None:
            os.close(self._ids)
        os.close(self._file)


def is_written(path: Path) -> bool:
    """Whether a living process appends to this file."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def files(folder: Path) -> list[Path]:
    """The log's files, the oldest first; of a segment and its compacted form, the latter."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except FileNotFoundError:
        return []
    compacted = {name.removesuffix(".parquet") for name in names if name.endswith(".parquet")}
    return [
        folder / name
        for name in names
        if not name.startswith((FEEDBACK, "."))
        and (
            name.endswith(".parquet")
            or (name.endswith(".jsonl") and name.removesuffix(".jsonl") not in compacted)
        )
    ]


def feedback_files(folder: Path) -> list[Path]:
    """The files of feedback, the oldest first."""
    return sorted(folder.glob(f"{FEEDBACK}*.jsonl"))


def closed(folder: Path) -> list[Path]:
    """The segments that nobody writes to any more, and that are not compacted yet."""
    return [path for path in files(folder) if path.suffix == ".jsonl" and not is_written(path)]


def prune(folder: Path, most_bytes: int, most_age: float) -> int:
    """Remove the oldest files until the rest fits; returns how many went.

    Feedback is bounded by itself: whoever sends much of it pushes no traffic out. A file's age is
    counted from its last line. One that is being written stays.
    """
    kinds = (files(folder), feedback_files(folder))
    return sum(_prune(folder, paths, most_bytes, most_age) for paths in kinds)


def _prune(folder: Path, paths: Sequence[Path], most_bytes: int, most_age: float) -> int:
    sizes = []
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue  # compacted or removed by another process meanwhile
        sizes.append((path, status.st_size, status.st_mtime))
    total = sum(size for _, size, _ in sizes)
    removed, now = 0, time.time()
    for path, size, changed in sizes:
        if total <= most_bytes and now - changed <= most_age:
            continue
        if path.suffix == ".jsonl" and is_written(path):
            continue
        if not path.name.startswith(FEEDBACK):
            (folder / WHOLE).unlink(missing_ok=True)  # first: see `held`
            path.with_suffix(IDS).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        total -= size
        removed += 1
    return removed


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
