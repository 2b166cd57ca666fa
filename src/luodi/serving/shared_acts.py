"""What one worker of a service was told to load or unload, for the others to repeat."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LOAD, UNLOAD = "load", "unload"
_DONE = "done"
_PATIENCE = 30.0
"""Seconds that the others are waited for: one that was killed does it when it is back."""


class SharedActs:
    """Lines in a file that every worker of one service appends to and reads.

    A line is written in one call, which the kernel does not mix with others' (O_APPEND). A worker
    that starts later reads all from the beginning.

    Args:
        path: None when there is one worker alone.
        others: how many workers there are beside this one.
    """

    def __init__(self, path: Path | None, others: int = 0) -> None:
        self._path, self._others = path, others
        self._done: dict[str, set[str]] = {}  # what is waited for -> who has done it too
        self._read = 0
        self._me = secrets.token_hex(8)  # a process' number may have been another worker's before

    def tell(self, act: str, model: str, version: str = "", follows: str = "") -> str:
        """Have the other workers do what this one has done; the act's number."""
        number = secrets.token_hex(8)
        self._done[number] = set()
        self._write({"act": act, "model": model, "version": version, "follows": follows,
                     "number": number})  # fmt: skip
        return number

    def did(self, act: Mapping[str, Any]) -> None:
        """Tell that this worker has done what it was told, as far as it could."""
        self._write({"act": _DONE, "number": act["number"]})

    async def done_by_all(self, number: str) -> None:
        """Wait until the others have done an act too, as their `news` are asked for: whoever was
        told that it is done may meet any of them next.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE
        while len(self._done[number]) < self._others and loop.time() < until:
            await asyncio.sleep(0.02)
        del self._done[number]

    def _write(self, line: dict[str, str]) -> None:
        if self._path is None:
            return
        line["by"] = self._me
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
            if act["by"] == self._me:
                continue
            if act["act"] == _DONE:
                self._done.get(act["number"], set()).add(act["by"])
            else:
                yield act
