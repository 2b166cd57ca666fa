"""Workers are killed again and again under load: a caller that asks once more has its answer."""

from __future__ import annotations

import os
import signal
import time

import httpx
import pytest
from tiny_service import running

from tests.serving.soaking import Callers, either_size, keep
from tests.serving.test_workers import children, counted

KILLS = {"short": (3, 0.5), "long": (60, 5.0)}
"""How many workers are killed, and the seconds from one to the next."""
CALLERS = 6
ANSWERED = 0.999


class Load(Callers):
    """Callers without pause. Half of them keep their connection; half of what they ask takes
    50 ms, so that whoever is killed is answering."""

    def __init__(self, url):
        self.url = url
        self.seconds, self.again, self.lost, self.wrong = [], [], [], []
        super().__init__(CALLERS)

    def ask(self, number):
        keeps = httpx.Limits(max_keepalive_connections=None if number % 2 else 0)
        body = {"inputs": ["great slow" if number % 3 else "great"]}
        with httpx.Client(base_url=self.url, timeout=20, limits=keeps) as client:
            while not self.over():
                began = time.perf_counter()
                try:
                    response = self._twice(client, body)
                except httpx.TransportError as error:
                    self.lost.append(repr(error))
                    continue
                self.seconds.append(time.perf_counter() - began)
                if response.status_code != 200:
                    self.lost.append(response.text)
                elif response.json()["outputs"][0]["label"] != "good":
                    self.wrong.append(response.text)

    def _twice(self, client, body):
        try:
            return client.post("/predict/tiny", json=body)
        except httpx.TransportError as error:
            self.again.append(repr(error))
            return client.post("/predict/tiny", json=body)


def killed(parent):
    """Kill the worker that has lived longest; the seconds until another stands in its place."""
    victim = children(parent)[0]
    os.kill(victim, signal.SIGKILL)
    began = time.perf_counter()
    while victim in children(parent) or len(children(parent)) < 2:
        assert time.perf_counter() - began < 15, "nobody was started in its place"
        time.sleep(0.01)
    return time.perf_counter() - began


@either_size
@pytest.mark.timeout(900)
def test_workers_are_killed_under_load(place, size):
    kills, every = KILLS[size]
    with running("./tiny", "--workers", "2", cwd=place) as service:
        parent, back = service["process"].pid, []
        with Load(service["url"]) as load:
            due = time.monotonic() + every
            for _ in range(kills):
                time.sleep(max(0.0, due - time.monotonic()))
                due += every
                back.append(killed(parent))
            time.sleep(every)
        assert service["process"].poll() is None
        # What the killed ones had counted is not lost; an answer that died with one is asked twice.
        assert counted(service["url"]) >= len(load.seconds) - len(load.lost)
        assert service["said"]().count(b"starting it again") == kills
    asked, ordered = len(load.seconds) + len(load.lost), sorted(load.seconds)
    share = 1 - len(load.lost) / asked
    keep(
        f"{kills} workers killed, one every {every:g} s",
        requests=asked,
        **{
            "asked once more": len(load.again),
            "answered after at most one retry": f"{share:.5f}",
            "wrong answers": len(load.wrong),
            "seconds until a worker was started in its place, at most": round(max(back), 2),
            "seconds to an answer, 99 of 100 and at most":
                f"{ordered[len(ordered) * 99 // 100]:.3f}, {ordered[-1]:.3f}",
        },
    )  # fmt: skip
    assert load.wrong == []
    assert load.again, "nobody was answering when it was killed: this shows nothing"
    assert share >= ANSWERED, load.lost[:5]
