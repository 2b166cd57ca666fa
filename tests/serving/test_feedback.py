import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tiny_bundle import PROJECT, make_bundle
from tiny_service import running

from luodi.registry import Registry
from luodi.traffic.reading import read_feedback, read_traffic


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("feedback") / ".luodi"
    folder = home / "bundles" / "tiny"
    make_bundle(folder)
    Registry(home).add(folder)
    return home


@pytest.fixture(scope="module")
def service(home):
    with running("tiny", cwd=home.parent) as document:
        assert ask(document, "r").status_code == 200
        yield document


CLIENT = httpx.Client(timeout=30)


def tell(service, body):
    return CLIENT.post(f"{service['url']}/feedback/tiny", json=body)


def ask(service, number, client=CLIENT):
    url, body = f"{service['url']}/predict/tiny", {"inputs": ["great"]}
    return client.post(url, json=body, headers={"X-Request-Id": number})


def test_feedback_meets_the_answer_by_its_request_id(service, home):
    asked = CLIENT.post(f"{service['url']}/predict/tiny", json={"inputs": ["great", "awful"]})
    number = asked.json()["request_id"]
    told = tell(service, {"feedback": [{"request_id": number, "row": 1, "truth": "good"}]})
    assert told.json() == {"model": "tiny", "accepted": 1}
    assert tell(service, {"request_id": number, "truth": {"label": "good"}}).status_code == 200
    found = read_feedback(home, "tiny").filter(request_id=number)
    assert sorted(found["row"]) == [0, 1]
    assert set(found["truth"]) == {'{"label":"good"}'}
    text = CLIENT.get(f"{service['url']}/metrics").text
    assert 'luodi_feedback_total{model="tiny"}' in text


def test_a_label_that_the_model_does_not_know_may_be_true(service):
    assert tell(service, {"request_id": "r", "truth": "一个新的类别"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], ""),
        ({}, "request_id"),
        ({"feedback": []}, "feedback"),
        ({"feedback": {}}, "feedback"),
        ({"feedback": [1]}, "feedback[0]"),
        ({"request_id": "r"}, "truth"),
        ({"request_id": "", "truth": "good"}, "request_id"),
        ({"request_id": 7, "truth": "good"}, "request_id"),
        ({"request_id": "r" * 300, "truth": "good"}, "request_id"),
        ({"request_id": "r", "row": -1, "truth": "good"}, "row"),
        ({"request_id": "r", "row": True, "truth": "good"}, "row"),
        ({"request_id": "r", "row": 0.5, "truth": "good"}, "row"),
        ({"request_id": "r", "row": 1e308, "truth": "good"}, "row"),
        ({"request_id": "r", "row": None, "truth": "good"}, "row"),
        ({"request_id": "r", "row": 10_000, "truth": "good"}, "row"),
        ({"request_id": "r", "truth": ["good"]}, "truth"),
        ({"request_id": "r", "truth": {}}, "truth"),
        ({"request_id": "r", "truth": {"probabilities": {}}}, "truth.probabilities"),
        ({"request_id": "r", "truth": "good", "more": 1}, "more"),
        ({"feedback": [{"request_id": "r", "truth": None}]}, "feedback[0].truth"),
    ],
)
def test_wrong_feedback_names_its_field(service, body, field):
    response = tell(service, body)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["field"] == (field or None)


def test_a_whole_number_may_be_written_with_a_point(service):
    """JSON has one kind of number, and its schemas call 0.0 an integer."""
    assert tell(service, {"request_id": "r", "row": 0.0, "truth": "good"}).status_code == 200


def test_of_scores_alone_a_label_is_the_truth():
    from luodi.contracts import Field, Schema
    from luodi.serving.openapi import example_feedback
    from luodi.serving.people import read_feedback as read
    from luodi.serving.settings import Limits

    schema = Schema((Field("x", "number"),), (Field("p", "scores", categories=("a", "b")),))
    (told,) = read(example_feedback(schema), schema, Limits())
    assert told.truth == {"p": "a"}


