"""Measurements that are finished, kept where a later call finds them again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.finetune.contestants import OURS, SCRIPTS, SHORT, SHORT_PASSES, Turn
from bench.finetune.peers import environment_key

_ROOT = Path(__file__).parents[2]


class Store:
    """A folder with a file a measurement, named by everything that the measurement depends on.

    Args:
        folder: where they are kept.
        conditions: what holds for all of them: rows, base, threads, machine.
        until: where stretched scripts stop.
    """

    def __init__(self, folder: Path, conditions: Mapping[str, Any], until: float) -> None:
        self.folder, self.conditions, self.until = folder, dict(conditions), until

    def load(self, turn: Turn) -> dict[str, Any] | None:
        """The finished measurement of this turn; None when there is none."""
        path = self._path(turn)
        if not path.is_file():
            return None
        document: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return document

    def save(self, turn: Turn, measurement: Mapping[str, Any]) -> None:
        """Keep a finished measurement; it appears whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(turn)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(measurement, ensure_ascii=False, default=str), "utf-8")
        temporary.replace(path)

    def _path(self, turn: Turn) -> Path:
        facts = {**self.conditions, "contestant": _made_of(turn.contestant, self.until)}
        key = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
        return self.folder / f"{turn.contestant}-seed{turn.seed}-{key[:16]}.json"


def _made_of(contestant: str, until: float) -> Any:
    """What the contestant itself is: a changed line of Luodi makes our old times worthless."""
    if contestant == OURS:
        return _source_digest()
    if contestant == SHORT:
        return [_source_digest(), SHORT_PASSES]
    script = SCRIPTS[contestant]
    ends = until if script.instead_of else None
    return [dict(script.arguments), environment_key(), script.looks, ends]


def _source_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted((_ROOT / "src" / "luodi").rglob("*.py")):
        digest.update(str(path.relative_to(_ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
