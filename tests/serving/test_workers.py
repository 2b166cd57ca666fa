"""Several processes behind one port: a killed one is started again, all count together."""

import contextlib
import json
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tiny_service import luodi, running

from luodi.contracts import LuodiError, UsageError
from luodi.serving.workers import Workers


def children(pid):
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until(holds, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about in time")


def ask(url, text="great"):
    """One new connection a request: whichever worker is free takes it. One retry, as a client."""
    for attempt in (1, 2):
        try:
            return httpx.post(f"{url}/predict/tiny", json={"inputs": [text]}, timeout=20)
        except httpx.TransportError:
            if attempt == 2:
                raise
    raise AssertionError


def counted(url):
    text = httpx.get(f"{url}/metrics").text
    return sum(
        map(float, re.findall(r'^luodi_requests_total\{.*status="200".*\} (\S+)', text, re.M))
    )


@pytest.fixture(scope="module")
def pair(place):
    with running("./tiny", "--workers", "2", cwd=place) as service:
        yield service
        assert service["process"].poll() is None


def test_all_workers_count_together(pair):
    assert pair["workers"] == 2
    assert len(children(pair["process"].pid)) == 2
    before = counted(pair["url"])
    for _ in range(40):
        assert ask(pair["url"]).json()["outputs"][0]["label"] == "good"
    assert [counted(pair["url"]) - before for _ in range(4)] == [40] * 4
    text = httpx.get(f"{pair['url']}/metrics").text
    resident = float(re.search(r"^luodi_resident_bytes (\S+)", text, re.M)[1])
    until(lambda: resident > 40e6)  # of both


def test_sigterm_answers_what_was_begun(place):
    with (
        running("./tiny", "--workers", "2", cwd=place) as service,
        contextlib.ExitStack() as stack,
        ThreadPoolExecutor(4) as callers,
    ):
        # Connected before: on a busy machine that takes longer than the service to end.
        clients = [
            stack.enter_context(httpx.Client(base_url=service["url"], timeout=30)) for _ in range(4)
        ]
        assert all(client.get("/v2/health/live").is_success for client in clients)
        body = {"inputs": ["slow"] * 12}  # more than half a second each
        asked = [callers.submit(client.post, "/predict/tiny", json=body) for client in clients]
        time.sleep(0.4)
        workers = children(service["process"].pid)
        service["process"].send_signal(signal.SIGTERM)
        assert [each.result(30).status_code for each in asked] == [200] * 4
        assert service["process"].wait(30) == 0
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def test_workers_end_when_their_parent_is_killed(place):
    with running("./tiny", "--workers", "2", cwd=place) as service:
        workers = children(service["process"].pid)
        os.kill(service["process"].pid, signal.SIGKILL)
        service["process"].wait()

        def gone(pid):
            with contextlib.suppress(OSError):  # gone for good, or not yet collected
                return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
            return True

        until(lambda: all(map(gone, workers)))


def test_what_keeps_a_worker_from_starting_is_told(place, tmp_path):
    import shutil

    shutil.copytree(place / "tiny", tmp_path / "tiny")
    path = tmp_path / "tiny" / "model" / "weights.json"
    path.write_bytes(path.read_bytes().replace(b"2.0", b"2.1"))
    done = luodi("serve", "./tiny", "--port", "0", "--workers", "2", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "weights.json" in json.loads(done.stdout)["error"]["message"]


def test_an_error_of_a_worker_is_the_same_error_in_the_parent():
    def work(number, life, listens):
        if number:
            raise UsageError("found", "expected", "remedy")
        listens(0)
        signal.pause()

    with pytest.raises(UsageError, match="found expected remedy"):
        Workers(work, 2, 1.0).run(lambda port: None)


def test_a_worker_that_dies_without_a_word_is_told():
    with pytest.raises(LuodiError, match="could not start"):
        Workers(lambda *_: os._exit(3), 1, 1.0).run(lambda port: None)
