"""Files held against a commit: for bases whose digests are not known before they are fetched.

A commit's name is a digest of its tree, the tree's of what stands in it, and a file's of its
content or, for a large one, of the pointer that names the SHA-256 of its content (Git LFS). Who
knows the commit's name can so check every file below it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from luodi.contracts import say
from luodi.training.bases.fetch import Unreachable, wrong_digest
from luodi.training.bases.folder import file_sha256

_SECONDS = 60


def check_commit(address: str, commit: str, folder: Path) -> None:
    """Refuse a folder with a file that is not the commit's.

    Args:
        address: of the repository, as git takes it. Its trees are read, and none of its files.

    Raises:
        Unreachable: git is not installed, or cannot read the commit.
        BaseModelError: a file is another one, or does not stand in the commit.
    """
    known = _listed(address, commit)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        expected = known.get(name, "")
        if expected not in (_pointer_id(path), _content_id(path)):
            told = say(f"commit {commit}", f"提交 {commit}")
            raise wrong_digest(f"{address} {name}", file_sha256(path), told)


def _listed(address: str, commit: str) -> dict[str, str]:
    """File name -> the digest that the commit has for it."""
    with tempfile.TemporaryDirectory() as work:
        _git(work, "init", "--quiet", "--bare")
        _git(work, "fetch", "--quiet", "--no-tags", "--depth=1", "--filter=blob:none",
             "--", address, commit)  # fmt: skip
        lines = _git(work, "ls-tree", "-r", "-z", commit).split("\0")
    files = (line.partition("\t") for line in lines if line)
    return {name: head.split()[2] for head, _, name in files}


def _git(folder: str, *arguments: str) -> str:
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603  # a list of our own arguments, no shell
            ["git", *arguments],  # noqa: S607  # the machine's own git
            cwd=folder, env=environment, capture_output=True, text=True, timeout=_SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreachable(
            say(f"git cannot check what was fetched: {error}", f"git 无法核对所获文件：{error}")
        ) from error
    if done.returncode:
        told = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:300]
        raise Unreachable(
            say(f"git cannot check what was fetched: {told}", f"git 无法核对所获文件：{told}")
        )
    return done.stdout


def _content_id(path: Path) -> str:
    return _blob_id(path.read_bytes())


def _pointer_id(path: Path) -> str:
    pointer = (
        "version https://git-lfs.github.com/spec/v1\n"
        f"oid sha256:{file_sha256(path)}\nsize {path.stat().st_size}\n"
    )
    return _blob_id(pointer.encode())


def _blob_id(content: bytes) -> str:
    # Git names what it keeps by SHA-1; a pointer's content is held by SHA-256.
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324
