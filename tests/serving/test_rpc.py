"""The protocol over gRPC, message by message; `test_clients` has others' clients."""

import socket

import httpx
import numpy as np
import pytest
from tiny_service import luodi, running

grpc = pytest.importorskip("grpc", reason="gRPC is not installed: pip install 'luodi[grpc]'")

from luodi.serving.rpc.messages import MESSAGES, SERVICE, classes  # noqa: E402

CLASSES = classes()


@pytest.fixture(scope="module")
def served(place):
    with running("./tiny", "./many", "--grpc-port", "0", cwd=place) as document:
        yield document


@pytest.fixture
def call(served):
    with grpc.insecure_channel(served["grpc"]) as channel:

        def ask(method, metadata=(), **fields):
            answer = channel.unary_unary(
                f"/{SERVICE}/{method}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=CLASSES[f"{method}Response"].FromString,
            )
            return answer(CLASSES[f"{method}Request"](**fields), metadata=metadata, timeout=30)

        yield ask


def texts(*values):
    contents = {"bytes_contents": [value.encode() for value in values]}
    return {"name": "text", "datatype": "BYTES", "shape": [len(values)], "contents": contents}


def test_typed_contents(call):
    answer = call("ModelInfer", model_name="tiny", id="7", inputs=[texts("great", "差")])
    assert (answer.model_name, answer.id) == ("tiny", "7")
    label, scores = answer.outputs
    assert list(label.contents.bytes_contents) == [b"good", b"bad"]
    assert list(scores.shape) == [2, 2]
    assert sum(scores.contents.fp64_contents[:2]) == pytest.approx(1)
    assert not answer.raw_output_contents
    named = call("ModelInfer", model_name="tiny", inputs=[texts("a")], outputs=[{"name": "label"}])
    assert [output.name for output in named.outputs] == ["label"]


def test_every_datatype_reaches_the_model(call):
    for datatype, contents in (
        ("FP32", {"fp32_contents": [1.5]}),
        ("FP64", {"fp64_contents": [1.5]}),
        ("INT8", {"int_contents": [1]}),
        ("UINT16", {"uint_contents": [1]}),
        ("INT64", {"int64_contents": [1]}),
        ("UINT64", {"uint64_contents": [1]}),
    ):
        amount = {"name": "amount", "datatype": datatype, "shape": [1], "contents": contents}
        assert call("ModelInfer", model_name="many-fields", inputs=[texts("a"), amount]).outputs
    half = np.array([1.5], np.float16).tobytes()
    raw = [b"\x05\x00\x00\x00great", half]
    heads = [{k: v for k, v in texts("x").items() if k != "contents"}]
    heads.append({"name": "amount", "datatype": "FP16", "shape": [1]})
    answer = call("ModelInfer", model_name="many-fields", inputs=heads, raw_input_contents=raw)
    assert answer.raw_output_contents[0] == b"\x04\x00\x00\x00good"


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"model_name": "none", "inputs": [texts("a")]}, "NOT_FOUND", "none"),
        ({"model_name": "tiny", "model_version": "f" * 12}, "NOT_FOUND", "version"),
        ({"model_name": "tiny"}, "INVALID_ARGUMENT", "inputs"),
        (
            {"model_name": "tiny", "inputs": [texts("a") | {"name": "txt"}]},
            "INVALID_ARGUMENT",
            "txt",
        ),
        (
            {"model_name": "tiny", "inputs": [texts("a") | {"shape": [3]}]},
            "INVALID_ARGUMENT",
            "shape",
        ),
        (
            {"model_name": "tiny", "inputs": [texts("a") | {"shape": [2**40]}]},
            "INVALID_ARGUMENT",
            "10000",
        ),
        (
            {
                "model_name": "tiny",
                "inputs": [texts("a") | {"contents": {"bytes_contents": [b"\xff"]}}],
            },
            "INVALID_ARGUMENT",
            "UTF-8",
        ),
        (
            {"model_name": "tiny", "inputs": [texts("a")], "raw_input_contents": [b"", b""]},
            "INVALID_ARGUMENT",
            "raw_input_contents",
        ),
        (
            {"model_name": "tiny", "inputs": [texts("a")], "raw_input_contents": [b"\x09\0\0\0a"]},
            "INVALID_ARGUMENT",
            "data",
        ),
        (
            {
                "model_name": "many-fields",
                "inputs": [
                    {"name": "amount", "datatype": "FP64", "shape": [1]},
                ],
                "raw_input_contents": [np.array([np.nan]).tobytes()],
            },
            "INVALID_ARGUMENT",
            "nan",
        ),
        (
            {"model_name": "tiny", "inputs": [texts("a") | {"datatype": "TEXT"}]},
            "INVALID_ARGUMENT",
            "TEXT",
        ),
        ({"model_name": "tiny", "inputs": [texts("boom")]}, "INTERNAL", "failed"),
    ],
)
def test_every_fault_is_a_status_in_words(call, fields, code, said):
    with pytest.raises(grpc.RpcError) as caught:
        call("ModelInfer", **fields)
    assert caught.value.code().name == code
    assert said in caught.value.details()
    assert "Traceback" not in caught.value.details()


def test_who_is_refused_is_told_when_to_come_again(call):
    with pytest.raises(grpc.RpcError) as caught:
        call("ModelInfer", (("x-deadline-ms", "0"),), model_name="tiny", inputs=[texts("great")])
    assert caught.value.code().name == "UNAVAILABLE"
    assert dict(caught.value.trailing_metadata())["retry-after"] == "1"


