"""Compressed files as streams, bounded: a bomb is refused while it is still small.

.gz .bz2 .xz .zst hold one file; .zip holds a folder, of which no path may leave. A name that may
stand for any of these, as pandas lets its writers choose it, is settled by the first bytes.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple, Protocol

from luodi.contracts import DataError, Finding, MissingPartError, say

LIMIT = 64 << 30
"""Bytes that a compressed file may unpack to."""
RATIO = 500
"""How much larger than itself it may unpack to, once that is over `FREE` bytes."""
FREE = 256 << 20
_MEMBERS = 10_000

STREAMS = (".gz", ".bz2", ".xz", ".zst")
ENDINGS = (*STREAMS, ".zip", ".compress")
_UNSAID = (".compress", ".pkl", ".pickle")
"""Endings that do not say whether, and how, a file is packed."""
_FIRST = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\0": ".xz", b"\x28\xb5\x2f\xfd": ".zst",
          b"PK\3\4": ".zip"}  # fmt: skip
"""The bytes that a packed file begins with. No pickled table begins so."""


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size` of them."""


class Unpacked(NamedTuple):
    """A file's content. `filename` tells its format, `shown` names it to the reader."""

    filename: str
    shown: str
    stream: Bounded


class Bounded:
    """A stream that ends in words when it is damaged, or unpacks to more than it may."""

    def __init__(self, stream: Readable, shown: str, packed: int, kind: str) -> None:
        self.stream, self.shown, self.packed, self.kind = stream, shown, packed, kind
        self.size = 0

    def read(self, size: int) -> bytes:
        """The next bytes, `size` of them unless the stream ends.

        Raises:
            DataError: damage, or a bomb.
        """
        pieces: list[bytes] = []
        wanted = size
        while wanted > 0:
            piece = self._read(min(wanted, 1 << 22))
            if not piece:
                break
            pieces.append(piece)
            wanted -= len(piece)
            self._count(len(piece))
        return b"".join(pieces)

    def rest(self) -> bytes:
        """All that is left."""
        pieces = []
        while piece := self.read(1 << 24):
            pieces.append(piece)
        return b"".join(pieces)

    def _read(self, size: int) -> bytes:
        try:
            return self.stream.read(size)
        except MemoryError:
            raise
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError,
                zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # fmt: skip
            raise damaged(self.shown, self.kind, error) from None
        except Exception as error:
            if type(error).__name__ == "ZstdError":  # of a library that may not be there
                raise damaged(self.shown, self.kind, error) from None
            raise

    def _count(self, size: int) -> None:
        self.size += size
        if not self.kind:
            return
        if self.size > LIMIT or (self.size > FREE and self.size > RATIO * self.packed):
            raise DataError(
                say(
                    f"{self.shown} unpacks to more than {self.size >> 20} MiB, from "
                    f"{self.packed:,} bytes.",
                    f"{self.shown} 由 {self.packed:,} 字节解压出超过 {self.size >> 20} MiB。",
                ),
                say(f"Data does not shrink {RATIO} times; a bomb does.",
                    f"数据不会压缩到 {RATIO} 分之一，压缩炸弹才会。"),
                say("If it is meant, unpack it yourself.", "如确有其事，请自行解压。"),
            )  # fmt: skip


def unpack(path: Path, shown: str, filename: str = "") -> Iterator[Unpacked]:
    """The content of a file: itself, what it holds, or each file of a .zip.

    Args:
        filename: tells the format where the path does not.

    Raises:
        DataError: damage, a bomb, a path that leaves the folder, a password.
    """
    name = PurePosixPath(filename or path.name)
    try:
        packed, ending = path.stat().st_size, _packing(path, name.suffix.lower())
        if ending == ".zip":
            yield from _members(path, shown)
            return
        bare = str(name.with_suffix("") if name.suffix.lower() in ENDINGS else name)
        with path.open("rb") as raw:
            if ending not in _OPENERS:
                yield Unpacked(bare, shown, Bounded(raw, shown, packed, ""))
                return
            stream, kind = _OPENERS[ending](raw), ending.removeprefix(".")
            yield Unpacked(bare, shown, Bounded(stream, shown, packed, kind))
    except OSError as error:
        raise DataError(
            say(f"{shown} cannot be read: {error.strerror or error}.",
                f"无法读取 {shown}：{error.strerror or error}。")
        ) from None  # fmt: skip


def _packing(path: Path, ending: str) -> str:
    """The ending that a file's first bytes ask for, where its own does not say."""
    if ending not in _UNSAID:
        return ending
    with path.open("rb") as file:
        head = file.read(max(map(len, _FIRST)))
    return next((kind for first, kind in _FIRST.items() if head.startswith(first)), "")