def test_feedback_on_a_model_that_is_not_there(service):
    body = {"request_id": "r", "truth": "good"}
    assert CLIENT.post(f"{service['url']}/feedback/none", json=body).status_code == 404


def test_feedback_on_what_was_never_asked_is_told_apart(service, home):
    known = read_feedback(home, "tiny").height
    wrong = tell(service, {"request_id": "never-asked", "truth": "good"})
    assert wrong.status_code == 404
    assert wrong.json()["error"]["field"] == "request_id"
    assert "'never-asked'" in wrong.json()["error"]["message"]
    several = [{"request_id": "r", "truth": "bad"}, {"request_id": "nor-this", "truth": "bad"}]
    wrong = tell(service, {"feedback": several})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (404, "feedback[1].request_id")
    assert read_feedback(home, "tiny").height == known  # nothing of it
    # What was refused, or asked of nobody, was not answered either.
    url, head = f"{service['url']}/predict/tiny", {"X-Request-Id": "refused"}
    assert CLIENT.post(url, json={"inputs": [7]}, headers=head).status_code == 400
    assert tell(service, {"request_id": "refused", "truth": "good"}).status_code == 404
    chinese = CLIENT.post(f"{service['url']}/feedback/tiny", headers={"Accept-Language": "zh"},
                          json={"request_id": "x", "truth": "good"})  # fmt: skip
    assert "没有答复过" in chinese.json()["error"]["message"]


def test_feedback_on_a_row_that_the_request_had_not_is_told_apart(service, home):
    url = f"{service['url']}/predict/tiny"
    body = {"inputs": ["great", "awful"]}
    assert CLIENT.post(url, json=body, headers={"X-Request-Id": "two-rows"}).is_success
    known = read_feedback(home, "tiny").height
    right = {"request_id": "two-rows", "row": 1, "truth": "bad"}
    wrong = tell(service, {"request_id": "two-rows", "row": 2, "truth": "bad"})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (404, "row")
    assert "'two-rows' of tiny had no row 2" in wrong.json()["error"]["message"]
    wrong = tell(service, {"feedback": [right, {**right, "row": 7}]})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (404, "feedback[1].row")
    assert read_feedback(home, "tiny").height == known  # nothing of it
    assert tell(service, right).status_code == 200


def test_every_protocols_ids_are_known(service):
    body = {"id": "by-v2", "inputs": [{"name": "text", "shape": [1], "datatype": "BYTES",
                                       "data": ["great"]}]}  # fmt: skip
    assert CLIENT.post(f"{service['url']}/v2/models/tiny/infer", json=body).is_success
    assert ask(service, "13812345678").is_success  # personal data: a hash in the log
    for number in ("by-v2", "13812345678"):
        assert tell(service, {"request_id": number, "truth": "good"}).status_code == 200


def test_an_answer_of_any_worker_is_known_to_all_at_once(tmp_path):
    folder = tmp_path / ".luodi" / "bundles" / "tiny"
    make_bundle(folder)
    Registry(tmp_path / ".luodi").add(folder)
    # A connection a request: each may be another worker's.
    limits = httpx.Limits(max_keepalive_connections=0)
    with (
        running("tiny", "--workers", "3", cwd=tmp_path) as service,
        httpx.Client(timeout=30, limits=limits) as client,
        ThreadPoolExecutor(8) as callers,  # each waits for what another worker is writing
    ):

        def told(number):
            assert ask(service, f"w{number}", client).status_code == 200
            known = [f"w{number}", *([] if number % 10 else [f"x{number}"])]
            body = {"truth": "good"}
            url = f"{service['url']}/feedback/tiny"
            return [client.post(url, json=body | {"request_id": i}).status_code for i in known]

        found = list(callers.map(told, range(24)))
    assert found == [[200] if number % 10 else [200, 404] for number in range(24)]


