"""Is every file of a bundle the one that its manifest seals, and is there no other?"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from luodi.bundle.manifest import EVALUATION, FORMAT, Manifest
from luodi.bundle.seals import (
    DIGEST,
    MANIFEST,
    Sealed,
    digest_of,
    read_digest,
    read_file,
    read_object,
    read_seals,
    seal_file,
    walk,
)
from luodi.contracts import BundleError, say


@dataclass(frozen=True)
class Check:
    """A file, or the golden answers, and what is wrong with it: empty when nothing is."""

    name: str
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong with it."""
        return not self.problem


def check_files(folder: Path, manifest: Manifest, digest: str) -> list[Check]:
    """Every file of the bundle and of its evaluation, against its seal.

    `manifest` and `digest` come from `read_manifest`, which has held them against each other.

    Raises:
        BundleError: when the folder holds more files than any bundle may.
        OSError: when it cannot be listed.
    """
    found = dict(walk(folder))
    inside = EVALUATION + "/"
    own = {name: status for name, status in found.items() if not name.startswith(inside)}
    checks = [Check(MANIFEST), Check(DIGEST)]
    checks += _against(folder, manifest.files, own)
    if len(own) < len(found):
        evaluated = {
            name.removeprefix(inside): status
            for name, status in found.items()
            if name.startswith(inside)
        }
        for check in _evaluation(folder / EVALUATION, evaluated, digest):
            checks.append(Check(inside + check.name, check.problem))
    return checks


def _against(
    folder: Path, seals: Mapping[str, Sealed], found: Mapping[str, os.stat_result]
) -> list[Check]:
    checks = [Check(name, _compare(folder, name, seals[name], found)) for name in sorted(seals)]
    checks += [
        Check(
            name,
            say(
                f"{folder / name} is not in the manifest: it was put there later.",
                f"{folder / name} 不在清单中：是后来放进去的。",
            ),
        )
        for name in sorted(found.keys() - seals.keys() - {MANIFEST, DIGEST})
    ]
    return checks


def _compare(folder: Path, name: str, seal: Sealed, found: Mapping[str, os.stat_result]) -> str:
    path = folder / name
    if name not in found:
        return say(f"{path} is missing.", f"{path} 缺失。")
    status = found[name]
    if not stat.S_ISREG(status.st_mode):
        return say(
            f"{path} is no plain file (a link, a pipe or a device).",
            f"{path} 不是普通文件（是链接、管道或设备）。",
        )
    # The size first: a file that grew to fill the disk need not be read to be refused.
    if status.st_size != seal.bytes:
        return say(
            f"{path} has {status.st_size} bytes; the manifest says {seal.bytes}.",
            f"{path} 有 {status.st_size} 字节，清单记载为 {seal.bytes} 字节。",
        )
    try:
        seen = seal_file(path)
    except BundleError as error:
        return str(error)
    if seen != seal:
        return say(
            f"{path} was changed: its SHA-256 is {seen.sha256[:12]}…, the manifest says "
            f"{seal.sha256[:12]}….",
            f"{path} 被改动过：其 SHA-256 为 {seen.sha256[:12]}…，清单记载为 {seal.sha256[:12]}…。",
        )
    return ""


def _evaluation(folder: Path, found: Mapping[str, os.stat_result], digest: str) -> list[Check]:
    """The evaluation's own seal: its manifest names the bundle that it evaluates."""
    path = folder / MANIFEST
    try:
        data = read_file(path)
        if digest_of(data) != read_digest(folder):
            raise BundleError(
                say(f"{path} is not what {DIGEST} says.", f"{path} 与 {DIGEST} 不符。")
            )
        value = read_object(data, path)
        seals = read_seals(value.get("files"), path)
        if value.get("format") != FORMAT or value.get("evaluates") != digest:
            raise BundleError(
                say(
                    f"{folder} evaluates {value.get('evaluates')}, not this bundle.",
                    f"{folder} 评估的是 {value.get('evaluates')}，不是这个模型包。",
                )
            )
    except BundleError as error:
        return [Check(MANIFEST, str(error))]
    return [Check(MANIFEST), Check(DIGEST), *_against(folder, seals, found)]
