"""Both clients against a real service: what one can do, the other can too."""

import asyncio
import inspect
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from luodi.client import AsyncClient, Client, ServiceError
from luodi.traffic.reading import read_feedback


class Both:
    """The asynchronous client, called as the other is."""

    def __init__(self, url, **settings):
        self._loop = asyncio.new_event_loop()
        self._client = AsyncClient(url, **settings)

    def __getattr__(self, name):
        method = getattr(self._client, name)
        return lambda *given, **named: self._loop.run_until_complete(method(*given, **named))

    def __enter__(self):
        self._loop.run_until_complete(self._client.__aenter__())
        return self

    def __exit__(self, *error):
        self._loop.run_until_complete(self._client.__aexit__(*error))
        self._loop.close()


@pytest.fixture(params=[Client, Both], ids=["sync", "async"])
def kind(request):
    return request.param


@pytest.fixture
def client(kind, served):
    with kind(served["url"]) as client:
        yield client


def test_answers_name_their_version(client, served):
    told = client.predict("tiny", ["great", {"text": "差"}])
    assert told.model == "tiny"
    assert told.version == served["models"][0]["version"]
    assert [output["label"] for output in told.outputs] == ["good", "good"]
    assert client.predict("tiny", ["a"], request_id="order-7").request_id == "order-7"


def test_feedback_is_kept(client, served):
    told = client.predict("tiny", ["great", "awful"])
    client.feedback("tiny", told.request_id, truth="bad", row=1)
    found = read_feedback(served["registry"].home, "tiny").filter(request_id=told.request_id)
    assert found["row"].to_list() == [1]


def test_what_is_served(client, served):
    assert client.ready()
    assert client.models() == {"tiny": served["models"][0]["version"]}
    model = client.model("tiny")
    assert model.inputs == {"text": "BYTES"}
    assert model.outputs == {"label": "BYTES", "probabilities": "FP64"}
    assert client.model("tiny", model.versions[0]).digest == model.digest


def test_models_come_and_go_under_any_name(client):
    version = client.load("评论")
    assert client.models()["评论"] == version
    assert client.predict("评论", ["great"]).model == "评论"
    client.unload("评论")
    with pytest.raises(ServiceError) as caught:
        client.predict("评论", ["great"])
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("inputs", "status", "field"),
    [([3], 400, "inputs[0]"), ([], 400, "inputs"), ([{"txt": "a"}], 400, "inputs[0].txt")],
)
def test_an_error_has_the_services_words_and_field(client, inputs, status, field):
    with pytest.raises(ServiceError) as caught:
        client.predict("tiny", inputs)
    assert caught.value.status == status
    assert caught.value.field.startswith(field)
    assert "Expected" in str(caught.value)


def test_what_cannot_be_sent_is_told_at_once(client):
    with pytest.raises(TypeError, match="list of inputs"):
        client.predict("tiny", "great")
    with pytest.raises(ValueError):
        client.predict("tiny", [{"text": float("nan")}])


def test_a_model_without_reasons_says_so(client):
    with pytest.raises(ServiceError, match="no reasons") as caught:
        client.predict("tiny", ["great"], explain=True)
    assert caught.value.field == "explain"


def test_a_key_and_the_deadline_are_sent(kind, other):
    url, answers, asked = other
    answers.append(GOOD)
    with kind(url, timeout=2.5, api_key="ld_secret") as client:
        client.predict("m", ["a"], key="user-7")
    (headers,) = asked
    assert headers["Authorization"] == "Bearer ld_secret"
    assert headers["X-Deadline-Ms"] == "2500"
    assert headers["X-Luodi-Key"] == "user-7"


def test_nobody_there(kind):
    with kind("http://127.0.0.1:1", retries=1) as client:
        assert not client.ready()
        with pytest.raises(ServiceError, match="does not answer") as caught:
            client.predict("tiny", ["a"])
        assert caught.value.status == 0


@pytest.fixture
def other():
    """A server that answers what it is told to, in turn."""
    answers, asked = [], []

    class Other(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.headers)
            status, headers, body = answers.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))  # how soon it ends
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers, asked
    server.shutdown()
    thread.join()
    server.server_close()


GOOD = (200, {}, b'{"model": "m", "version": "v", "outputs": [], "request_id": "r"}')
BUSY = (503, {"Retry-After": "0"}, b'{"error": {"message": "Too much is waiting.", "field": null}}')


def test_a_busy_service_is_asked_again(kind, other):
    url, answers, asked = other
    answers += [BUSY, (429, {}, b""), GOOD]
    with kind(url, retries=2) as client:
        assert client.predict("m", ["a"]).version == "v"
    assert len(asked) == 3


def test_and_not_for_ever(kind, other):
    url, answers, asked = other
    answers += [BUSY] * 5
    with kind(url, retries=1) as client, pytest.raises(ServiceError) as caught:
        client.predict("m", ["a"])
    assert (caught.value.status, len(asked)) == (503, 2)
    assert "Too much is waiting" in str(caught.value)


def test_a_days_quota_is_not_waited_for(kind, other):
    url, answers, asked = other
    answers += [(429, {"Retry-After": "40000"}, BUSY[2]), GOOD]
    with kind(url, retries=2) as client, pytest.raises(ServiceError) as caught:
        client.predict("m", ["a"])
    assert (caught.value.status, caught.value.retry_after, len(asked)) == (429, 40_000, 1)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b'{"error": "x"}'])
def test_something_else_answers(kind, other, body):
    url, answers, _ = other
    answers.append((502, {}, body))
    with kind(url) as client, pytest.raises(ServiceError, match="no Luodi service"):
        client.predict("m", ["a"])


def test_both_have_the_same_methods_with_the_same_parameters():
    def public(kind):
        return {
            name: [*inspect.signature(method).parameters.items()]
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    assert public(Client) == public(AsyncClient)


def test_it_is_light():
    code = (
        "import sys, luodi.client\n"
        "heavy = ('numpy', 'polars', 'sqlalchemy', 'starlette', 'onnxruntime', 'httpx')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
