"""Stages are done once, and survive a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from luodi.cli.watching import TerminalObserver
from luodi.contracts import Progress
from luodi.lifecycle.stages import (
    Stages,
    code_version,
    key_of,
    package_of,
    read_json,
    write_json,
)
from tests.watcher import Watcher


def test_equal_inputs_are_worked_on_once(tmp_path):
    watcher, calls = Watcher(), []
    stages = Stages(tmp_path, watcher)

    def work(folder: Path, progress: Progress) -> None:
        calls.append(folder)
        (folder / "out").write_text("done")

    first = stages.run("split", {"a": 1, "b": [2, 3]}, work)
    again = Stages(tmp_path, watcher)
    assert again.run("split", {"b": [2, 3], "a": 1}, work) == first
    assert stages.run("split", {"a": 2, "b": [2, 3]}, work) != first
    assert len(calls) == 2
    assert [reused for _, reused in watcher.ended] == [False, True, False]
    assert (first / "out").read_text() == "done"


def test_a_stage_that_failed_is_done_again_in_the_folder_it_left(tmp_path):
    watcher = Watcher()
    stages = Stages(tmp_path, watcher)

    def breaks(folder: Path, progress: Progress) -> None:
        (folder / "checkpoint").write_text("half")
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        stages.run("train", {}, breaks)
    assert watcher.failed == [("train", False)]
    assert watcher.ended == [], "what failed has not ended"

    def goes_on(folder: Path, progress: Progress) -> None:
        assert (folder / "checkpoint").read_text() == "half"

    assert stages.run("train", {}, goes_on).name == f"train-{key_of({})}"


def test_a_stage_that_is_stopped_is_no_stage_that_was_done(tmp_path, capsys):
    def stops(folder: Path, progress: Progress) -> None:
        raise KeyboardInterrupt

    def breaks(folder: Path, progress: Progress) -> None:
        raise OSError

    for work, error in ((stops, KeyboardInterrupt), (breaks, OSError)):
        with pytest.raises(error):
            Stages(tmp_path, TerminalObserver()).run("train-linear", {}, work)
    told = capsys.readouterr().err
    assert "– Train linear  (stopped after" in told
    assert "✗ Train linear  (failed after" in told
    assert "✓" not in told


KILLED = """
import sys, time
from pathlib import Path
from luodi.contracts import Quiet
from luodi.lifecycle.stages import Stages
class Watcher:
    def begin(self, stage): return Quiet()
    def end(self, *_, **__): pass
    def broken(self, *_): pass
    def tell(self, message): pass
def work(folder, progress):
    (folder / "begun").write_text("x")
    print("working", flush=True)
    time.sleep(60)
Stages(Path(sys.argv[1]), Watcher()).run("slow", {}, work)
"""


def test_kill_9_leaves_no_stage_that_looks_done(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    started = time.monotonic()
    done = Stages(tmp_path, Watcher()).run(
        "slow", {}, lambda folder, progress: write_json(folder / "out.json", {"a": 1})
    )
    assert time.monotonic() - started < 5, "a dead run's lock must not be waited for"
    assert read_json(done / "out.json") == {"a": 1}
    assert (done / "begun").exists()


def test_a_strangers_single_module_is_named_and_so_goes_stale_when_it_changes(
    tmp_path, monkeypatch
):
    module = tmp_path / "stranger.py"
    module.write_text("class Learner: ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    import stranger

    name = package_of(stranger.Learner())
    assert name == "stranger"
    before = code_version(name)
    module.write_text("class Learner: ...\n# changed\n")
    code_version.cache_clear()
    assert code_version(name) != before


def test_our_own_tasks_are_watched_as_one_for_they_share_code():
    from luodi.tasks import find_task

    task = find_task("text-classification")
    assert package_of(task) == package_of(task.learners["linear"]) == "luodi.tasks"
