"""Challengers: canaries, shadows, A/B tests, and versions that are taken back by themselves."""

import json
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tiny_bundle import PROJECT, make_bundle
from tiny_service import running

from luodi.registry import Challenger, Registry, Route
from luodi.traffic.reading import read_traffic

RULED = (
    PROJECT
    + """\
serve:
  rollback: {error_rate: 0.2, window: 30s, requests: 20}
"""
)


@pytest.fixture
def three(tmp_path):
    """Three versions, the first of which is in production, and a project file with rules."""
    (tmp_path / "luodi.yaml").write_text(RULED)
    registry = Registry(tmp_path / ".luodi")
    versions = []
    for number in (1, 2, 3):
        folder = tmp_path / ".luodi" / "bundles" / str(number)
        make_bundle(folder, weights={"great": float(number)})
        versions.append(registry.add(folder).version)
    registry.set_alias("tiny", versions[0], "production")
    return registry, versions


def added(registry, weight, **more):
    """A version that has this weight for `great`."""
    folder = registry.home / "bundles" / f"{more.get('name', 'tiny')}-{weight}"
    make_bundle(folder, weights={"great": weight}, **more)
    return registry.add(folder).version


CLIENT = httpx.Client(timeout=30)


def ask(url, text="great", **headers):
    body = {"inputs": [text]}
    answer = CLIENT.post(f"{url}/predict/tiny", json=body, headers=headers)
    return answer.json().get("version") or answer.status_code


def until(condition, seconds=10.0):
    end = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < end, "it did not come to pass"
        time.sleep(0.02)


