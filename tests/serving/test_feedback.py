import os
import signal
import threading

import httpx
import pytest
from tiny_bundle import make_bundle
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
        yield document


CLIENT = httpx.Client(timeout=30)


def tell(service, body):
    return CLIENT.post(f"{service['url']}/feedback/tiny", json=body)


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
        while len(acknowledged) < 300:
            callers[0].join(0.05)
        first = set(answered)
        callers[0].join(1.1)  # a second later what was answered by now must be on the disk
        os.kill(process.pid, signal.SIGKILL)
        for caller in callers:
            caller.join(10)
    kept = set(read_feedback(home, "tiny")["request_id"])
    assert len(acknowledged) >= 300
    assert set(acknowledged) <= kept
    logged = set(read_traffic(home, "tiny")["request_id"])
    assert first <= logged
    # And the next service goes on beside what the killed one left.
    with running("tiny", cwd=home.parent) as service:
        assert tell(service, {"request_id": "after", "truth": "bad"}).status_code == 200
    assert "after" in set(read_feedback(home, "tiny")["request_id"])