def _members(path: Path, shown: str) -> Iterator[Unpacked]:
    try:
        archive = zipfile.ZipFile(path)
        members = [item for item in archive.infolist() if not item.is_dir()]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeError) as error:
        raise damaged(shown, "zip", error) from None
    with archive:
        for item in members:
            _check_path(item, shown)
        # As in a folder: what systems leave beside real files is not meant.
        members = [item for item in members if not _hidden(item.filename)]
        if not members or len(members) > _MEMBERS:
            raise DataError(
                say(f"{shown} holds {len(members):,} files.",
                    f"{shown} 含有 {len(members):,} 个文件。"),
                say(f"Expected 1 to {_MEMBERS:,}.", f"应为 1 到 {_MEMBERS:,} 个。"),
            )  # fmt: skip
        for item in members:
            _check_member(item, shown)
        for item in sorted(members, key=lambda member: member.filename):
            inner = f"{shown}/{item.filename}"
            try:
                stream = archive.open(item)
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
                raise damaged(inner, "zip", error) from None
            with stream:
                bounded = Bounded(stream, inner, max(item.compress_size, 1), "zip")
                yield Unpacked(PurePosixPath(item.filename).name, inner, bounded)


def check_archive(raw: bytes, shown: str) -> None:
    """Refuse a workbook (a .zip by another name) that is a bomb, before its reader opens it.

    Raises:
        DataError: it unpacks to more than it may; what is no .zip is left to its reader.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for item in archive.infolist():
                with archive.open(item) as stream:
                    bounded = Bounded(stream, shown, max(item.compress_size, 1), "zip")
                    while bounded.read(1 << 22):
                        pass  # counted, not kept
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, OSError):
        return


def beside_files(path: Path, shown: str) -> list[Finding]:
    """The finding about files of a .zip that systems leave beside real ones: none of them is read.

    Damage is left to `unpack`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [item.filename for item in archive.infolist()
                     if not item.is_dir() and _hidden(item.filename)]  # fmt: skip
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return []
    if not names:
        return []
    return [
        Finding(
            "zip-extras",
            "info",
            len(names),
            say(f"{shown}: {len(names)} files that a system left beside the real ones were passed "
                f"over, such as {names[0]}.",
                f"{shown}：跳过了系统附带的 {len(names)} 个文件，例如 {names[0]}。"),
            details={"file": shown},
        )
    ]  # fmt: skip


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in name.split("/"))


def _check_path(item: zipfile.ZipInfo, shown: str) -> None:
    name = item.filename
    parts = name.replace("\\", "/").split("/")
    links = stat.S_ISLNK(item.external_attr >> 16)
    if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0] or links:
        raise DataError(
            say(f"{shown} holds the path {name!r}, which leaves its folder.",
                f"{shown} 含有越出文件夹的路径 {name!r}。"),
            say("Expected paths inside it.", "应为其内部的路径。"),
            say("Do not trust this file.", "请勿信任该文件。"),
        )  # fmt: skip


def _check_member(item: zipfile.ZipInfo, shown: str) -> None:
    name = item.filename
    if item.flag_bits & 1:
        raise DataError(
            say(f"{shown} is locked with a password.", f"{shown} 有密码保护。"),
            say("Expected a .zip without one.", "应为无密码的 .zip。"),
        )
    if PurePosixPath(name).suffix.lower() in ENDINGS:
        raise DataError(
            say(f"{shown} holds another packed file, {name}.",
                f"{shown} 内含另一个压缩文件 {name}。"),
            say("Expected tables.", "应为数据表。"),
            say("Unpack it yourself first.", "请先自行解压。"),
        )  # fmt: skip


def damaged(file: str, kind: str, error: BaseException) -> DataError:
    """The error for a file that is not what its ending says, or only half of it."""
    words = str(error).strip()
    reason = words.splitlines()[0][:200].rstrip(".") if words else type(error).__name__
    return DataError(
        say(f"{file} is no readable {kind}: {reason}.", f"{file} 不是可读的 {kind}：{reason}。"),
        say("The file is damaged or cut short.", "文件已损坏或不完整。"),
        say("Export or copy it again.", "请重新导出或复制。"),
    )


def _zstd(raw: BinaryIO) -> Readable:
    try:
        from backports import zstd
    except ModuleNotFoundError:
        raise MissingPartError(
            say("backports.zstd is not installed.", "未安装 backports.zstd。"),
            say("It reads .zst files.", "读取 .zst 文件需要它。"),
            "pip install 'luodi[sources]'",
        ) from None
    # A window of over 128 MiB asks for memory that no table needs.
    return zstd.ZstdFile(raw, options={zstd.DecompressionParameter.window_log_max: 27})


_OPENERS: dict[str, Callable[[BinaryIO], Readable]] = {
    ".gz": lambda raw: gzip.GzipFile(fileobj=raw),
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".zst": _zstd,
}