def test_a_canary_takes_its_share_and_a_key_stays(three, tmp_path):
    registry, (one, two, _) = three
    with running("tiny", cwd=tmp_path) as service:
        url = service["url"]
        assert ask(url) == one
        registry.set_route("tiny", Route((Challenger(two, "canary", 30.0, ("X-Beta", "yes")),)))
        until(lambda: ask(url, **{"X-Beta": "yes"}) == two)
        seen = Counter(ask(url) for _ in range(300))
        assert seen.keys() == {one, two}
        assert seen[two] / 300 == pytest.approx(0.3, abs=0.1)
        for key in range(10):
            assert len({ask(url, **{"X-Luodi-Key": f"user-{key}"}) for _ in range(5)}) == 1
        # A version that is asked for by name is not dealt.
        pinned = CLIENT.post(
            f"{url}/v2/models/tiny/versions/{one}/infer",
            json={"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["a"]}]},
            headers={"X-Beta": "yes"},
        )
        assert pinned.json()["model_version"] == one
        registry.set_route("tiny", Route())
        until(lambda: ask(url, **{"X-Beta": "yes"}) == one)


def test_a_shadow_answers_unseen(three, tmp_path):
    registry, (one, two, _) = three
    registry.set_route("tiny", Route((Challenger(two, "shadow", 100.0),)))
    with running("tiny", cwd=tmp_path) as service:
        url = service["url"]

        def shadowed():
            assert ask(url, **{"X-Request-Id": "first"}) == one
            table = read_traffic(registry.home, "tiny")
            return (table["arm"] == "shadow").any()

        until(shadowed)
        for number in range(20):
            assert ask(url, **{"X-Request-Id": f"r{number}"}) == one
        # A shadow that fails harms nobody: the champion fails here too, and says so.
        assert ask(url, "boom") == 500
        assert ask(url) == one
        service["process"].send_signal(signal.SIGTERM)
        assert service["process"].wait(20) == 0
    table = read_traffic(registry.home, "tiny")
    for number in range(20):
        rows = table.filter(request_id=f"r{number}").sort("arm")
        assert rows["arm"].to_list() == ["champion", "shadow"]
        assert rows["version"].to_list() == [one, two]
        good = [json.loads(output)["probabilities"]["good"] for output in rows["output"]]
        assert good == pytest.approx([0.7310586, 0.8807971])
    failed = table.filter(failure="ValueError")
    assert sorted(failed["arm"]) == ["champion", "shadow"]


def test_a_challenger_that_fails_leaves_the_route(three, tmp_path):
    registry, (one, two, _) = three
    registry.set_route("tiny", Route((Challenger(two, "canary", 0.0, ("X-Beta", "yes")),)))
    with running("tiny", cwd=tmp_path) as service:
        url = service["url"]
        until(lambda: ask(url, **{"X-Beta": "yes"}) == two)
        for _ in range(30):
            ask(url, "boom", **{"X-Beta": "yes"})
        until(lambda: not registry.route("tiny").challengers)
        until(lambda: ask(url, **{"X-Beta": "yes"}) == one)
        text = CLIENT.get(f"{url}/metrics").text
        assert f'luodi_rollbacks_total{{model="tiny",version="{two}"}} 1.0' in text
    assert registry.champion("tiny").version == one
    assert registry.check_acts() == []


def test_a_champion_that_fails_goes_back_once_and_no_further(three, tmp_path):
    registry, (one, two, three_) = three
    registry.set_alias("tiny", two, "production")
    with running("tiny", cwd=tmp_path) as service:
        url = service["url"]
        registry.set_alias("tiny", three_, "production")
        until(lambda: ask(url) == three_)
        for _ in range(25):
            ask(url, "boom")
        until(lambda: ask(url) == two)
        # The version it went back to fails as well: the fault is not the version's, it stays.
        for _ in range(25):
            ask(url, "boom")
        time.sleep(0.6)
        assert ask(url) == two
    assert [version for _, version in registry.alias_history("tiny", "production")] == [
        two,
        three_,
        two,
        one,
    ]


def test_an_ab_test_from_requests_to_its_verdict(three, tmp_path):
    """The challenger calls `awful` good; feedback says that it is not: worse, and not by chance."""
    from tiny_service import luodi

    registry, _ = three
    versions = []
    for name, weight in (("right", -1.0), ("worse", 1.0)):
        folder = tmp_path / ".luodi" / "bundles" / name
        make_bundle(folder, weights={"great": 1.0, "awful": weight})
        versions.append(registry.add(folder).version)
    one, worse = versions
    registry.set_alias("tiny", one, "production")
    luodi("models", "route", "tiny", "--canary", worse, "--percent", "50", cwd=tmp_path)
    with running("tiny", cwd=tmp_path) as service:
        url = service["url"]
        until(lambda: ask(url) == worse)
        for number in range(120):
            text = "awful" if number % 2 else "great"
            body = {"inputs": [text]}
            answer = CLIENT.post(f"{url}/predict/tiny", json=body).json()
            told = {
                "request_id": answer["request_id"],
                "truth": "bad" if number % 2 else "good",
            }
            assert CLIENT.post(f"{url}/feedback/tiny", json=told).status_code == 200
        service["process"].send_signal(signal.SIGTERM)
        assert service["process"].wait(20) == 0
    done = luodi("models", "route", "tiny", "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert {each["version"]: each["arm"] for each in document["versions"]} == {
        one: "champion",
        worse: "canary",
    }
    (test,) = document["tests"]
    assert (test["version"], test["measure"]) == (worse, "accuracy")
    assert test["verdict"] == "worse"
    assert test["high"] < -0.2
    shown = luodi("models", "route", "tiny", cwd=tmp_path).stdout.decode()
    assert worse in shown
    assert "p = " in shown


def test_a_champion_that_was_only_registered_goes_back_too(tmp_path):
    (tmp_path / "luodi.yaml").write_text(RULED)
    registry = Registry(tmp_path / ".luodi")
    one = added(registry, 1.0)
    with running("tiny", cwd=tmp_path) as service:
        url = service["url"]
        two = added(registry, 2.0)  # nothing was ever promoted: the newest takes over
        until(lambda: ask(url) == two)
        for _ in range(25):
            ask(url, "boom")
        until(lambda: ask(url) == one)
        for _ in range(25):
            ask(url, "boom")
        time.sleep(0.6)
        assert ask(url) == one


def test_a_few_failures_take_nothing_back(three, tmp_path):
    registry, (_, two, _) = three
    registry.set_alias("tiny", two, "production")
    with running("tiny", cwd=tmp_path) as service:
        for number in range(60):
            ask(service["url"], "boom" if number % 10 == 0 else "great")
        time.sleep(0.6)
        assert ask(service["url"]) == two


def test_a_slow_version_is_taken_back(three, tmp_path):
    registry, (one, two, _) = three
    rules = RULED.replace("error_rate: 0.2", "p95: 40ms")
    (tmp_path / "luodi.yaml").write_text(rules)
    with running("tiny", cwd=tmp_path) as service:
        url = service["url"]
        registry.set_alias("tiny", two, "production")
        until(lambda: ask(url) == two)
        with ThreadPoolExecutor(5) as callers:
            assert len(list(callers.map(lambda _: ask(url, "slow"), range(25)))) == 25
        until(lambda: ask(url) == one)


def test_a_wrong_project_file_is_told_before_anything_is_served(three, tmp_path):
    from tiny_service import luodi

    (tmp_path / "luodi.yaml").write_text(RULED + "  traffic: {kep: false}\n")
    done = luodi("serve", "--port", "0", "--json", cwd=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["mistakes"][0]["nearest"] == "keep"


def test_the_project_says_that_no_traffic_is_kept(three, tmp_path):
    (tmp_path / "luodi.yaml").write_text(RULED + "  traffic: {keep: false}\n")
    with running("tiny", cwd=tmp_path) as service:
        ask(service["url"])
        time.sleep(0.6)
    assert not list((tmp_path / ".luodi" / "traffic").glob("*/*.jsonl"))


def kept(home, name):
    """The versions in a model's traffic log."""
    return set(read_traffic(home, name)["version"])


def test_a_version_that_comes_while_serving_says_what_is_kept(tmp_path):
    home = tmp_path / ".luodi"
    registry = Registry(home)
    silent = {"traffic": {"keep": False}}
    one, other = added(registry, 1.0), added(registry, 1.0, name="other", serving=silent)
    with running("tiny", cwd=tmp_path) as service:
        url = service["url"]
        loaded = CLIENT.post(f"{url}/v2/repository/models/other/load", json={})
        assert loaded.json()["version"] == other
        answer = CLIENT.post(f"{url}/predict/other", json={"inputs": ["great"]})
        assert answer.json()["version"] == other
        assert ask(url) == one
        until(lambda: kept(home, "tiny") == {one})
        assert not kept(home, "other")
        two = added(registry, 2.0, serving=silent)
        until(lambda: ask(url) == two)
        ask(url)
        time.sleep(0.6)
    assert kept(home, "tiny") == {one}


def test_a_bundle_carries_the_projects_word():
    from luodi.project.schema import ServeSettings

    assert ServeSettings().travelling() == {"max_batch": 32}
    said = ServeSettings.model_validate(
        {"rollback": {"p99": "200ms"}, "traffic": {"age": "7d", "bytes": "500MB"}}
    ).travelling()
    assert said["rollback"]["p99"] == pytest.approx(0.2)
    assert (said["traffic"]["age"], said["traffic"]["bytes"]) == (604_800, 500_000_000)
