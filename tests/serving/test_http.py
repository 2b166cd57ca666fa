import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from luodi.bundle import read_manifest, version_of
from luodi.serving.http import ROUTES
from tests.serving.hostile import BODIES


def post(client, path, content, **headers):
    headers = {"content-type": "application/json", **headers}
    return client.post(path, content=content, headers=headers)


def test_people_ask_and_every_answer_names_its_version(client, place):
    response = client.post("/predict/tiny", json={"inputs": ["great", {"text": "awful"}]})
    assert response.status_code == 200
    answer = response.json()
    assert answer["model"] == "tiny"
    assert answer["version"] == version_of(read_manifest(place / "tiny")[1])
    assert [output["label"] for output in answer["outputs"]] == ["good", "bad"]
    assert sum(answer["outputs"][0]["probabilities"].values()) == pytest.approx(1)
    assert answer["request_id"] == response.headers["x-request-id"]


def test_the_callers_request_id_is_kept_when_it_is_plain(client):
    asked = {"inputs": ["fine"]}
    kept = client.post("/predict/tiny", json=asked, headers={"x-request-id": "order-7"})
    assert kept.json()["request_id"] == "order-7"
    odd = client.post("/predict/tiny", json=asked, headers={"x-request-id": "a b"})
    assert re.fullmatch("[0-9a-f]{16}", odd.json()["request_id"])


def test_texts_are_masked_as_in_training(client):
    first, second = client.post(
        "/predict/tiny", json={"inputs": ["great me@example.com", "great <EMAIL>"]}
    ).json()["outputs"]
    assert first == second


def tensor(*values, name="text", datatype="BYTES", shape=None):
    return {"name": name, "datatype": datatype, "shape": shape or [len(values)], "data": [*values]}


def test_open_inference(client, place):
    body = {"id": "42", "inputs": [tensor("great", "awful", "好")]}
    answer = client.post("/v2/models/tiny/infer", json=body).json()
    assert (answer["model_name"], answer["id"]) == ("tiny", "42")
    assert answer["model_version"] == version_of(read_manifest(place / "tiny")[1])
    label, scores = answer["outputs"]
    assert label == {
        "name": "label",
        "datatype": "BYTES",
        "shape": [3],
        "data": ["good", "bad", "good"],
    }
    assert (scores["shape"], scores["datatype"]) == ([3, 2], "FP64")
    assert scores["parameters"] == {"labels": ["bad", "good"]}
    assert scores["data"][0] + scores["data"][1] == pytest.approx(1)
    plain = client.post("/predict/tiny", json={"inputs": ["great", "awful", "好"]}).json()
    assert [each["probabilities"]["good"] for each in plain["outputs"]] == scores["data"][1::2]


def test_a_version_is_asked_for_by_name(client, place):
    second = version_of(read_manifest(place / "tiny-2")[1])
    body = {"inputs": [tensor("great")], "outputs": [{"name": "label"}]}
    answer = client.post(f"/v2/models/tiny/versions/{second}/infer", json=body).json()
    assert answer["model_version"] == second
    assert answer["outputs"] == [tensor("bad", name="label")]
    assert client.get("/v2/models/tiny").json()["versions"][1] == second
    assert client.get(f"/v2/models/tiny/versions/{second}/ready").json()["ready"]


def test_many_fields_of_many_types(client):
    body = {
        "inputs": [
            tensor("fine", "poor"),
            tensor(1, 2.5, name="amount", datatype="FP32"),
            tensor([True], [None], name="member", datatype="BOOL", shape=[2, 1]),
            tensor("上海", "New York", name="city"),
        ]
    }
    response = client.post("/v2/models/many-fields/infer", json=body)
    assert response.status_code == 200, response.text
    assert response.json()["outputs"][0]["data"] == ["good", "bad"]


