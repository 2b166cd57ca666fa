"""Triton's own HTTP client against a service: run in an environment that has it."""

import json
import sys

import numpy as np
import tritonclient.http as triton


def main(url, version):
    client = triton.InferenceServerClient(url)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("tiny")
    assert client.is_model_ready("tiny", version)
    assert not client.is_model_ready("none")
    metadata = client.get_server_metadata()
    assert metadata["name"] == "luodi"
    assert "binary_tensor_data" in metadata["extensions"]
    assert client.get_model_metadata("tiny")["inputs"][0]["datatype"] == "BYTES"
    texts = np.array(["great", "awful", "好 great"], dtype=np.object_)
    said = {}
    for binary_in in (True, False):
        for binary_out in (True, False):
            tensor = triton.InferInput("text", [3], "BYTES")
            tensor.set_data_from_numpy(texts, binary_data=binary_in)
            outputs = [
                triton.InferRequestedOutput("label", binary_data=binary_out),
                triton.InferRequestedOutput("probabilities", binary_data=binary_out),
            ]
            result = client.infer("tiny", [tensor], outputs=outputs, request_id="42")
            assert result.get_response()["id"] == "42"
            assert result.get_response()["model_version"] == version
            labels = [
                each.decode() if isinstance(each, bytes) else each
                for each in result.as_numpy("label").tolist()
            ]
            assert labels == ["good", "bad", "good"], labels
            scores = result.as_numpy("probabilities")
            assert scores.shape == (3, 2)
            assert np.allclose(scores.sum(axis=1), 1)
            said[binary_in, binary_out] = scores
    assert all(np.array_equal(each, said[True, True]) for each in said.values())
    # As it is by default: no outputs named, everything binary, a column of texts.
    tensor = triton.InferInput("text", [2, 1], "BYTES")
    tensor.set_data_from_numpy(np.array([[b"great"], [b"awful"]], dtype=np.object_))
    result = client.infer("tiny", [tensor], model_version=version)
    assert result.as_numpy("label").tolist() == [b"good", b"bad"]
    many = [
        triton.InferInput("text", [2], "BYTES"),
        triton.InferInput("amount", [2], "FP32"),
        triton.InferInput("member", [2], "BOOL"),
        triton.InferInput("city", [2], "BYTES"),
    ]
    many[0].set_data_from_numpy(np.array(["fine", "poor"], dtype=np.object_))
    many[1].set_data_from_numpy(np.array([1, 2.5], dtype=np.float32))
    many[2].set_data_from_numpy(np.array([True, False]))
    many[3].set_data_from_numpy(np.array(["上海", "x"], dtype=np.object_))
    result = client.infer("many-fields", many)
    assert result.as_numpy("label").tolist() == [b"good", b"bad"]
    for name, wrong in (("none", tensor), ("tiny", triton.InferInput("text", [1], "INT8"))):
        if name == "tiny":
            wrong.set_data_from_numpy(np.array([1], dtype=np.int8))
        try:
            client.infer(name, [wrong])
        except triton.InferenceServerException as error:
            assert error.status() in ("400", "404"), error.status()
        else:
            raise AssertionError("nothing was refused")
    index = {row["name"]: row["state"] for row in client.get_model_repository_index()}
    assert index["tiny"] == "READY"
    client.unload_model("many-fields")
    assert not client.is_model_ready("many-fields")
    future = client.async_infer("tiny", [tensor])
    assert future.get_result().as_numpy("label").tolist() == [b"good", b"bad"]
    print(json.dumps({"done": "triton http"}))


main(*sys.argv[1:])
