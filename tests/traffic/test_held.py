"""Whether a log has ever held a request: known for sure, or not claimed."""

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from luodi.traffic.compaction import compact
from luodi.traffic.feedback import Feedback, FeedbackLog
from luodi.traffic.held import is_whole, lacking, written
from luodi.traffic.log import TrafficLog
from luodi.traffic.segments import WHOLE, files, folder_of, prune
from luodi.traffic.settings import TrafficSettings
from tests.traffic.test_log import entry

ASKED = [f"r{n}" for n in range(300)]


def logging(home, entries=(), **settings):
    log = TrafficLog(home, lambda model: TrafficSettings(**settings), compact=False)
    for each in entries:
        log.add(each)
    return log


def unheld(log, *numbers):
    places = [(number, 0) for number in numbers]
    return {number for number, _ in asyncio.run(log.unheld("m", places))}


def test_what_was_asked_is_told_from_what_was_not(tmp_path):
    log = logging(tmp_path)
    assert unheld(log, "r1", "x") == {"r1", "x"}  # nothing was ever asked
    for number in ASKED:
        log.add(entry(number, rows=2))
    assert unheld(log, *ASKED, "x", "r300") == {"x", "r300"}
    log.close()
    # A service that is started again knows it too, and so it does once all is Parquet.
    again = logging(tmp_path, [entry("later")])
    assert unheld(again, *ASKED, "later", "x") == {"x"}
    again.close()
    assert compact(tmp_path) == 2
    assert {path.suffix for path in files(folder_of(tmp_path, "m"))} == {".parquet"}
    assert unheld(logging(tmp_path), *reversed(ASKED), "x", "later", "") == {"x", ""}


def test_a_requests_rows_are_told_from_those_that_it_had_not(tmp_path, monkeypatch):
    def left(log, *places):
        return asyncio.run(log.unheld("m", places))

    log = logging(tmp_path, [entry("three", rows=3), entry("13812345678", rows=2)])
    log.close()
    asked = [("three", 0), ("three", 2), ("three", 3), ("13812345678", 1), ("13812345678", 2)]
    beyond = {("three", 3), ("13812345678", 2)}  # personal data: under another name in the log
    assert left(logging(tmp_path), *asked) == beyond
    compact(tmp_path)
    assert left(logging(tmp_path), *asked) == beyond
    monkeypatch.setattr("luodi.traffic.log._EVERY", 0.5)
    log = logging(tmp_path, [entry("just now", rows=2)])
    assert left(log, ("just now", 1), ("just now", 2), ("three", 1)) == {("just now", 2)}
    log.close()


def test_a_log_that_knows_no_rows_claims_nothing(tmp_path):
    """One of an earlier version: beside it lies `whole`, with one hash a request."""
    logging(tmp_path, [entry("two", rows=2)]).close()
    (mark := folder_of(tmp_path, "m") / WHOLE).rename(mark.with_name("whole"))
    assert unheld(logging(tmp_path), "two", "x") == set()


def test_it_is_known_at_once_though_it_is_not_yet_written(tmp_path, monkeypatch):
    monkeypatch.setattr("luodi.traffic.log._EVERY", 0.5)
    log = logging(tmp_path, [entry("just now")])
    assert not files(folder_of(tmp_path, "m"))
    assert unheld(log, "just now", "x") == {"x"}
    log.close()


def test_what_another_model_just_answered_is_not_this_ones(tmp_path, monkeypatch):
    log = logging(tmp_path, [entry("old"), entry("hers", model="other")])
    asyncio.run(written(tmp_path))
    monkeypatch.setattr("luodi.traffic.log._EVERY", 0.5)
    for model, number in (("m", "mine"), ("other", "new")):
        log.add(entry(number, model=model))
    assert unheld(log, "mine", "new", "hers", "x") == {"new", "hers", "x"}
    log.close()


