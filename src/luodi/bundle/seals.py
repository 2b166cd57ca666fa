"""Digests and plain files: what a bundle's contents are held against."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from luodi.contracts import BundleError, JsonValue, say

MANIFEST = "manifest.json"
DIGEST = "digest"
JSON_LIMIT = 64 * 1024 * 1024
"""Bytes that one of the bundle's own JSON files may have; a model's files may be larger."""
FILE_LIMIT = 20_000
"""Files that a bundle may have."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Sealed:
    """A file's SHA-256 (hex) and its size in bytes."""

    sha256: str
    bytes: int


def digest_of(data: bytes) -> str:
    """`sha256:<hex>` of `data`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def canonical(value: JsonValue, indent: int | None = 1) -> bytes:
    """JSON with sorted keys and no choice left: the same value gives the same bytes.

    `indent` None puts all on one line.

    Raises:
        BundleError: for a value that JSON cannot hold, such as NaN or a NumPy number.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=indent)
        return (text + "\n").encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise BundleError(
            say(
                f"A value cannot be written to a bundle: {error}.",
                f"有值无法写入模型包：{error}。",
            ),
            say("Expected plain JSON values.", "应为普通的 JSON 值。"),
        ) from error


def read_object(data: bytes, where: Path) -> dict[str, JsonValue]:
    """The JSON object in `data`.

    Raises:
        BundleError: when it is none.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BundleError(
            say(f"{where} is not JSON: {error}.", f"{where} 不是 JSON:{error}。")
        ) from error
    if not isinstance(value, dict):
        raise BundleError(say(f"{where} is not a JSON object.", f"{where} 不是 JSON 对象。"))
    return value


def read_seals(value: JsonValue, where: Path) -> dict[str, Sealed]:
    """The `files` of a manifest, each path and seal checked.

    Raises:
        BundleError: naming the path that is not a plain path inside the folder.
    """
    if not isinstance(value, dict) or not 0 < len(value) <= FILE_LIMIT:
        raise malformed(where, "files")
    seals = {}
    for name, seal in value.items():
        parts = name.split("/")
        plain = all(part not in ("", ".", "..") for part in parts)
        if not plain or "\\" in name or "\0" in name:
            raise BundleError(
                say(
                    f"{where} names {name!r}, which is no path inside the bundle.",
                    f"{where} 列出了 {name!r}，它不是模型包内的路径。",
                )
            )
        sha256, size = (
            (seal.get("sha256"), seal.get("bytes")) if isinstance(seal, dict) else ("",) * 2
        )
        if not (isinstance(sha256, str) and _HEX.fullmatch(sha256)):
            raise malformed(where, f"files.{name}.sha256")
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise malformed(where, f"files.{name}.bytes")
        seals[name] = Sealed(sha256, size)
    return seals


def malformed(where: Path, name: str) -> BundleError:
    """The error for a field of a manifest that is missing or of another kind."""
    return BundleError(
        say(
            f"{where}: {name} is missing or not of its kind.",
            f"{where}:{name} 缺失或类型不符。",
        ),
        "",
        say("Take the bundle from its source again.", "请从来源重新获取该模型包。"),
    )


def read_file(path: Path, limit: int = JSON_LIMIT) -> bytes:
    """A plain file's bytes, at most `limit`.

    Raises:
        BundleError: when it is missing, a link, no plain file, or larger.
    """
    with opened(path) as descriptor:
        size = os.fstat(descriptor.number).st_size
        if size > limit:
            raise BundleError(
                say(f"{path} has {size} bytes.", f"{path} 有 {size} 字节。"),
                say(f"At most {limit} were expected.", f"至多应为 {limit} 字节。"),
            )
        with os.fdopen(os.dup(descriptor.number), "rb") as file:
            return file.read(limit + 1)


def seal_file(path: Path) -> Sealed:
    """The seal of the file at `path`.

    Raises:
        BundleError: when it is missing, a link, or no plain file.
    """
    with opened(path) as descriptor, os.fdopen(os.dup(descriptor.number), "rb") as file:
        seen = hashlib.file_digest(file, "sha256")
        return Sealed(seen.hexdigest(), file.tell())


class opened:  # noqa: N801 - a context manager, read like open()
    """A descriptor of a plain file; a link, a pipe or a device is refused, never followed."""

    def __init__(self, path: Path) -> None:
        try:
            # O_NONBLOCK: opening a pipe that somebody put there must not wait for its writer.
            self.number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise BundleError(
                say(
                    f"{path} cannot be read: {error.strerror}.",
                    f"无法读取 {path}:{error.strerror}。",
                ),
                say("Expected a plain file of a bundle.", "应为模型包中的普通文件。"),
            ) from error
        if not stat.S_ISREG(os.fstat(self.number).st_mode):
            os.close(self.number)
            raise BundleError(say(f"{path} is no plain file.", f"{path} 不是普通文件。"))

    def __enter__(self) -> opened:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.number)


def read_digest(folder: Path) -> str:
    """The digest that the folder's `digest` file states.

    Raises:
        BundleError: when the file is missing or holds anything else.
    """
    stated = read_file(folder / DIGEST, 200)
    text = stated.decode("ascii", "replace")
    # One spelling only: a changed blank would otherwise be a changed byte that nobody finds.
    if not (text.endswith("\n") and _DIGEST.fullmatch(text[:-1])):
        raise BundleError(
            say(f"{folder / DIGEST} holds no digest.", f"{folder / DIGEST} 中没有摘要。"),
            say("Expected one line, sha256:<64 hex digits>.", "应为一行 sha256:<64 位十六进制>。"),
        )
    return text[:-1]


def walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Everything under `folder` that is not a folder: (path inside it, its own stat), in order.

    Raises:
        BundleError: when there is more than a bundle may have.
    """
    pending, seen = [""], 0
    while pending:
        prefix = pending.pop()
        with os.scandir(folder / prefix) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            seen += 1
            if seen > FILE_LIMIT:
                raise BundleError(
                    say(
                        f"{folder} holds more than {FILE_LIMIT} files.",
                        f"{folder} 中的文件超过 {FILE_LIMIT} 个。",
                    )
                )
            if entry.is_dir(follow_symlinks=False):
                pending.append(f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name, entry.stat(follow_symlinks=False)
