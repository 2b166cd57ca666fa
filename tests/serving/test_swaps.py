"""Versions change while requests are answered: none fails, and none is answered by two."""

import json
import re
import shutil
import signal
import threading
import time
from collections import Counter

import httpx
import pytest
from tiny_bundle import make_bundle, reseal
from tiny_service import running

from luodi.registry import Registry
from tests.serving.soaking import Callers, keep


class Load(Callers):
    """Callers that ask without pause, and check that each answer is of one version, wholly."""

    def __init__(self, url, good, callers=4, every=0.0):
        self.url, self.good, self.every = url, good, every
        self.failed, self.mixed, self.answered, self.seen = [], [], 0, set()
        super().__init__(callers)

    def ask(self, _):
        body = {"inputs": ["great"] * 5}
        due = time.perf_counter()
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while not self.over():
                due = max(due + self.every, time.perf_counter() - 1)
                time.sleep(max(0.0, due - time.perf_counter()))
                try:
                    response = client.post("/predict/tiny", json=body)
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))
                    continue
                if response.status_code != 200:
                    self.failed.append(response.text)
                    continue
                answer = response.json()
                goods = {round(o["probabilities"]["good"], 9) for o in answer["outputs"]}
                if goods != {self.good[answer["version"]]}:
                    self.mixed.append(answer)
                self.seen.add(answer["version"])
                self.answered += 1


@pytest.fixture
def versions(tmp_path):
    """Three registered versions, each of which answers `great` otherwise."""
    import math

    registry = Registry(tmp_path / ".luodi")
    good = {}
    for number in (1, 2, 3):
        folder = tmp_path / ".luodi" / "bundles" / str(number)
        make_bundle(folder, weights={"great": number / 2})
        version = registry.add(folder, run=str(number)).version
        good[version] = round(1 / (1 + math.exp(-number / 2)), 9)
    return registry, good


CLIENT = httpx.Client(timeout=30)


def version_now(url):
    return CLIENT.post(f"{url}/predict/tiny", json={"inputs": ["great"]}).json()["version"]


def until(condition, seconds=10.0):
    end = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < end, "it did not come to pass"
        time.sleep(0.02)


def corrupt(folder, number):
    """One of the ways in which a bundle can be spoilt."""
    weights = folder / "model" / "weights.json"
    kind = number % 5
    if kind == 0:
        data = bytearray(weights.read_bytes())
        data[number % len(data)] ^= 1
        weights.write_bytes(bytes(data))
    elif kind == 1:
        weights.unlink()
    elif kind == 2:
        (folder / "model" / "more.txt").write_text("not sealed")
    elif kind == 3:
        reseal(folder, lambda manifest: manifest.update(tolerance=0.9))
    else:
        (folder / "schema.json").write_bytes(b"{}")


def wrong_answers(registry, place, number):
    """A candidate that is as sealed, and does not answer as it did when it was made."""
    folder = place / ".luodi" / "bundles" / f"wrong-{number}"
    make_bundle(folder, weights={"great": 5.0 + number})
    golden = folder / "golden.jsonl"
    lines = [json.loads(line) for line in golden.read_text().splitlines()]
    lines[0]["answer"]["probabilities"]["good"] = 0.123456
    golden.write_text("".join(json.dumps(line) + "\n" for line in lines))
    import hashlib

    data = golden.read_bytes()

    def seal(manifest):
        manifest["files"]["golden.jsonl"] = {
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
        }

    reseal(folder, seal)
    return registry.add(folder).version


def spoilt(registry, place, number):
    folder = place / ".luodi" / "bundles" / f"spoilt-{number}"
    make_bundle(folder, weights={"great": 50.0 + number})
    version = registry.add(folder).version
    corrupt(folder, number)
    return version


def swap_and_spoil(versions, place, swaps, candidates, share=1.0, workers=1):
    """`share`: of the most that the service answers, what is asked of it meanwhile."""
    registry, good = versions
    names, callers = list(good), 4
    # Without an alias a service follows the newest version: a candidate, before it is spoilt.
    registry.set_alias("tiny", names[-1], "production")
    with running("tiny", "--workers", workers, cwd=place) as service:
        url, every = service["url"], 0.0
        if share < 1:
            with Load(url, good, callers) as most:
                time.sleep(5)
            every = callers / (most.answered / 5 * share)
        with Load(url, good, callers, every) as load:
            for number in range(max(swaps, candidates)):
                if number < candidates:
                    make = wrong_answers if number % 3 == 2 else spoilt
                    bad = make(registry, place, number)
                    registry.set_alias("tiny", bad, "production")
                    until(lambda bad=bad: bad in refused(url))
                if number < swaps:
                    version = names[number % len(names)]
                    registry.set_alias("tiny", version, "production")
                    until(lambda version=version: version_now(url) == version)
                    # Each worker follows for itself: a next change that one of them has not
                    # seen the last before would have it pass over a version, rightly.
                    until(lambda swaps=number + 1: swapped(url)["done"] >= swaps * workers)
        counts = swapped(url)
        service["process"].send_signal(signal.SIGTERM)
        service["process"].wait(20)
        print(service["said"]().decode()[-3000:])  # noqa: T201 - shown when the test fails
    assert load.failed == []
    assert load.mixed == []
    assert load.seen == set(good)
    assert registry.check_acts() == []
    return load, counts


def swapped(url):
    metrics = CLIENT.get(f"{url}/metrics").text
    found = re.findall(r'luodi_swaps_total{model="tiny",outcome="(.+)"} (.+)', metrics)
    return Counter({outcome: float(count) for outcome, count in found})


