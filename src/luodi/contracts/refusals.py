"""What the machine refuses, in words: a full disk, a folder that may not be written, no memory.

None of these is a fault of Luodi's, so none is told as one; whoever meets them can mend them.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

from luodi.contracts.errors import MachineError
from luodi.contracts.language import say

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_BARRED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER = {errno.ENOTDIR, errno.EISDIR, errno.ELOOP}
_FILES = {errno.EMFILE, errno.ENFILE}
_SAID = {
    r"No space left on device": errno.ENOSPC,
    r"database or disk is full": errno.ENOSPC,
    r"^\d+ requested and \d+ written": errno.ENOSPC,
    r"readonly database": errno.EROFS,
    r"Too many open files": errno.EMFILE,
}
"""How Polars, SQLite and NumPy tell it, without a number."""
_NUMBER = re.compile(r"\(os error (\d+)\)")  # Rust's
_SHOWN = 120


def refusal(error: BaseException) -> MachineError | None:
    """The refusal of the machine that an error comes of; None where it is something else."""
    for cause in _causes(error):
        if isinstance(cause, MemoryError):
            return _no_memory()
        if told := _told(_number(cause), cause):
            return told
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _number(cause: BaseException) -> int:
    """The system's number for what went wrong; 0 where there is none."""
    if isinstance(cause, OSError) and cause.errno:
        return cause.errno
    if match := _NUMBER.search(str(cause)):
        return int(match[1])
    return next((number for said, number in _SAID.items() if re.search(said, str(cause))), 0)


def _told(number: int, cause: BaseException) -> MachineError | None:
    file = _shortened(str(getattr(cause, "filename", None) or ""))
    if number in _FULL:
        at = say(f" for {file}", f"（{file}）") if file else ""
        return MachineError(
            say(f"There is no room left on the disk{at}.", f"磁盘空间不足{at}。"),
            "",
            say(
                "What was finished is kept. Free some room, or set LUODI_HOME and TMPDIR to a "
                "larger disk's folders; the same command then goes on from there.",
                "已完成的部分都已保存。请清理磁盘，或将 LUODI_HOME 和 TMPDIR 指向更大的磁盘，"
                "然后用同一命令继续。",
            ),
        )
    if number in _BARRED:
        return MachineError(
            say(
                f"{file or 'A file'} may not be read or written here.",
                f"{file or '文件'} 没有读写权限。",
            ),
            "",
            say(
                "Ask for the right to it, or name another place (-o, LUODI_HOME).",
                "请取得权限，或另选位置（-o、LUODI_HOME）。",
            ),
        )
    if number in _NO_FOLDER:
        return MachineError(
            say(
                f"{file or 'A path'} leads through a file, or is a folder itself.",
                f"{file or '路径'} 中有一段不是文件夹，或其本身就是文件夹。",
            ),
            "",
            say("Name another place.", "请另选位置。"),
        )
    if number == errno.ENAMETOOLONG:
        return MachineError(
            say(f"The name {file} is longer than the disk allows.", f"名称 {file} 过长。"),
            "",
            say("Use a shorter one.", "请换用较短的名称。"),
        )
    if number in _FILES:
        return MachineError(
            say("Too many files are open at once.", "同时打开的文件过多。"),
            "",
            say("Raise the limit (ulimit -n).", "请提高上限（ulimit -n）。"),
        )
    return _no_memory() if number == errno.ENOMEM else None


def _no_memory() -> MachineError:
    return MachineError(
        say("There is not enough memory for this.", "内存不足。"),
        "",
        say(
            "Close other programs, give it more, or let fewer rows in (data.limit).",
            "请关闭其他程序、增加内存，或减少行数（data.limit）。",
        ),
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _SHOWN else f"{name[: _SHOWN // 2]}…{name[-_SHOWN // 2 :]}"
