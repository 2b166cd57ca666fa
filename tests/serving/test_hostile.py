"""Whatever a caller sends, the service answers 2xx or 4xx, in JSON, and lives on."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["text", "amount", "member", "city", "label", "上海", "BYTES", "FP64"])
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def mostly(usual):
    return usual | usual | usual | anything


FIELDS = {
    "text": mostly(st.text(max_size=10)),
    "amount": mostly(st.floats(allow_nan=False)),
    "member": mostly(st.booleans()),
    "city": mostly(st.sampled_from(["上海", "x"])),
}
rows = mostly(st.fixed_dictionaries({}, optional=FIELDS))
requests = mostly(st.fixed_dictionaries({"inputs": mostly(st.lists(rows, max_size=4))}))
tensors = mostly(
    st.fixed_dictionaries(
        {
            "name": mostly(st.sampled_from(list(FIELDS))),
            "shape": mostly(st.lists(st.integers(-1, 3), max_size=3)),
            "datatype": mostly(
                st.sampled_from(["BYTES", "FP32", "FP64", "INT8", "UINT64", "BOOL"])
            ),
            "data": mostly(st.lists(mostly(st.text(max_size=4) | st.lists(scalars, max_size=2)))),
        }
    )
)
inferences = mostly(
    st.fixed_dictionaries(
        {"inputs": mostly(st.lists(tensors, max_size=4))},
        optional={
            "id": mostly(st.text(max_size=4)),
            "outputs": mostly(st.lists(st.fixed_dictionaries({"name": mostly(st.text())}))),
            "parameters": anything,
        },
    )
)


def answered(client, path, content):
    response = client.post(path, content=content, headers={"content-type": "application/json"})
    assert response.status_code in (200, 400), (content, response.text)
    if response.status_code == 400:
        assert response.json()["error"]["message"]
        assert len(response.content) < 4000
    return response


relaxed = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@relaxed
@given(body=requests)
def test_any_request_for_people(client, body):
    answered(client, "/predict/many-fields", json.dumps(body).encode("utf-8", "surrogatepass"))


@relaxed
@given(body=inferences)
def test_any_inference_request(client, body):
    path = "/v2/models/many-fields/infer"
    answered(client, path, json.dumps(body).encode("utf-8", "surrogatepass"))


@relaxed
@given(data=st.data())
def test_any_damage_to_a_good_request(client, data):
    good = json.dumps({"inputs": [{"text": "好 great", "amount": 1.5, "member": True}]}).encode()
    at = data.draw(st.integers(0, len(good)))
    cut = data.draw(st.integers(0, 4))
    answered(
        client,
        "/predict/many-fields",
        good[:at] + data.draw(st.binary(max_size=4)) + good[at + cut :],
    )


@relaxed
@given(path=st.text(min_size=1, max_size=20), method=st.sampled_from(["GET", "POST", "PUT"]))
def test_any_path(client, path, method):
    from urllib.parse import quote

    for base in ("/", "/predict/", "/v2/models/", "/v2/models/tiny/versions/"):
        url = base + quote(path.encode("utf-8", "replace"), safe="")
        response = client.request(method, url, content=b"{}")
        assert response.status_code in (200, 307, 400, 404, 405), (method, url, response.text)


feedbacks = mostly(
    st.fixed_dictionaries(
        {},
        optional={
            "request_id": mostly(st.text(max_size=6)),
            "row": mostly(st.integers(-1, 3)),
            "truth": anything,
            "feedback": mostly(st.lists(anything, max_size=3)),
        },
    )
)


@relaxed
@given(body=feedbacks)
def test_any_feedback(client, body):
    answered(client, "/feedback/many-fields", json.dumps(body).encode("utf-8", "surrogatepass"))


repositories = mostly(
    st.fixed_dictionaries(
        {},
        optional={
            "parameters": mostly(st.dictionaries(st.sampled_from(["config", "x"]), anything)),
            "ready": anything,
        },
    )
)


@relaxed
@given(body=repositories, act=st.sampled_from(["index", "models/none/load", "models/none/unload"]))
def test_any_act_on_the_repository(client, body, act):
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    headers = {"content-type": "application/json"}
    response = client.post(f"/v2/repository/{act}", content=content, headers=headers)
    assert response.status_code in (200, 400, 404), (act, content, response.text)


@relaxed
@given(head=inferences, tail=st.binary(max_size=40), cut=st.integers(-5, 5))
def test_any_binary_request(client, head, tail, cut):
    data = json.dumps(head).encode("utf-8", "surrogatepass")
    response = client.post(
        "/v2/models/many-fields/infer",
        content=data + tail,
        headers={"Inference-Header-Content-Length": str(len(data) + cut)},
    )
    assert response.status_code in (200, 400), (data, tail, response.text)