@pytest.mark.parametrize(
    ("option", "serve"),
    [("", "traffic: {keep: false}"), ("", "traffic: {sample: 0.5}"), ("--replicated", "")],
)
def test_where_it_cannot_be_known_feedback_is_taken(tmp_path, option, serve):
    folder = tmp_path / ".luodi" / "bundles" / "tiny"
    make_bundle(folder)
    Registry(tmp_path / ".luodi").add(folder)
    if serve:
        (tmp_path / "luodi.yaml").write_text(PROJECT + f"serve: {{{serve}}}\n")
    with running("tiny", *filter(None, [option]), cwd=tmp_path) as service:
        assert ask(service, "asked").status_code == 200
        assert tell(service, {"request_id": "never-asked", "truth": "good"}).status_code == 200


def test_feedback_counts_against_its_keys_limits(tmp_path):
    from luodi.registry.keys import KeyRing, Rights

    home = tmp_path / ".luodi"
    folder = home / "bundles" / "tiny"
    make_bundle(folder)
    Registry(home).add(folder)
    ring = KeyRing(home)
    slow = ring.add("slow", Rights(rate=0.01, burst=4))[1]
    daily = ring.add("daily", Rights(daily=4))[1]
    with running("tiny", "--keys", cwd=tmp_path) as service:
        for key, words in ((slow, "faster"), (daily, "day")):
            head = {"Authorization": f"Bearer {key}"}
            with httpx.Client(base_url=service["url"], headers=head, timeout=30) as client:
                number = client.post("/predict/tiny", json={"inputs": ["a"]}).json()["request_id"]
                one = {"request_id": number, "truth": "good"}
                told = [client.post("/feedback/tiny", json={"feedback": [one]}) for _ in range(3)]
                assert [each.status_code for each in told] == [200] * 3
                refused = client.post("/feedback/tiny", json=one)
                assert refused.status_code == 429
                assert words in refused.json()["error"]["message"]
                assert int(refused.headers["Retry-After"]) >= 1
                asked = client.post("/predict/tiny", json={"inputs": ["a"]})
                assert asked.status_code == 429  # one purse
                document = client.get("/openapi.json").json()
                assert "429" in document["paths"]["/feedback/tiny"]["post"]["responses"]


def test_what_was_acknowledged_survives_a_kill(home):
    """Callers tell without pause; the service is killed; every acknowledged one is on the disk."""
    acknowledged, answered = [], []
    with running("tiny", cwd=home.parent) as service:
        url, process = service["url"], service["process"]

        def work(who):
            with httpx.Client(base_url=url) as client:
                for count in range(100_000):
                    number = f"kill-{who}-{count}"
                    try:
                        client.post(
                            "/predict/tiny",
                            json={"inputs": ["great"]},
                            headers={"x-request-id": number},
                        ).raise_for_status()
                        answered.append(number)
                        body = {"request_id": number, "truth": "good"}
                        client.post("/feedback/tiny", json=body).raise_for_status()
                    except httpx.HTTPError:
                        return
                    acknowledged.append(number)

        callers = [threading.Thread(target=work, args=(who,)) for who in range(4)]
        for caller in callers:
            caller.start()
        while len(acknowledged) < 150:
            callers[0].join(0.05)
        first = set(answered)
        callers[0].join(1.1)  # a second later what was answered by now must be on the disk
        os.kill(process.pid, signal.SIGKILL)
        for caller in callers:
            caller.join(10)
    kept = set(read_feedback(home, "tiny")["request_id"])
    assert len(acknowledged) >= 150
    assert set(acknowledged) <= kept
    logged = set(read_traffic(home, "tiny")["request_id"])
    assert first <= logged
    # And the next service goes on beside what the killed one left.
    with running("tiny", cwd=home.parent) as service:
        assert ask(service, "after").status_code == 200
        assert tell(service, {"request_id": "after", "truth": "bad"}).status_code == 200
        # What the killed one had answered is known: all of it but the last moment's.
        body = {"feedback": [{"request_id": number, "truth": "bad"} for number in sorted(first)]}
        assert tell(service, body).status_code == 200
    assert "after" in set(read_feedback(home, "tiny")["request_id"])