def test_words_come_in_the_language_asked_for(call):
    with pytest.raises(grpc.RpcError) as caught:
        call("ModelInfer", (("accept-language", "zh-CN"),), model_name="none")
    assert "没有模型" in caught.value.details()


def test_the_repository(call):
    rows = call("RepositoryIndex").models
    assert {row.state for row in rows if row.name == "tiny"} == {"READY"}
    for fields in ({"model_name": "none"}, {"repository_name": "none"}):  # Triton's, KServe's
        with pytest.raises(grpc.RpcError) as caught:
            call("RepositoryModelUnload", **fields)
        assert caught.value.code().name == "NOT_FOUND"
    for parameters in ({"config": {"string_param": "{}"}}, {"version": {"int64_param": 1}}):
        with pytest.raises(grpc.RpcError) as caught:
            call("RepositoryModelLoad", model_name="tiny", parameters=parameters)
        assert caught.value.code().name == "INVALID_ARGUMENT"


def test_a_call_is_counted_and_logged_like_any_other(call, served):
    call("ModelInfer", model_name="tiny", inputs=[texts("great")])
    text = httpx.get(f"{served['url']}/metrics").text
    assert 'luodi_requests_total{model="tiny",route="grpc",status="OK"' in text


def test_a_taken_port_is_told(place):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = luodi("serve", "./tiny", "--port", "0", "--grpc-port", port, cwd=place)
    assert done.returncode == 1
    assert f"Port {port} is taken".encode() in done.stderr
    assert b"Traceback" not in done.stderr


def test_workers_share_a_port(place):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ("./tiny", "--workers", "2", "--grpc-port", port)
    with running(*arguments, cwd=place) as document:
        assert document["grpc"] == f"127.0.0.1:{port}"
        other = luodi("serve", "./tiny", "--port", "0", "--grpc-port", port, cwd=place)
        assert b"is taken" in other.stderr  # another service would share it, and the callers
        for _ in range(6):
            with grpc.insecure_channel(document["grpc"]) as channel:
                live = channel.unary_unary(
                    f"/{SERVICE}/ServerLive",
                    request_serializer=lambda message: message.SerializeToString(),
                    response_deserializer=CLASSES["ServerLiveResponse"].FromString,
                )
                assert live(CLASSES["ServerLiveRequest"](), timeout=20).live


def test_keys_hold_in_whichever_field_the_model_is_named(place, tmp_path):
    """KServe's messages have the model's name where Triton's have the repository's."""
    from luodi.registry.keys import KeyRing, Rights

    key = KeyRing(tmp_path).add("one model", Rights(("operate", "ask", "read"), ("tiny",)))[1]
    arguments = ("./tiny", "./many", "--keys", "--grpc-port", "0")
    with running(*arguments, cwd=place, LUODI_HOME=str(tmp_path)) as document:

        def code(method, metadata=(("authorization", f"Bearer {key}"),), **fields):
            with grpc.insecure_channel(document["grpc"]) as channel:
                ask = channel.unary_unary(
                    f"/{SERVICE}/{method}",
                    request_serializer=lambda message: message.SerializeToString(),
                    response_deserializer=CLASSES[f"{method}Response"].FromString,
                )
                message = CLASSES[f"{method}Request"](**fields)
                try:
                    ask(message, metadata=metadata, timeout=20)
                except grpc.RpcError as error:
                    return error.code().name
                return "OK"

        assert code("ModelReady", (), name="tiny") == "UNAUTHENTICATED"
        assert code("ServerLive", ()) == "OK"
        assert code("ModelReady", name="tiny") == "OK"
        assert code("ModelReady", name="many-fields") == "PERMISSION_DENIED"
        for field in ("model_name", "repository_name"):
            denied = code("RepositoryModelUnload", **{field: "many-fields"})
            assert denied == "PERMISSION_DENIED", field
        assert code("RepositoryModelUnload", repository_name="tiny") == "OK"


def test_with_a_certificate_it_speaks_tls_alone(place, tmp_path):
    import shutil
    import subprocess

    from luodi.client import Client

    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    certificate = tmp_path / "cert.pem"
    arguments = ("--tls-cert", certificate, "--tls-key", tmp_path / "key.pem", "--grpc-port", "0")
    with running("./tiny", *arguments, cwd=place) as document:

        def live(channel):
            ask = channel.unary_unary(
                f"/{SERVICE}/ServerLive",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=CLASSES["ServerLiveResponse"].FromString,
            )
            return ask(CLASSES["ServerLiveRequest"](), timeout=10).live

        trusted = grpc.ssl_channel_credentials(certificate.read_bytes())
        with grpc.secure_channel(document["grpc"], trusted) as channel:
            assert live(channel)
        with grpc.insecure_channel(document["grpc"]) as channel, pytest.raises(grpc.RpcError):
            live(channel)
        with Client(document["url"], verify=str(certificate)) as client:
            assert client.predict("tiny", ["great"]).model == "tiny"
        with Client(document["url"], retries=0) as client:
            assert not client.ready()


def test_every_message_of_the_table_can_be_made_and_read_back():
    for name in MESSAGES:
        message = CLASSES[name]()
        assert CLASSES[name].FromString(message.SerializeToString()) == message
    assert CLASSES["InferParameter"](bool_param=True).WhichOneof("parameter_choice")