@pytest.mark.parametrize(
    ("inputs", "field"),
    [
        ([], "inputs"),
        ("great", "inputs"),
        ([3], "inputs[0]"),
        ([tensor("a", name="txt")], "inputs[0].name"),
        ([tensor("a"), tensor("a")], "inputs[1].name"),
        ([tensor("a") | {"datatype": "TEXT"}], "inputs[0].datatype"),
        ([tensor("a", shape=[2])], "inputs[0].data"),
        ([tensor("a", shape=[1, 2])], "inputs[0].shape"),
        ([tensor("a", shape=[True])], "inputs[0].shape"),
        ([tensor("a", shape=[-1])], "inputs[0].shape"),
        ([tensor("a", shape=[10**12])], "inputs[0].shape"),
        ([tensor("a") | {"data": "a"}], "inputs[0].data"),
        ([tensor("a") | {"data": [["a", "b"]]}], "inputs[0].data"),
        ([tensor(1)], "inputs[0].data[0]"),
        ([tensor("a", None)], "rows[1].text"),
        ([tensor("a"), tensor(True, name="amount", datatype="FP64")], "inputs[1].data[0]"),
        ([tensor("a"), tensor(300, name="amount", datatype="UINT8")], "inputs[1].data[0]"),
        ([tensor("a"), tensor(1.5, name="amount", datatype="INT64")], "inputs[1].data[0]"),
        ([tensor("a"), tensor(1, 2, name="amount", datatype="INT64")], "inputs"),
        ([tensor("a"), tensor("x", name="amount")], "rows[0].amount"),
    ],
)
def test_a_wrong_tensor_is_named(client, inputs, field):
    response = client.post("/v2/models/many-fields/infer", json={"inputs": inputs})
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["field"] == field
    assert "Expected" in error["message"]


@pytest.mark.parametrize("parameters", [3, "x", [1], True])
def test_parameters_are_an_object(client, parameters):
    given = {"parameters": parameters}
    for body, field in (
        ({"inputs": [tensor("a")], **given}, "parameters"),
        ({"inputs": [tensor("a") | given]}, "inputs[0].parameters"),
        ({"inputs": [tensor("a")], "outputs": [{"name": "label", **given}]},
         "outputs[0].parameters"),
    ):  # fmt: skip
        response = client.post("/v2/models/tiny/infer", json=body)
        assert response.status_code == 400, response.text
        assert response.json()["error"]["field"] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "inputs"),
        ([], "inputs"),
        ({"inputs": "great"}, "inputs"),
        ({"inputs": []}, "inputs"),
        ({"inputs": ["x"] * 10_001}, "inputs"),
        ({"inputs": ["fine", 3]}, "inputs[1].text"),
        ({"inputs": ["fine", None]}, "inputs[1].text"),
        ({"inputs": [{"txt": "fine"}]}, "inputs[0].txt"),
        ({"inputs": [{}]}, "inputs[0].text"),
        ({"inputs": [["fine"]]}, "inputs[0].text"),
        ({"inputs": ["fine"], "more": 1}, "more"),
    ],
)
def test_a_wrong_request_names_its_field(client, body, field):
    response = client.post("/predict/tiny", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["field"] == field


@pytest.mark.parametrize("path", ["/predict/tiny", "/v2/models/tiny/infer"])
@pytest.mark.parametrize("name", BODIES)
def test_hostile_bodies_are_refused_in_words(client, path, name):
    response = post(client, path, BODIES[name])
    assert response.status_code == 400, response.text[:200]
    error = response.json()["error"]
    assert error["message"]
    assert "Traceback" not in response.text
    assert len(response.content) < 2000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": "application/json; charset=utf-8"}, 200),
        ({"content-type": "APPLICATION/JSON"}, 200),
        ({"content-encoding": "gzip"}, 415),
        ({"host": "a b<script>"}, 400),
        ({"host": "evil.example:99999"}, 200),
        ({"accept-language": "\udcff".encode("utf-8", "surrogateescape")}, 200),
    ],
)
def test_headers(client, headers, status):
    response = post(client, "/predict/tiny", b'{"inputs": ["a"]}', **headers)
    assert response.status_code == status
    assert client.get("/docs", headers=headers).status_code == (400 if status == 400 else 200)


def test_a_body_over_the_limit_is_refused_however_it_comes(client):
    large = b'{"inputs": ["' + b"x" * (16 * 1024 * 1024) + b'"]}'
    assert post(client, "/predict/tiny", large).status_code == 413
    pieces = (large[at : at + 65536] for at in range(0, len(large), 65536))
    assert post(client, "/predict/tiny", pieces).status_code == 413
    just = b'{"inputs": ["' + b"x" * (16 * 1024 * 1024 - 16) + b'"]}'
    assert post(client, "/predict/tiny", just).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/predict/tiny", 405),
        ("POST", "/", 405),
        ("DELETE", "/v2/models/tiny", 405),
        ("POST", "/predict/tinny", 404),
        ("POST", "/predict/", 404),
        ("POST", "/predict/..%2f..%2fetc", 404),
        ("POST", "/predict/%ff%00", 404),
        ("GET", "/v2/models/none", 404),
        ("GET", "/v2/models/tiny/versions/1/ready", 404),
        ("POST", "/v2/models/tiny/versions/ffffffffffff/infer", 404),
    ],
)
def test_what_is_not_there(client, method, path, status):
    response = client.request(method, path, json={"inputs": ["a"]} if method == "POST" else None)
    assert response.status_code == status
    assert response.json()["error"]["message"]


