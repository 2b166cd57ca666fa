"""KServe's own clients, REST and gRPC, against a service: run in an environment that has them."""

import asyncio
import json
import sys

import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest
from kserve.inference_client import RESTConfig


def request(binary):
    texts = InferInput(name="text", shape=[3], datatype="BYTES")
    texts.set_data_from_numpy(
        np.array(["great", "awful", "好 great"], dtype=np.object_), binary_data=binary
    )
    return InferRequest(model_name="tiny", infer_inputs=[texts], request_id="42")


def check(response, version):
    assert response.id == "42", response.id
    assert response.model_version == version
    outputs = {output.name: output for output in response.outputs}
    labels = [
        each.decode() if isinstance(each, bytes) else each
        for each in outputs["label"].as_numpy().tolist()
    ]
    assert labels == ["good", "bad", "good"], labels
    assert np.allclose(outputs["probabilities"].as_numpy().reshape(3, 2).sum(axis=1), 1)


async def rest(url, version):
    client = InferenceRESTClient(RESTConfig(protocol="v2", verbose=False))
    base = f"http://{url}"
    assert await client.is_server_live(base)
    assert await client.is_server_ready(base)
    assert await client.is_model_ready(base, "tiny")
    for binary in (False, True):
        # This client forgets the version that an answer names.
        check(await client.infer(base, request(binary), model_name="tiny"), None)
    await client.close()


async def grpc(url, version):
    client = InferenceGRPCClient(url)
    assert await client.is_server_live()
    assert await client.is_server_ready()
    assert await client.is_model_ready("tiny")
    for binary in (False, True):
        check(await client.infer(request(binary)), version)
    await client.close()


async def main(url, grpc_url, version):
    await rest(url, version)
    await grpc(grpc_url, version)
    print(json.dumps({"done": "kserve"}))


asyncio.run(main(*sys.argv[1:]))
