"""What was collected from afar, kept by its content: fetched once, never again unless asked.

    HOME/data/
      objects/ab/abcd...          bytes, named by their SHA-256
      collected/KEY.json          what one source gave: its objects, rows, findings, and when
      collected/KEY.partial/      what an interrupted fetch left, to go on from
      tables/FINGERPRINT.json     a sketch of each table that a run met, to be compared later

KEY is the hash of the source as the project file writes it, secrets as `${NAME}`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import DataError, Finding, say
from luodi.project.sources import SourceModel

if TYPE_CHECKING:
    import polars as pl

    from luodi.data.sketch import Hide, Sketch

_FORMAT = 1
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Kept:
    """One object of a collected source: how readers name it, and where its bytes are."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """What one source gave. `when` is ISO 8601 in UTC; `facts` are its maker's own."""

    source: str
    when: str
    objects: Sequence[Kept]
    findings: Sequence[Finding] = field(default_factory=tuple)
    facts: Mapping[str, str] = field(default_factory=dict)


class Store:
    """The content-addressed store under a home folder."""

    def __init__(self, home: Path) -> None:
        self.root = home / "data"

    def find(self, key: str) -> Manifest | None:
        """What was collected under this key; None when nothing was, or by another format."""
        try:
            value = json.loads(self._manifest(key).read_text("utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if value.get("format") != _FORMAT:
            return None
        self._clear(key)
        return Manifest(
            value["source"],
            value["when"],
            [Kept(**item) for item in value["objects"]],
            [Finding(**item) for item in value["findings"]],
            value["facts"],
        )

    def keep(self, key: str, manifest: Manifest) -> None:
        """Remember what a source gave, in one rename; what was fetched before makes way."""
        value = {
            "format": _FORMAT,
            "source": manifest.source,
            "when": manifest.when,
            "objects": [asdict(item) for item in manifest.objects],
            "findings": [finding.to_json() for finding in manifest.findings],
            "facts": dict(manifest.facts),
        }
        _write_whole(self._manifest(key), json.dumps(value, ensure_ascii=False, indent=1).encode())

    def put(self, path: Path, name: str) -> Kept:
        """Take a file into the store; the same content is kept once.

        The file stays where it is as well: a kill before `keep` finds the fetch whole.
        """
        sha256, size = file_digest(path)
        target = self.object(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            temporary = target.with_name(f".{sha256}.{secrets.token_hex(4)}")
            try:
                temporary.hardlink_to(path)
            except OSError:  # another disk, or one that knows no links
                shutil.copyfile(path, temporary)
            _sync(temporary)
            temporary.replace(target)
            _sync(target.parent)
        return Kept(name, sha256, size)

    def object(self, sha256: str) -> Path:
        """Where the bytes of this digest lie."""
        return self.root / "objects" / sha256[:2] / sha256

    def check(self, kept: Kept) -> Path:
        """The object's path, once its bytes were found to be the ones that were collected.

        Raises:
            DataError: when they are gone or changed.
        """
        path = self.object(kept.sha256)
        if path.is_file() and file_digest(path) == (kept.sha256, kept.bytes):
            return path
        raise DataError(
            say(f"{path} is gone or was changed.", f"{path} 已丢失或被改动。"),
            say(f"It held {kept.name}, as collected.", f"它保存着收集到的 {kept.name}。"),
            say("luodi data fetch collects it again.", "用 luodi data fetch 重新收集。"),
        )

    def remember(self, table: pl.DataFrame, fingerprint: str, hide: Hide | None = None) -> None:
        """Keep a table's sketch under its fingerprint: it can be compared when it is gone.

        Args:
            hide: takes personal data out of values; a sketch that was kept without it makes way.
        """
        path = self._sketch(fingerprint)
        if path.exists() and (hide is None or self.recall(fingerprint).hidden):
            return
        from luodi.data.sketch import sketch

        value = sketch(table, fingerprint, hide).to_json()
        _write_whole(path, json.dumps(value, ensure_ascii=False).encode())

    def recall(self, fingerprint: str) -> Sketch:
        """The sketch of the one table whose fingerprint begins so.

        Raises:
            DataError: none does, or several do.
        """
        from luodi.data.sketch import Sketch

        wanted = fingerprint.removeprefix("sha256:")
        found = sorted((self.root / "tables").glob(f"{wanted}*.json")) if wanted.isalnum() else []
        if len(found) != 1:
            raise DataError(
                say(f"{len(found) or 'No'} tables have a fingerprint that begins with {wanted}.",
                    f"有 {len(found)} 个数据表的指纹以 {wanted} 开头。"),
                say("Expected the fingerprint of one.", "应为某一个的指纹。"),
                say("`luodi data log` shows those of a run.",
                    "`luodi data log` 可查看运行的指纹。"),
            )  # fmt: skip
        return Sketch.from_json(json.loads(found[0].read_text("utf-8")))

    def _sketch(self, fingerprint: str) -> Path:
        return self.root / "tables" / f"{fingerprint.removeprefix('sha256:')}.json"

    @contextlib.contextmanager
    def work(self, key: str) -> Iterator[Path]:
        """The folder in which this source is fetched, held by one process at a time."""
        from filelock import FileLock

        folder = self._partial(key)
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            folder.mkdir(parents=True, exist_ok=True)
            yield folder

    def discard(self, folder: Path) -> None:
        """Remove a fetch's folder once its objects are kept."""
        shutil.rmtree(folder, ignore_errors=True)

    def _clear(self, key: str) -> None:
        """Remove what a kill between `keep` and `discard` left: all of it older than what is kept.

        Younger is a fetch that was asked for anew, and goes on from there.
        """
        from filelock import FileLock, Timeout

        folder = self._partial(key)
        kept = self._manifest(key).stat().st_mtime_ns
        if not folder.is_dir() or _newest(folder) > kept:
            return
        with contextlib.suppress(Timeout), FileLock(f"{folder}.lock", timeout=0):
            self.discard(folder)

    def _partial(self, key: str) -> Path:
        return self.root / "collected" / f"{key}.partial"

    def _manifest(self, key: str) -> Path:
        return self.root / "collected" / f"{key}.json"


def key_of(source: SourceModel) -> str:
    """16 hex digits for a source as it is written, secrets as `${NAME}`."""
    value: Mapping[str, Any] = {"kind": source.kind, **source.model_dump(mode="json")}
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _newest(folder: Path) -> int:
    """When the folder or anything in it was changed last, in nanoseconds."""
    times = []
    for path in (folder, *folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # another process removes it
            times.append(path.stat().st_mtime_ns)
    return max(times, default=0)


def file_digest(path: Path) -> tuple[str, int]:
    """The SHA-256 (hex) and the size of a file, read a block at a time."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def _write_whole(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.write_bytes(data)
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