def test_the_nearest_name_is_told(client):
    error = client.post("/predict/tinny", json={"inputs": ["a"]}).json()["error"]
    assert "Did you mean tiny?" in error["message"]


def test_a_fault_of_the_model_is_ours_and_hits_nobody_else(client):
    def ask(text):
        return client.post("/predict/tiny", json={"inputs": [text]})

    texts = ["slow", "boom", "fine", "great", "slow", "boom", "awful"] * 2
    with ThreadPoolExecutor(14) as pool:
        responses = list(pool.map(ask, texts))
    for text, response in zip(texts, responses, strict=True):
        assert response.status_code == (500 if text == "boom" else 200)
        assert "Traceback" not in response.text
    assert "request" in responses[1].json()["error"]["message"]


def test_the_other_pages(client, place):
    assert client.get("/").json()["models"][0]["name"] == "tiny"
    assert client.get("/v2").json()["name"] == "luodi"
    assert client.get("/v2/models").json() == {"models": ["tiny", "many-fields"]}
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    model = client.get("/v2/models/many-fields").json()
    assert [head["datatype"] for head in model["inputs"]] == ["BYTES", "FP64", "BOOL", "BYTES"]
    assert model["parameters"]["digest"] == read_manifest(place / "many")[1]


def test_metrics_are_prometheus_text_and_bounded_in_names(client):
    for name in ("tiny", "unknown-1", "unknown-2"):
        client.post(f"/predict/{name}", json={"inputs": ["a"]})
    text = client.get("/metrics").text
    assert re.search(r'luodi_requests_total{model="tiny",.*status="200".*} [1-9]', text)
    assert "unknown" not in text
    assert "luodi_model_info{" in text
    assert "process_resident_memory_bytes" in text


def test_the_docs_need_no_network_and_their_curl_lines_work(client, service):
    import html
    import shlex

    response = client.get("/docs")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    page = response.text
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "<script" not in page
    blocks = [html.unescape(block) for block in re.findall(r"<code>(curl .*?)</code>", page, re.S)]
    assert len(blocks) == 6
    for block in blocks:
        command = shlex.split(block.replace("\\\n", " "))
        request = httpx.post(
            command[1],
            content=command[command.index("-d") + 1].encode(),
            headers={"content-type": "application/json"},
        )
        assert request.status_code == 200, block


def test_the_docs_python_lines_work(client):
    import contextlib
    import html
    import io

    page = client.get("/docs").text
    blocks = [html.unescape(b) for b in re.findall(r"<code>(from luodi.*?)</code>", page, re.S)]
    assert len(blocks) == 2
    for block in blocks:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(block, "docs", "exec"), {})  # noqa: S102 - the page's own lines
        assert "label" in out.getvalue()


@pytest.mark.parametrize("host", ["x'; rm -r ~; '", '"><script>', "a b", "", "x" * 300])
def test_a_hostile_host_is_refused(client, host):
    response = client.get("/docs", headers={"host": host})
    assert response.status_code == 400
    assert response.json() == {"error": {"message": "Bad Request.", "field": None}}


def test_openapi_describes_every_route_and_its_examples_work(client):
    document = client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    told = {re.sub(r"/versions/[0-9a-f]{12}", "/versions/{version}", p) for p in document["paths"]}
    for _, path, _, _ in ROUTES:
        assert path.replace("{name}", "tiny") in told
    for path, item in document["paths"].items():
        if "/repository/models/" in path:
            continue  # they change what is served; tests/serving/test_repository.py
        if "post" in item:
            media = item["post"]["requestBody"]["content"]["application/json"]
            assert client.post(path, json=media["example"]).status_code == 200
        else:
            assert client.get(path).status_code == 200


def test_answers_come_in_the_language_asked_for(client):
    def said(language):
        headers = {"accept-language": language}
        return client.post("/predict/tiny", json={}, headers=headers).json()["error"]["message"]

    assert "缺失" in said("zh-CN,zh;q=0.9")
    assert "missing" in said("en-GB")
    assert "missing" in said("fr")


def test_head_and_keep_alive_and_pipelining(service):
    import socket
    from urllib.parse import urlsplit

    url = urlsplit(service["url"])
    with socket.create_connection((url.hostname, url.port), 10) as raw:
        request = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
        raw.sendall(request * 3)
        seen = b""
        while seen.count(b'{"live":true}') < 3:
            seen += raw.recv(65536)
        raw.sendall(b"nonsense\r\n\r\n")
        assert b"400" in raw.recv(65536).partition(b"\r\n")[0]