def refused(url):
    rows = CLIENT.post(f"{url}/v2/repository/index", json={}).json()
    return {
        row["version"]
        for row in rows
        if row["state"] == "UNAVAILABLE" and row["reason"] not in ("", "not loaded")
    }


def test_swaps_and_spoilt_candidates_at_load(versions, tmp_path):
    load, counts = swap_and_spoil(versions, tmp_path, swaps=3, candidates=5)
    assert load.answered > 50
    assert counts == {"refused": 5, "done": 3}


def test_several_workers_swap_each_for_itself(versions, tmp_path):
    load, counts = swap_and_spoil(versions, tmp_path, swaps=3, candidates=2, workers=2)
    assert load.answered > 50
    assert counts["done"] == 6  # both workers, each of the three


@pytest.mark.soak
def test_two_hundred_swaps_and_fifty_spoilt_candidates_at_load(versions, tmp_path):
    load, counts = swap_and_spoil(versions, tmp_path, swaps=200, candidates=50, share=0.7)
    keep(
        "200 swaps and 50 spoilt candidates at 0.7 of what the service answers",
        answered=load.answered, failed=len(load.failed), mixed=len(load.mixed), **counts,
    )  # fmt: skip
    assert counts == {"refused": 50, "done": 200}
    assert load.answered > 5000


def test_the_check_sees_a_mixed_answer(versions, tmp_path):
    """The harness is held to its own eyes: told of other weights, it calls every answer mixed."""
    _, good = versions
    with running("tiny", cwd=tmp_path) as service:
        with Load(service["url"], dict.fromkeys(good, 0.5), callers=1) as load:
            until(lambda: load.answered > 3)
        with Load("http://127.0.0.1:1", good, callers=1) as nobody:
            until(lambda: nobody.failed)
    assert len(load.mixed) == load.answered
    assert nobody.answered == 0


def test_a_rollback_is_followed_within_a_second(versions, tmp_path):
    registry, good = versions
    one, two, _ = good
    registry.set_alias("tiny", one, "production")
    registry.set_alias("tiny", two, "production")
    with running("tiny", cwd=tmp_path) as service:
        assert version_now(service["url"]) == two
        started = time.perf_counter()
        before, now = registry.rollback("tiny")
        until(lambda: version_now(service["url"]) == one, 5)
        assert time.perf_counter() - started < 1.0
    assert (before.version, now.version) == (two, one)


def test_a_restart_keeps_the_champion_and_the_route(versions, tmp_path):
    from luodi.registry import Challenger, Route

    registry, good = versions
    one, _, three = good
    registry.set_alias("tiny", one, "production")  # though a newer one has passed
    registry.set_route("tiny", Route((Challenger(three, "canary", 0, ("X-Beta", "yes")),)))
    for _ in range(2):
        with running("tiny", cwd=tmp_path) as service:
            url = service["url"]
            assert version_now(url) == one
            beta = {"X-Beta": "yes"}
            body = {"inputs": ["great"]}

            def asked(url=url, body=body, beta=beta):
                answer = CLIENT.post(f"{url}/predict/tiny", json=body, headers=beta)
                return answer.json()["version"]

            assert asked() == three  # from the first request on


def test_an_old_version_answers_what_it_has_begun(versions, tmp_path):
    registry, good = versions
    one, two, _ = good
    registry.set_alias("tiny", one, "production")
    with running("tiny", cwd=tmp_path) as service:
        url, answers = service["url"], []

        def ask():
            body = {"inputs": ["great slow"] * 20}  # a second
            answers.append(CLIENT.post(f"{url}/predict/tiny", json=body, timeout=30).json())

        caller = threading.Thread(target=ask)
        caller.start()
        time.sleep(0.3)
        registry.set_alias("tiny", two, "production")
        until(lambda: version_now(url) == two)
        caller.join(30)
    assert answers[0]["version"] == one
    assert len(answers[0]["outputs"]) == 20


def test_a_bundle_that_vanishes_is_no_harm_to_the_one_that_answers(versions, tmp_path):
    registry, good = versions
    one, two, _ = good
    registry.set_alias("tiny", one, "production")
    with running("tiny", cwd=tmp_path) as service:
        shutil.rmtree(registry.find(f"tiny:{two}").folder)
        registry.set_alias("tiny", two, "production")
        until(lambda: two in refused(service["url"]))
        assert version_now(service["url"]) == one


def test_an_alias_beside_the_champion_is_followed_and_always_answers(versions, tmp_path):
    registry, good = versions
    one, two, three = good
    for alias in ("production", "staging"):
        registry.set_alias("tiny", one, alias)
    with running("tiny@staging", "tiny", cwd=tmp_path) as service:
        url = service["url"]

        def asked(name):
            answer = CLIENT.post(f"{url}/predict/{name}", json={"inputs": ["great"]})
            assert answer.status_code == 200, answer.text
            return answer.json()["version"]

        assert {asked("tiny@staging"), asked("tiny"), asked("tiny@production")} == {one}
        registry.set_alias("tiny", two, "staging")
        until(lambda: asked("tiny@staging") == two)
        assert asked("tiny") == one
        shutil.rmtree(registry.find(f"tiny:{three}").folder)
        registry.set_alias("tiny", three, "staging")  # it cannot be proved: who answered goes on
        until(lambda: three in refused(url))
        assert asked("tiny@staging") == two
        registry.set_alias("tiny", one, "staging")
        until(lambda: asked("tiny@staging") == one)
        registry.set_alias("tiny", two, "production")
        until(lambda: asked("tiny@production") == two)