OTHER = """
    import sys, time
    from pathlib import Path
    from luodi.traffic.log import Entry, TrafficLog
    log = TrafficLog(Path(sys.argv[1]), compact=False)
    log._write = lambda real=log._write: (time.sleep(float(sys.argv[2])), real())
    log.add(Entry("m", "v", "elsewhere", "champion", "predict", [{}], [{}], 0.1))
    print("answered", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process, which has answered `elsewhere` and is slow to write that down."""
    started = []

    def start(seconds):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(OTHER), tmp_path, str(seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        assert process.stdout.readline() == b"answered\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_what_another_process_has_not_written_yet_is_waited_for(tmp_path, other):
    log = logging(tmp_path, [entry("here")])
    other(0.5)
    assert unheld(log, "elsewhere", "here", "x") == {"x"}
    log.close()


def test_one_that_is_stuck_leaves_it_unknown(tmp_path, other, monkeypatch):
    from luodi.traffic import held, log

    async def written(home):
        return await held.written(home, 0.5)

    monkeypatch.setattr(log, "written", written)
    process = other(60.0)
    assert unheld(logging(tmp_path), "elsewhere", "x") == set()
    process.kill()
    process.wait()
    # What it had not written is lost with it, and nobody waits for it any more.
    assert unheld(logging(tmp_path), "elsewhere", "x") == {"elsewhere", "x"}
    assert not list(tmp_path.glob("traffic/.writer-*"))


def test_an_id_that_is_personal_data_is_known_by_its_hash(tmp_path):
    log = logging(tmp_path, [entry("13812345678")])
    assert unheld(log, "13812345678", "13812345679") == {"13812345679"}
    log.close()
    plain = logging(tmp_path, [entry("13912345678")], mask=False)
    assert unheld(plain, "13812345678", "13912345678", "13912345679") == {"13912345679"}
    plain.close()
    raw = b"".join(path.read_bytes() for path in tmp_path.rglob("*.ids"))
    assert len(raw) == 16


@pytest.mark.parametrize("settings", [{"keep": False}, {"sample": 0.5}])
def test_what_keeps_some_or_none_knows_nothing(tmp_path, settings):
    log = logging(tmp_path, [entry(number) for number in ASKED], **settings)
    assert unheld(log, "x", *ASKED) == set()
    log.close()
    # Nor does what keeps all, later: one of those may be meant.
    if settings.keys() == {"sample"}:
        assert unheld(logging(tmp_path), "x", *ASKED) == set()


def test_a_switch_that_comes_later_hides_what_came_meanwhile(tmp_path):
    log = logging(tmp_path, [entry("kept")])
    assert unheld(log, "x") == {"x"}
    log.close()
    silent = logging(tmp_path, [entry("unkept")], keep=False)
    silent.start()
    silent.close()
    assert unheld(logging(tmp_path), "x", "unkept") == set()


def test_without_a_home_nothing_is_known():
    assert unheld(TrafficLog(None), "x") == set()


def test_what_was_there_before_ids_were_kept_is_not_denied(tmp_path):
    folder = folder_of(tmp_path, "m")
    folder.mkdir(parents=True)
    (folder / "20260101T000000-1-0.jsonl").write_bytes(b"{}\n")
    log = logging(tmp_path, [entry("new")])
    assert unheld(log, "x") == set()
    log.close()


def test_feedback_alone_makes_no_log_that_is_whole(tmp_path):
    async def tell():
        feedback = FeedbackLog(tmp_path)
        await feedback.add("m", [Feedback("r", 0, {"label": "a"})])
        feedback.close()

    asyncio.run(tell())
    assert unheld(logging(tmp_path), "x") == set()


def test_what_was_pruned_is_not_denied_and_leaves_nothing(tmp_path):
    logging(tmp_path, [entry("old")]).close()
    assert is_whole(tmp_path, "m")
    assert prune(folder_of(tmp_path, "m"), 0, 1e9) == 1
    assert not list(folder_of(tmp_path, "m").iterdir())
    log = logging(tmp_path, [entry("new")])
    assert unheld(log, "old", "x") == set()
    log.close()


def test_what_was_left_out_is_not_denied(tmp_path, monkeypatch):
    log = logging(tmp_path, [entry("first")])
    assert unheld(log, "x") == {"x"}
    monkeypatch.setattr("luodi.traffic.log._PENDING", 0)
    log.add(entry("too much"))
    assert unheld(log, "too much") == set()
    log.close()
    assert unheld(logging(tmp_path), "too much", "x") == set()


def test_nor_is_what_a_full_disk_lost(tmp_path, monkeypatch):
    logging(tmp_path, [entry("first")]).close()
    real = os.write

    def full(file, data):
        if len(data) > 100:
            raise OSError(28, "No space left on device")
        return real(file, data)

    monkeypatch.setattr(os, "write", full)
    logging(tmp_path, [entry("lost")]).close()
    monkeypatch.undo()
    assert unheld(logging(tmp_path), "lost", "x") == set()


def test_a_kill_at_any_time_denies_nothing_that_was_answered(tmp_path):
    """Processes log and are killed; each id that was answered a moment before is known."""
    code = """
        import sys
        from pathlib import Path
        from luodi.traffic.log import Entry, TrafficLog
        log = TrafficLog(Path(sys.argv[1]), compact=False)
        for number in range(10**9):
            name = f"{sys.argv[2]}-{number}"
            log.add(Entry("m", "v", name, "champion", "predict", [{}], [{}], 0.1))
            print(number, flush=True)
            sys.stdin.readline()
    """
    log = logging(tmp_path)
    for life in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), tmp_path, str(life)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        wrongly, until = [], time.monotonic() + 1
        answered = []
        while time.monotonic() < until:
            number = f"{life}-{process.stdout.readline().strip()}"
            answered.append(number)
            wrongly += unheld(log, number) if len(answered) % 20 == 1 else []
            process.stdin.write("\n")
            process.stdin.flush()
        assert not wrongly
        assert unheld(log, *answered, "x") == {"x"}
        process.kill()
        process.communicate()
        assert unheld(log, *answered, "x") == {"x"}
    log.close()


def test_many_look_while_it_is_written_and_compacted(tmp_path):
    log = logging(tmp_path)
    wrongly, stop = [], threading.Event()

    def look():
        while not stop.is_set():
            wrongly.extend(lacking(tmp_path, "m", [("first", 0)]))

    log.add(entry("first"))
    assert unheld(log, "first") == set()
    while lacking(tmp_path, "m", [("first", 0)]):  # not on the disk yet
        time.sleep(0.01)
    looking = threading.Thread(target=look)
    looking.start()
    try:
        for number in range(4):
            log.close()
            compact(tmp_path)
            log = logging(tmp_path, [entry(f"r{number}-{n}") for n in range(50)])
        log.close()
    finally:
        stop.set()
        looking.join()
    assert not wrongly


def test_looking_is_quick_in_a_large_log(tmp_path):
    import numpy as np

    folder = folder_of(tmp_path, "m")
    logging(tmp_path, [entry("first")]).close()
    compact(tmp_path)
    (real,) = files(folder)
    ids = np.sort(np.random.default_rng(7).integers(0, 2**63, 500_000).astype("<u8"))
    for number in range(10):  # five million requests
        path = folder / f"20260101T00000{number}-1-0.parquet"
        path.write_bytes(real.read_bytes())
        ids.tofile(path.with_suffix(".ids"))
    asked = [(f"q{n}", n % 3) for n in range(1000)]
    lacking(tmp_path, "m", asked)
    begun = time.perf_counter()
    assert lacking(tmp_path, "m", asked) == set(asked)
    assert time.perf_counter() - begun < 0.5
