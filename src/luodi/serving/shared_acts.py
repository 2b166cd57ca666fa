"""What one worker of a service was told to load or unload, for the others to repeat."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOAD, UNLOAD = "load", "unload"


class SharedActs:
    """Lines in a file that every worker of one service appends to and reads.

    A line is written in one call, which the kernel does not mix with others' (O_APPEND). A worker
    that starts later reads all from the beginning.

    Args:
        path: None when there is one worker alone.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read = 0
        self._me = secrets.token_hex(8)  # a process' number may have been another worker's before

    def tell(self, act: str, model: str, version: str = "", follows: str = "") -> None:
        """Have the other workers do what this one has done."""
        if self._path is None:
            return
        line = {
            "act": act,
            "model": model,
            "version": version,
            "follows": follows,
            "by": self._me,
        }
        file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, json.dumps(line).encode() + b"\n")
        finally:
            os.close(file)

    def news(self) -> Iterator[dict[str, Any]]:
        """What others were told since this was last asked."""
        if self._path is None or not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            lines = file.read()
        whole = lines[: lines.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            act = json.loads(line)
            if act["by"] != self._me:
                yield act
