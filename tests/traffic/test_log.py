import json
import os
import time
from pathlib import Path

import polars as pl
import pytest

from luodi.traffic.compaction import compact
from luodi.traffic.log import Entry, TrafficLog
from luodi.traffic.reading import columns, read_traffic
from luodi.traffic.segments import (
    FEEDBACK,
    Segment,
    closed,
    feedback_files,
    files,
    folder_of,
    is_written,
    prune,
)
from luodi.traffic.settings import TrafficSettings


def entry(number="r1", rows=1, model="m", text="good 好", **more):
    requests = [{"text": text, "n": row} for row in range(rows)]
    answers = [{"label": "pos", "scores": {"pos": 0.9}}] * rows
    return Entry(model, "v1", number, "champion", "predict", requests, answers, 0.0123, **more)


def kept(home, entries, **settings):
    log = TrafficLog(home, lambda model: TrafficSettings(**settings), compact=False)
    for each in entries:
        log.add(each)
    log.close()
    return read_traffic(home, "m")


@pytest.fixture
def soon(monkeypatch):
    """A log that looks after its files at once, not seconds after it has begun."""
    monkeypatch.setattr("luodi.traffic.log._FIRST_SECONDS", 0.0)


def test_a_row_a_request_row(tmp_path):
    table = kept(tmp_path, [entry("r1", 2), entry("r2", failure="ValueError")])
    assert table.schema == pl.Schema(columns())
    assert table["request_id"].to_list() == ["r1", "r1", "r2"]
    assert table["row"].to_list() == [0, 1, 0]
    assert json.loads(table["input"][1]) == {"text": "good 好", "n": 1}
    assert json.loads(table["output"][0])["label"] == "pos"
    assert table["failure"][2] == "ValueError"
    assert table["seconds"][0] == pytest.approx(0.0123)


def test_personal_data_is_masked_unless_switched_off(tmp_path):
    told = entry("13812345678", text="mail me@example.com")
    table = kept(tmp_path / "a", [told])
    raw = b"".join(path.read_bytes() for path in (tmp_path / "a").rglob("*.jsonl"))
    assert b"me@example.com" not in raw
    assert b"13812345678" not in raw
    assert "<EMAIL>" in table["input"][0]
    table = kept(tmp_path / "b", [told], mask=False)
    assert "me@example.com" in table["input"][0]
    assert table["request_id"][0] == "13812345678"


def test_a_sample_is_chosen_by_the_requests_id(tmp_path):
    entries = [entry(f"r{n}") for n in range(2000)]
    table = kept(tmp_path / "a", entries, sample=0.25)
    assert table.height / 2000 == pytest.approx(0.25, abs=0.04)
    again = kept(tmp_path / "b", entries, sample=0.25)
    assert set(again["request_id"]) == set(table["request_id"])


def test_none_is_kept_when_so_told(tmp_path):
    assert kept(tmp_path, [entry()], keep=False).is_empty()
    assert not list(tmp_path.iterdir())
    log = TrafficLog(None)
    log.add(entry())
    log.close()


def test_lines_are_on_the_disk_within_a_second(tmp_path):
    log = TrafficLog(tmp_path, compact=False)
    log.add(entry())
    end = time.monotonic() + 1.0
    while not read_traffic(tmp_path, "m").height:
        assert time.monotonic() < end
        time.sleep(0.02)
    log.close()


def test_a_torn_line_is_passed_over_and_the_rest_is_read(tmp_path):
    kept(tmp_path, [entry(f"r{n}") for n in range(5)])
    (path,) = files(folder_of(tmp_path, "m"))
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    assert read_traffic(tmp_path, "m").height == 4
    # A write that failed half-way is followed by whole lines.
    path.write_bytes(data[:-20] + b"\n" + data)
    assert read_traffic(tmp_path, "m").height == 9


def test_compacting_changes_no_row(tmp_path):
    before = kept(tmp_path, [entry(f"r{n}", 3) for n in range(50)])
    folder = folder_of(tmp_path, "m")
    changed = files(folder)[0].stat().st_mtime
    assert compact(tmp_path) == 1
    assert [path.suffix for path in files(folder)] == [".parquet"]
    assert not list(folder.glob("*.jsonl"))
    assert read_traffic(tmp_path, "m").equals(before)
    assert files(folder)[0].stat().st_mtime == pytest.approx(changed)
    assert compact(tmp_path) == 0
    # Parquet that anyone can read.
    assert pl.read_parquet(files(folder)[0]).height == 150


def test_what_is_being_written_is_not_compacted(tmp_path):
    segment = Segment(folder_of(tmp_path, "m"))
    segment.append([b"{}\n"])
    assert is_written(segment.path)
    assert compact(tmp_path) == 0
    segment.close()
    assert not is_written(segment.path)
    assert closed(folder_of(tmp_path, "m")) == [segment.path]


def test_a_killed_compaction_leaves_every_row_once(tmp_path):
    before = kept(tmp_path, [entry(f"r{n}") for n in range(10)])
    folder = folder_of(tmp_path, "m")
    (segment,) = files(folder)
    lines = segment.read_bytes()
    compact(tmp_path)
    # As if it had been killed between the rename and the removal, and once before the rename.
    segment.write_bytes(lines)
    (folder / ".half.123").write_bytes(b"PAR1")
    assert read_traffic(tmp_path, "m").equals(before)
    compact(tmp_path)
    assert sorted(path.suffix for path in folder.iterdir()) == ["", ".ids", ".parquet"]
    assert read_traffic(tmp_path, "m").equals(before)


