"""Triton's own gRPC client against a service: run in an environment that has it."""

import json
import sys

import numpy as np
import tritonclient.grpc as triton


def main(url, version):
    client = triton.InferenceServerClient(url)
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("tiny")
    assert client.is_model_ready("tiny", version)
    assert client.get_server_metadata().name == "luodi"
    metadata = client.get_model_metadata("tiny")
    assert [each.datatype for each in metadata.inputs] == ["BYTES"]
    assert list(metadata.outputs[1].shape) == [-1, 2]
    texts = triton.InferInput("text", [3], "BYTES")
    texts.set_data_from_numpy(np.array(["great", "awful", "好 great"], dtype=np.object_))
    result = client.infer("tiny", [texts], request_id="42")
    assert result.get_response().id == "42"
    assert result.get_response().model_version == version
    assert result.as_numpy("label").tolist() == [b"good", b"bad", b"good"]
    assert np.allclose(result.as_numpy("probabilities").sum(axis=1), 1)
    wanted = [triton.InferRequestedOutput("label")]
    result = client.infer("tiny", [texts], model_version=version, outputs=wanted)
    assert result.as_numpy("probabilities") is None
    many = [
        triton.InferInput("text", [2, 1], "BYTES"),
        triton.InferInput("amount", [2], "FP64"),
        triton.InferInput("member", [2], "BOOL"),
        triton.InferInput("city", [2], "BYTES"),
    ]
    many[0].set_data_from_numpy(np.array([["fine"], ["poor"]], dtype=np.object_))
    many[1].set_data_from_numpy(np.array([1, 2.5]))
    many[2].set_data_from_numpy(np.array([True, False]))
    many[3].set_data_from_numpy(np.array(["上海", "x"], dtype=np.object_))
    assert client.infer("many-fields", many).as_numpy("label").tolist() == [b"good", b"bad"]
    for name, code in (("none", "NOT_FOUND"), ("many-fields", "INVALID_ARGUMENT")):
        wrong = triton.InferInput("txt", [1], "BYTES")
        wrong.set_data_from_numpy(np.array(["x"], dtype=np.object_))
        try:
            client.infer(name, [wrong])
        except triton.InferenceServerException as error:
            assert code in error.status(), error.status()
            assert error.message()
        else:
            raise AssertionError("nothing was refused")
    states = {row.name: row.state for row in client.get_model_repository_index().models}
    assert states["tiny"] == "READY"
    client.unload_model("many-fields")
    assert not any(
        row.name == "many-fields" and row.state == "READY"
        for row in client.get_model_repository_index().models
    )
    print(json.dumps({"done": "triton grpc"}))


main(*sys.argv[1:])
