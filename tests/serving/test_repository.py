"""Many models and versions in one process: loaded, unloaded, evicted and found by alias."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from tiny_bundle import make_bundle
from tiny_service import running

from luodi.registry import REFUSED, Registry
from luodi.registry.keys import KeyRing, Rights

HEAVY = {f"w{n}": 1.0 for n in range(60_000)}
"""About 1 MB of weights, so that a limit of memory means something."""


def add(registry, name, weight, verdict="passed", **more):
    folder = registry.home / "bundles" / f"{name}-{weight}"
    make_bundle(folder, name=name, weights={"great": weight, **more})
    return registry.add(folder, verdict=verdict).version


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / ".luodi")


# A connection a request: where there are several workers, each may get it.
CLIENT = httpx.Client(timeout=30, limits=httpx.Limits(max_keepalive_connections=0))


def post(service, path, body=None):
    return CLIENT.post(service["url"] + path, json=body or {})


def ask(service, name, **headers):
    body = {"inputs": ["great"]}
    return CLIENT.post(f"{service['url']}/predict/{name}", json=body, headers=headers)


def states(service, **body):
    rows = post(service, "/v2/repository/index", body).json()
    return {(row["name"], row["version"]): row["state"] for row in rows}


def test_models_come_and_go_while_serving(registry, tmp_path):
    one, two = add(registry, "tiny", 1.0), add(registry, "tiny", 2.0)
    other = add(registry, "other", 1.0)
    with running("tiny", cwd=tmp_path) as service:
        assert states(service) == {
            ("tiny", two): "READY",
            ("tiny", one): "UNAVAILABLE",
            ("other", other): "UNAVAILABLE",
        }
        assert ask(service, "other").status_code == 404
        assert post(service, "/v2/repository/models/other/load").json() == {
            "name": "other",
            "version": other,
            "load": True,
        }
        assert ask(service, "other").json()["version"] == other
        assert states(service, ready=True) == {("tiny", two): "READY", ("other", other): "READY"}
        load = {"parameters": {"version": one[:8]}}
        assert post(service, "/v2/repository/models/tiny/load", load).json()["version"] == one
        answer = post(
            service,
            f"/v2/models/tiny/versions/{one}/infer",
            {"inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["great"]}]},
        )
        assert answer.json()["model_version"] == one
        assert ask(service, "tiny").json()["version"] == two  # loading is not promoting
        assert post(service, "/v2/repository/models/other/unload").json()["unload"]
        assert ask(service, "other").status_code == 404
        gone = {"parameters": {"version": one}}
        assert post(service, "/v2/repository/models/tiny/unload", gone).status_code == 200
        assert CLIENT.get(f"{service['url']}/v2/models/tiny/versions/{one}").status_code == 404
        assert ask(service, "tiny").json()["version"] == two
        # A loaded model follows its alias as those do that were there from the start.
        post(service, "/v2/repository/models/other/load")
        newer = add(registry, "other", 3.0)
        registry.set_alias("other", newer, "production")
        for _ in range(200):
            if (version := ask(service, "other").json()["version"]) == newer:
                break
        assert version == newer


def test_what_cannot_be_loaded_is_told_and_nothing_changes(registry, tmp_path):
    version, _ = add(registry, "tiny", 1.0), add(registry, "spoilt", 1.0)
    refused = add(registry, "bad", 1.0, REFUSED)
    (registry.home / "bundles" / "spoilt-1.0" / "model" / "weights.json").write_text("{}")
    with running("tiny", cwd=tmp_path) as service:
        for name, status in (("none", 404), ("spoilt", 409), ("bad", 404), ("..%2f..", 404)):
            answer = post(service, f"/v2/repository/models/{name}/load")
            assert answer.status_code == status, answer.text
            assert answer.json()["error"]["message"]
        for body, field in (
            ({"parameters": {"config": "{}"}}, "parameters.config"),
            ({"parameters": {"file:model.onnx": "QUJD"}}, "parameters.file:model.onnx"),
            ({"parameters": []}, "parameters"),
            ({"parameter": {}}, "parameter"),
            ({"parameters": {"version": 1}}, "parameters.version"),
        ):
            answer = post(service, "/v2/repository/models/tiny/load", body)
            assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
        for given in (1, 0, False, None, {}, []):  # falsy is not the same as none given
            body = {"parameters": {"version": given}}
            answer = post(service, "/v2/repository/models/tiny/unload", body)
            assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
        assert post(service, "/v2/repository/models/none/unload").status_code == 404
        assert ask(service, "spoilt").status_code == 404
        assert ask(service, "tiny").json()["version"] == version
        # One that the gate refused is loaded by its version alone, never by its name.
        load = {"parameters": {"version": refused}}
        assert post(service, "/v2/repository/models/bad/load", load).status_code == 200


def test_an_alias_is_a_version_too(registry, tmp_path):
    one, two = add(registry, "tiny", 1.0), add(registry, "tiny", 2.0)
    registry.set_alias("tiny", one, "staging")
    with running("tiny", "tiny@staging", cwd=tmp_path) as service:
        assert ask(service, "tiny").json()["version"] == two
        assert ask(service, "tiny@staging").json()["version"] == one
        url = f"{service['url']}/v2/models/tiny/versions/staging"
        assert CLIENT.get(url).json()["parameters"]["version"] == one
        assert ask(service, "tiny@none").status_code == 404


def test_a_key_for_some_models_is_told_of_no_others(registry, tmp_path):
    """It may operate models that are not there yet: what it mistypes must not list the rest."""
    pytest.importorskip("grpc", reason="gRPC is not installed: pip install 'luodi[grpc]'")
    one = add(registry, "mine", 1.0)
    add(registry, "secret-merger", 1.0)
    add(registry, "secret-risk", 1.0)
    rights = Rights(("operate", "ask", "read"), ("mine", "secret-merge", "@", "mine:x"))
    key = KeyRing(registry.home).add("one team", rights)[1]
    said = {}
    with running("mine", "secret-risk", "--keys", "--grpc-port", "0", cwd=tmp_path) as service:
        head = {"Authorization": f"Bearer {key}"}

        def http(method, path, body=None):
            response = CLIENT.request(method, service["url"] + path, headers=head, json=body)
            said[f"{method} {path} {body}"] = response.text + str(response.headers)
            return response

        for name in ("secret-merge", "mine:x", "mine@none"):
            for act in ("load", "unload"):
                path = f"/v2/repository/models/{name}/{act}"
                assert http("POST", path, {}).status_code == 404, (name, act)
                assert name.partition("@")[0] in said[f"POST {path} {{}}"]
        for version in ("none", one[:2], "../x"):
            body = {"parameters": {"version": version}}
            assert http("POST", "/v2/repository/models/mine/load", body).status_code == 404
            assert one in said[f"POST /v2/repository/models/mine/load {body}"]  # its own are listed
        for path in ("/", "/docs", "/openapi.json", "/metrics", "/v2", "/v2/models",
                     "/v2/models/mine", "/v2/models/mine/versions/none", "/v2/health/ready",
                     "/v2/models/secret-merge", "/v2/models/secret-merge/ready"):  # fmt: skip
            http("GET", path)
        for path in ("/v2/repository/index", "/predict/secret-merge", "/feedback/secret-merge",
                     "/v2/models/secret-merge/infer",
                     "/v2/models/mine/versions/x/infer"):  # fmt: skip
            http("POST", path, {})
        said |= over_grpc(service["grpc"], key, "secret-merge")
    for asked, told in said.items():
        assert "secret-merger" not in told, asked
        assert "secret-risk" not in told, asked
        assert str(tmp_path) not in told, asked


def over_grpc(address, key, name):
    """What every call says to this key of a model that it may see and that is not there."""
    import grpc

    from luodi.serving.rpc.messages import MESSAGES, SERVICE, classes
    from luodi.serving.rpc.server import CALLS

    made, said = classes(), {}
    with grpc.insecure_channel(address) as channel:
        for method in CALLS:
            fields = MESSAGES[f"{method}Request"]
            field = next((each for each in ("model_name", "name") if each in fields), None)
            ask = channel.unary_unary(
                f"/{SERVICE}/{method}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=made[f"{method}Response"].FromString,
            )
            message = made[f"{method}Request"](**({field: name} if field else {}))
            try:
                answer = ask(message, metadata=(("authorization", f"Bearer {key}"),), timeout=20)
            except grpc.RpcError as error:
                said[method] = f"{error.code().name}: {error.details()}"
            else:
                said[method] = str(answer)
    for method in ("RepositoryModelLoad", "RepositoryModelUnload", "ModelInfer", "ModelMetadata"):
        assert said[method].startswith("NOT_FOUND"), said[method]
    return said


def test_the_one_least_recently_asked_leaves_the_memory(registry, tmp_path):
    versions = {name: add(registry, name, 1.0, **HEAVY) for name in ("a", "b", "c")}
    size = sum(
        file.stat().st_size for file in (registry.home / "bundles" / "a-1.0/model").rglob("*")
    )
    # What a bundle takes is measured, and is more than its files: learn it first.
    with running("a", cwd=tmp_path) as service:
        text = CLIENT.get(f"{service['url']}/metrics").text
        line = next(line for line in text.splitlines() if line.startswith("luodi_model_bytes{"))
        taken = float(line.rpartition(" ")[2])
    assert taken >= size
    with running("a", "--memory", int(taken * 2.6), cwd=tmp_path) as service:
        for name in ("b", "c"):
            assert post(service, f"/v2/repository/models/{name}/load").status_code == 200
        assert sorted(states(service).values()) == ["READY", "READY", "UNAVAILABLE"]
        assert states(service)["a", versions["a"]] == "UNAVAILABLE"
        assert ask(service, "b").status_code == 200
        # Asked again it comes back, and the other goes that was asked longer ago.
        assert ask(service, "a").json()["version"] == versions["a"]
        assert states(service)["c", versions["c"]] == "UNAVAILABLE"
        for _ in range(3):
            assert {ask(service, name).status_code for name in versions} == {200}
        text = CLIENT.get(f"{service['url']}/metrics").text
        assert float(text.partition("\nluodi_evictions ")[2].partition("\n")[0]) >= 3


def test_a_model_that_never_fits_is_refused_in_words(registry, tmp_path):
    add(registry, "tiny", 1.0)
    add(registry, "large", 1.0, **HEAVY)
    with running("tiny", "--memory", "1MB", cwd=tmp_path) as service:
        answer = post(service, "/v2/repository/models/large/load")
        assert answer.status_code == 503
        assert "MiB" in answer.json()["error"]["message"]
        assert ask(service, "tiny").status_code == 200
        # Its files are smaller than what it takes; from now on that is known, and nothing leaves.
        assert post(service, "/v2/repository/models/large/load").status_code == 503
        assert "READY" in states(service).values()
        assert ask(service, "tiny").status_code == 200


def test_a_version_that_finds_no_room_takes_over_when_there_is(registry, tmp_path):
    one = add(registry, "tiny", 1.0, **HEAVY)
    registry.set_alias("tiny", one, "production")
    with running("tiny", cwd=tmp_path) as service:
        text = CLIENT.get(f"{service['url']}/metrics").text
        line = next(line for line in text.splitlines() if line.startswith("luodi_model_bytes{"))
        taken = float(line.rpartition(" ")[2])
    with (
        running("tiny", "--memory", int(taken * 1.6), cwd=tmp_path) as service,
        ThreadPoolExecutor() as callers,
    ):
        until, body = time.monotonic() + 20, {"inputs": ["slow"] * 4}
        said = Path(f"/proc/{service['process'].pid}/fd/2")  # opened anew by each who reads it

        def answering():
            """Asks until the newer version waits: the older one is not to be evicted meanwhile."""
            seen = set()
            while b"waits" not in said.read_bytes() and time.monotonic() < until:
                answer = CLIENT.post(f"{service['url']}/predict/tiny", json=body)
                seen.add(answer.json()["version"])
            return seen

        slow = [callers.submit(answering) for _ in range(3)]  # one of them is always answered
        two = add(registry, "tiny", 2.0, **HEAVY)
        registry.set_alias("tiny", two, "production")
        assert [each.result() for each in slow] == [{one}] * 3
        while (version := ask(service, "tiny").json()["version"]) != two:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert version == two
        assert b"waits" in service["said"]()


def test_a_bundle_may_vanish_once_it_is_loaded(registry, tmp_path):
    add(registry, "tiny", 1.0)
    with running("tiny", cwd=tmp_path) as service:
        shutil.rmtree(registry.home / "bundles")
        assert ask(service, "tiny").status_code == 200


def test_every_worker_loads_what_one_was_told_to(registry, tmp_path):
    add(registry, "tiny", 1.0)
    other = add(registry, "other", 1.0)
    with running("tiny", "--workers", "2", cwd=tmp_path) as service:
        assert post(service, "/v2/repository/models/other/load").status_code == 200
        # Each connection may be another worker's.
        seen = [ask(service, "other").json().get("version") for _ in range(30)]
        assert set(seen) == {other}
        assert post(service, "/v2/repository/models/other/unload").status_code == 200
        assert {ask(service, "other").status_code for _ in range(30)} == {404}