def test_the_oldest_go_first_and_the_rest_fits(tmp_path):
    folder = folder_of(tmp_path, "m")
    folder.mkdir(parents=True)
    for day in range(5):
        path = folder / f"2026010{day}T000000-1-0.jsonl"
        path.write_bytes(b"x" * 1000)
        os.utime(path, (time.time() - 86_400 * (5 - day),) * 2)
    assert prune(folder, 10_000, 1e9) == 0
    assert prune(folder, 3_000, 1e9) == 2
    assert [path.name[6:8] for path in files(folder)] == ["02", "03", "04"]
    assert prune(folder, 10_000, 86_400 * 2.5) == 1
    assert prune(folder, 10_000, 0) == 2


def test_the_log_bounds_itself(tmp_path):
    log = TrafficLog(tmp_path, lambda model: TrafficSettings(bytes=40_000), compact=False)
    for number in range(40):
        log._write()
        log.add(entry(f"r{number}", rows=20))
        log._write()
        log._look_after()
    log.close()
    total = sum(path.stat().st_size for path in files(folder_of(tmp_path, "m")))
    assert 5_000 < total <= 60_000  # the bound, and the segment that is being written
    assert read_traffic(tmp_path, "m")["request_id"][-1] == "r39"


def test_what_nobody_asks_grows_old_too(tmp_path, soon):
    kept(tmp_path, [entry()])
    folder = folder_of(tmp_path, "m")
    (folder / f"{FEEDBACK}20260101T000000-1-0.jsonl").write_bytes(b"{}\n")
    for path in folder.iterdir():
        os.utime(path, (1_700_000_000,) * 2)
    log = TrafficLog(tmp_path, compact=False, models=lambda: ["m", "never asked"])
    log.start()  # no request comes
    end = time.monotonic() + 20
    while list(folder.iterdir()):
        assert time.monotonic() < end
        time.sleep(0.05)
    log.close()


def test_feedback_pushes_no_traffic_out(tmp_path):
    kept(tmp_path, [entry()])
    folder = folder_of(tmp_path, "m")
    for number in range(5):
        (folder / f"{FEEDBACK}2026010{number}T000000-1-0.jsonl").write_bytes(b"x" * 1000)
    assert prune(folder, 2_500, 1e9) == 3
    assert [path.name[:17] for path in feedback_files(folder)] == [
        "feedback-20260103",
        "feedback-20260104",
    ]
    assert len(files(folder)) == 1


def test_a_full_disk_loses_lines_and_no_request(tmp_path, monkeypatch):
    left_out = []
    log = TrafficLog(tmp_path, left_out=lambda *told: left_out.append(told), compact=False)
    real = os.write

    def full(file, data):
        if len(data) > 100:
            real(file, data[:30])
            raise OSError(28, "No space left on device")
        return real(file, data)

    monkeypatch.setattr(os, "write", full)
    log.add(entry("lost"))
    log.close()
    assert left_out == [("disk", 1)]
    monkeypatch.undo()
    log = TrafficLog(tmp_path, compact=False)
    log.add(entry("kept"))
    log.close()
    assert read_traffic(tmp_path, "m")["request_id"].to_list() == ["kept"]


def test_more_than_the_disk_takes_is_left_out_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("luodi.traffic.log._PENDING", 10)
    left_out = []
    log = TrafficLog(tmp_path, left_out=lambda *told: left_out.append(told), compact=False)
    monkeypatch.setattr(log, "start", lambda: None)
    for number in range(4):
        log.add(entry(f"r{number}", rows=4))
    assert left_out == [("pending", 4), ("pending", 4)]


def test_an_answer_that_no_json_holds_is_left_out_alone(tmp_path):
    left_out = []
    log = TrafficLog(tmp_path, left_out=lambda *told: left_out.append(told), compact=False)
    odd = Entry("m", "v", "odd", "champion", "predict", [{"text": "a"}], [{"n": 2**70}], 0.1)
    for each in (odd, entry("lone\ud800"), entry("kept")):
        log.add(each)
    log.close()
    numbers = read_traffic(tmp_path, "m")["request_id"].to_list()
    assert numbers[-1] == "kept"
    assert "odd" not in numbers
    assert ("unwritable", 1) in left_out


def test_names_of_any_script_and_length(tmp_path):
    for model in ("评论", "a.b", "x" * 100, "评" * 100):
        log = TrafficLog(tmp_path, compact=False)
        log.add(entry(model=model))
        log.close()
        assert read_traffic(tmp_path, model)["model"].to_list() == [model]


def test_a_span_of_time(tmp_path):
    from datetime import UTC, datetime

    entries = [entry(f"r{n}", time=1_700_000_000 + n) for n in range(10)]
    kept(tmp_path, entries)
    since = datetime.fromtimestamp(1_700_000_003, UTC)
    until = datetime.fromtimestamp(1_700_000_005, UTC)
    assert read_traffic(tmp_path, "m", since, until)["request_id"].to_list() == ["r3", "r4"]
    # A file that ended before is not even opened.
    (path,) = files(folder_of(tmp_path, "m"))
    path.write_bytes(b"no lines at all")
    os.utime(path, (1_700_000_000,) * 2)
    assert read_traffic(tmp_path, "m", since).is_empty()


def test_the_writer_loads_no_tables():
    import subprocess
    import sys

    code = (
        "import sys, luodi.traffic.log, luodi.traffic.feedback\n"
        "print([name for name in ('polars', 'pyarrow', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_closed_segments_are_compacted_by_a_process_of_their_own(tmp_path, soon):
    kept(tmp_path, [entry()])
    log = TrafficLog(tmp_path)
    log.add(entry("r2"))
    end = time.monotonic() + 120
    while not list(Path(folder_of(tmp_path, "m")).glob("*.parquet")):
        assert time.monotonic() < end
        time.sleep(0.1)
    log.close()
    assert read_traffic(tmp_path, "m")["request_id"].to_list() == ["r1", "r2"]
