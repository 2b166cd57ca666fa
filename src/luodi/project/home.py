"""Where state lives."""

from __future__ import annotations

import os
from pathlib import Path


def home_folder(start: Path | None = None) -> Path:
    """`LUODI_HOME`; else the nearest `.luodi` at or above `start`; else `start/.luodi`."""
    if given := os.environ.get("LUODI_HOME"):
        return Path(given).expanduser().resolve()
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / ".luodi").is_dir():
            return folder / ".luodi"
    return start / ".luodi"


def cache_folder() -> Path:
    """Where base models are kept for every project of this user: `LUODI_CACHE`, else XDG's."""
    if given := os.environ.get("LUODI_CACHE"):
        return Path(given).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "luodi"
