"""What the machine refuses is told as that, loses nothing, and stops nobody once it is mended."""

from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
from pathlib import Path

import pytest

from luodi import cli
from luodi.contracts import MachineError
from luodi.contracts.refusals import refusal
from luodi.registry.store import Store
from tests.forked import LUODI

PROJECT = """\
name: p
task: tabular-classification
data: {source: t.csv, columns: {label: y}}
model: {learner: linear}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "luodi.yaml").write_text(PROJECT)
    rows = [
        (i * 7 % 11, i * 5 % 13, "ab"[i * 7 % 11 + i * 5 % 13 + i % 7 > 13]) for i in range(300)
    ]
    (tmp_path / "t.csv").write_text("x,z,y\n" + "".join(f"{x},{z},{y}\n" for x, z, y in rows))
    return tmp_path


def run_with_files_of(most: int | None, folder: Path) -> subprocess.CompletedProcess[str]:
    """A run whose files may grow to so many bytes: how a full disk looks to a process."""

    def bound() -> None:
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    return subprocess.run(
        [LUODI, "run", "--json"], cwd=folder, capture_output=True, text=True, check=False,
        preexec_fn=bound, env=os.environ | {"LUODI_LANGUAGE": "en"},
    )  # fmt: skip


@pytest.mark.parametrize("most", [500, 3000])
def test_a_full_disk_is_told_and_the_run_goes_on_once_there_is_room(project, most):
    done = run_with_files_of(most, project)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (1, "machine"), error
    assert "no room left on the disk" in error["message"]
    assert "foresee" not in error["message"]
    again = run_with_files_of(None, project)
    assert again.returncode == 0, again.stdout + again.stderr


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "no room left on the disk"),
        (OSError(errno.EROFS, "Read-only file system", "/x/y"), "/x/y may not be read or written"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "/x/y may not be read"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/x/y"), "/x/y leads through a file"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many files are open"),
        (MemoryError(), "not enough memory"),
        (RuntimeError("write failed: No space left on device (os error 28)"), "no room left"),
        (OSError("8672 requested and 7664 written"), "no room left"),  # NumPy's
        (RuntimeError("(sqlite3.OperationalError) database or disk is full"), "no room left"),
    ],
)
def test_each_refusal_in_words(raised, told):
    def refused(json_output: bool = False) -> None:
        try:
            raise raised
        except Exception as error:
            raise ValueError("a library's own") from error

    with pytest.raises(MachineError, match=told):
        cli._call("doctor", refused, [])


def fill(store: Store) -> None:
    with store.writing() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("INSERT INTO large VALUES (zeroblob(1000000))")


def test_a_registry_without_room_says_so(tmp_path):
    store = Store(tmp_path / "registry.db")
    with store.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE large (x)")
    with pytest.raises(MachineError, match="no room left"):
        fill(store)


@pytest.mark.parametrize(
    "raised", [ValueError("ours"), FileNotFoundError(errno.ENOENT, "No such file", "/x"), OSError()]
)
def test_what_may_be_our_own_fault_is_no_refusal(raised):
    assert refusal(raised) is None


@pytest.mark.parametrize(
    "arguments",
    [("run",), ("check",), ("verify",), ("predict", "{}", "t.csv"), ("data", "profile")],
)
def test_a_name_that_no_disk_takes(luodi, project, arguments):
    name = "a" * 5000
    words = [word.format(name) for word in arguments]
    done = luodi(*words, *(() if name in words else (name,)), "--json", cwd=project)
    error = json.loads(done.stdout)["error"]
    assert done.returncode
    assert "foresee" not in error["message"]
    assert len(error["message"]) < 1000
