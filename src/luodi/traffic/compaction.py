"""Closed segments become Parquet: `python -m luodi.traffic.compaction HOME`, a short process.

The service starts it when it has closed a segment, so that it need not load Polars itself. A kill
at any point leaves each line in exactly one place: the Parquet file appears in one rename, and
readers prefer it to the segment of the same name, which goes last.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from luodi.traffic.held import put_in_order
from luodi.traffic.reading import read_segment
from luodi.traffic.segments import IDS, closed, root


def compact(home: Path) -> int:
    """Compact every model's closed segments; returns how many. One process at a time does."""
    place = root(home)
    if not place.is_dir():
        return 0
    done = 0
    lock = os.open(place / ".compacting", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in sorted(path for path in place.iterdir() if path.is_dir()):
            _clean(folder)
            for segment in closed(folder):
                _compact(segment)
                done += 1
    finally:
        os.close(lock)
    return done


def _compact(segment: Path) -> None:
    table = read_segment(segment)
    temporary = segment.with_name(f".{segment.stem}.{os.getpid()}")
    changed = segment.stat()
    if (ids := segment.with_suffix(IDS)).exists():
        put_in_order(ids)  # before the rename, from which on they are taken to be in order
    with temporary.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        table.write_parquet(file, compression="zstd")
        file.flush()
        os.fsync(file.fileno())
    # Its age is that of its last line, not of its compaction.
    os.utime(temporary, ns=(changed.st_atime_ns, changed.st_mtime_ns))
    temporary.replace(segment.with_suffix(".parquet"))
    handle = os.open(segment.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    segment.unlink(missing_ok=True)


def _clean(folder: Path) -> None:
    """What a killed compaction left: half a file, or a segment beside its compacted form."""
    for path in folder.glob(".*"):
        path.unlink(missing_ok=True)
    for path in folder.glob("*.parquet"):
        path.with_suffix(".jsonl").unlink(missing_ok=True)


if __name__ == "__main__":
    os.nice(10)
    compact(Path(sys.argv[1]))
