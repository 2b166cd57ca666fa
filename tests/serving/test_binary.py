import json
import struct

import numpy as np
import pytest

from luodi.contracts import RequestError
from luodi.serving import binary

LIMIT = 100


def text_bytes(*texts):
    return b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts)


def tensor(datatype, shape, size, name="x"):
    parameters = {"binary_data_size": size}
    return {"name": name, "datatype": datatype, "shape": shape, "parameters": parameters}


@pytest.mark.parametrize("texts", [["a"], ["", "好", "x" * 1000], ["a\0b"]])
def test_texts_there_and_back(texts):
    data = binary.write_values(texts, "BYTES")
    assert data == text_bytes(*texts)
    assert binary.read_values(data, "BYTES", len(texts), "x") == texts


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("BOOL", [True, False]),
        ("INT8", [-128, 127]),
        ("UINT64", [0, 2**64 - 1]),
        ("INT64", [-(2**63), 2**63 - 1]),
        ("FP64", [0.1, -1e300]),
        ("FP32", [0.5, -2.0]),
        ("FP16", [0.5, -2.0]),
    ],
)
def test_numbers_there_and_back(datatype, values):
    data = binary.write_values(values, datatype)
    assert binary.read_values(data, datatype, 2, "x") == values


def test_tensors_take_their_bytes_in_turn():
    tail = text_bytes("a", "b") + np.array([1.5, 2.5]).tobytes()
    body = {
        "inputs": [
            tensor("BYTES", [2], 10),
            {"name": "y", "datatype": "INT8", "shape": [2], "data": [1, 2]},
            tensor("FP64", [2, 1], 16, "z"),
        ]
    }
    found = binary.filled(body, tail, LIMIT)
    assert [each["data"] for each in found["inputs"]] == [["a", "b"], [1, 2], [1.5, 2.5]]


@pytest.mark.parametrize(
    ("tensors", "tail", "field"),
    [
        ([tensor("BYTES", [1], 5)], b"\x02\0\0\0a", "inputs[0].data"),
        ([tensor("BYTES", [2], 5)], b"\x01\0\0\0a", "inputs[0].data"),
        ([tensor("BYTES", [1], 3)], b"\x01\0\0", "inputs[0].data"),
        ([tensor("BYTES", [1], 5)], b"\x01\0\0\0\xff", "inputs[0].data[0]"),
        ([tensor("BYTES", [1], 4)], b"\xff\xff\xff\xff", "inputs[0].data"),
        ([tensor("FP64", [2], 8)], b"\0" * 8, "inputs[0].data"),
        ([tensor("FP32", [1], 4)], b"\0\0\xc0\x7f", "inputs[0].data[0]"),
        ([tensor("FP32", [1], 9)], b"\0" * 4, "inputs[0].parameters.binary_data_size"),
        ([tensor("FP32", [1], -1)], b"\0" * 4, "inputs[0].parameters.binary_data_size"),
        ([tensor("FP32", [1], True)], b"\0" * 4, "inputs[0].parameters.binary_data_size"),
        ([tensor("FP32", [10**9], 4)], b"\0" * 4, "inputs[0].shape"),
        ([tensor("TEXT", [1], 4)], b"\0" * 4, "inputs[0].datatype"),
        ([tensor("FP32", [1], 4)], b"\0" * 5, "inputs"),
    ],
)
def test_bytes_that_are_not_what_the_tensors_say(tensors, tail, field):
    with pytest.raises(RequestError) as caught:
        binary.filled({"inputs": tensors}, tail, LIMIT)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({}, frozenset()),
        ({"parameters": {"binary_data_output": True}}, None),
        ({"outputs": [{"name": "a"}, {"name": "b", "parameters": {"binary_data": True}}]}, {"b"}),
        (
            {
                "parameters": {"binary_data_output": True},
                "outputs": [{"name": "a", "parameters": {"binary_data": False}}, {"name": "b"}],
            },
            {"b"},
        ),
        ({"outputs": []}, frozenset()),
        ([], frozenset()),
    ],
)
def test_which_outputs_are_wanted_in_binary(body, wanted):
    assert binary.wanted(body) == wanted


def post(client, head, tail=b"", length=None):
    data = head if isinstance(head, bytes) else json.dumps(head).encode()
    headers = {
        binary.LENGTH: str(len(data) if length is None else length),
        "content-type": "application/octet-stream",
    }
    return client.post("/v2/models/tiny/infer", content=data + tail, headers=headers)


def test_a_request_and_its_reply_in_binary(client):
    tail = text_bytes("great", "awful")
    head = {
        "inputs": [tensor("BYTES", [2], len(tail), "text")],
        "parameters": {"binary_data_output": True},
    }
    response = post(client, head, tail)
    assert response.headers["content-type"] == "application/octet-stream"
    length = int(response.headers[binary.LENGTH])
    told = json.loads(response.content[:length])
    label, scores = told["outputs"]
    assert label["parameters"]["binary_data_size"] == len(text_bytes("good", "bad"))
    assert response.content[length:].startswith(text_bytes("good", "bad"))
    assert len(response.content) == length + 15 + scores["parameters"]["binary_data_size"]


@pytest.mark.parametrize("length", ["x", "-1", "99999", "1" * 40, "0", "3"])
def test_a_wrong_length_is_refused(client, length):
    response = post(client, {"inputs": []}, b"", length)
    assert response.status_code == 400
    assert response.json()["error"]["message"]
