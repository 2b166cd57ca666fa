"""What is fetched from a hub is held against the commit that pins it."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

from luodi.contracts import BaseModelError
from luodi.training.bases.commit import check_commit
from luodi.training.bases.fetch import Unreachable

WEIGHTS = b"weights, too large for git" * 100
POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    f"oid sha256:{hashlib.sha256(WEIGHTS).hexdigest()}\nsize {len(WEIGHTS)}\n"
)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> tuple[str, str]:
    """A repository as a hub keeps it, small files beside pointers, and its one commit."""
    folder = tmp_path / "repository"
    (folder / "1_Pooling").mkdir(parents=True)
    git(folder, "init", "--quiet")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "model.safetensors").write_text(POINTER)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "a model")
    for name in ("allowFilter", "allowAnySHA1InWant"):
        git(folder, "config", f"uploadpack.{name}", "true")
    return folder.as_uri(), git(folder, "rev-parse", "HEAD")


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    """What the hub's client leaves: the files themselves."""
    folder = tmp_path / "fetched"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "1_Pooling" / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    return folder


def test_the_commits_own_files_pass(repository: tuple[str, str], fetched: Path) -> None:
    check_commit(*repository, fetched)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "1_Pooling/config.json"])
def test_a_flipped_byte_is_refused(repository: tuple[str, str], fetched: Path, name: str) -> None:
    content = bytearray((fetched / name).read_bytes())
    content[0] ^= 1
    (fetched / name).write_bytes(content)
    with pytest.raises(BaseModelError, match=rf"{name} has SHA-256 .*commit {repository[1]}"):
        check_commit(*repository, fetched)


def test_a_file_that_the_commit_does_not_have_is_refused(
    repository: tuple[str, str], fetched: Path
) -> None:
    (fetched / "tokenizer.json").write_text("{}")
    with pytest.raises(BaseModelError, match=r"tokenizer\.json"):
        check_commit(*repository, fetched)


def test_a_commit_that_cannot_be_read_says_why(
    repository: tuple[str, str], fetched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unreachable, match="git cannot check"):
        check_commit(repository[0], "0" * 40, fetched)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unreachable, match="git cannot check"):
        check_commit(*repository, fetched)
