"""The whole access matrix, on a running service: route x method x role x whose key."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tiny_service import running

from luodi.contracts import BusyError
from luodi.registry.keys import ROLES, KeyRing, Rights
from luodi.serving.access import Access
from luodi.serving.http import ROUTES

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")
# What each route is declared to need. A route that is not in this table fails the tests: whoever
# adds one says here who may use it.
MATRIX = {
    ("GET", "/"): "read",
    ("POST", "/predict/{name}"): "ask",
    ("POST", "/feedback/{name}"): "ask",
    ("GET", "/v2"): "read",
    ("GET", "/v2/health/live"): "open",
    ("GET", "/v2/health/ready"): "open",
    ("GET", "/v2/models"): "read",
    ("GET", "/v2/models/{name}"): "read",
    ("GET", "/v2/models/{name}/versions/{version}"): "read",
    ("GET", "/v2/models/{name}/ready"): "read",
    ("GET", "/v2/models/{name}/versions/{version}/ready"): "read",
    ("POST", "/v2/models/{name}/infer"): "ask",
    ("POST", "/v2/models/{name}/versions/{version}/infer"): "ask",
    ("POST", "/v2/repository/index"): "read",
    ("POST", "/v2/repository/models/{name}/load"): "operate",
    ("POST", "/v2/repository/models/{name}/unload"): "operate",
    ("GET", "/metrics"): "read",
    ("GET", "/docs"): "read",
    ("GET", "/openapi.json"): "read",
}
EVERYWHERE = "0.0.0.0"  # noqa: S104  # what must be refused
WHOSE = {"all": ("*",), "own": ("tiny",), "other": ("many-fields",)}


def test_every_route_stands_in_the_matrix():
    declared = {(method, path): need for method, path, _, need in ROUTES}
    assert declared == MATRIX


@pytest.fixture(scope="module")
def guarded(place, tmp_path_factory):
    """A service that asks for keys, and a key for each role and each choice of models."""
    home = tmp_path_factory.mktemp("home")
    ring = KeyRing(home)
    keys = {
        (role, whose): ring.add(f"{role} {whose}", Rights((role,), models))[1]
        for role in ROLES
        for whose, models in WHOSE.items()
    }
    with running("./tiny", "./many", "--keys", cwd=place, LUODI_HOME=str(home)) as document:
        yield document["url"], keys, ring


def statuses(url, key):
    """The status of every route with every method."""
    head = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=url, headers=head, timeout=30) as client:
        version = "0" * 12
        for path in dict.fromkeys(path for _, path in MATRIX):
            filled = path.replace("{name}", "tiny").replace("{version}", version)
            for method in METHODS:
                # Unloading in earnest would change what comes after: a body that does not fit
                # shows as well that the door was passed.
                body = b"[]" if method in ("POST", "PUT", "PATCH") else None
                kind = {"Content-Type": "application/json"}
                yield (
                    (method, path),
                    client.request(method, filled, content=body, headers=kind).status_code,
                )


@pytest.mark.parametrize("whose", ["nobody", *WHOSE])
@pytest.mark.parametrize("role", ROLES)
def test_the_matrix(guarded, role, whose):
    url, keys, _ = guarded
    for (method, path), status in statuses(url, keys.get((role, whose), "")):
        need = MATRIX.get((method, path)) or (MATRIX.get(("GET", path)) if method == "HEAD" else "")
        case = (method, path, role, whose, status)
        if not need:
            assert status == 405, case
        elif need == "open":
            assert status == 200, case
        elif whose == "nobody":
            assert status == 401, case
        elif (
            need != role
            or (whose == "other" and "{name}" in path)
            or (path == "/metrics" and whose != "all")
        ):
            assert status == 403, case
        else:
            assert status in (200, 400, 404), case


def test_a_wrong_key_is_nobody(guarded):
    url, keys, _ = guarded
    secret = keys["ask", "all"]
    for wrong in (secret[:-1], "x", secret[::-1], "Basic abc"):
        response = httpx.get(f"{url}/v2", headers={"Authorization": f"Bearer {wrong}"})
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert secret not in response.text
    assert httpx.get(f"{url}/v2", headers={"X-API-Key": keys["read", "all"]}).status_code == 200


def test_a_key_sees_its_own_models_only(guarded):
    url, keys, _ = guarded
    head = {"Authorization": f"Bearer {keys['read', 'own']}"}
    for path, method in (("/", "GET"), ("/docs", "GET"), ("/openapi.json", "GET"),
                         ("/v2/repository/index", "POST")):  # fmt: skip
        response = httpx.request(method, url + path, headers=head, json={} if method == "POST"
                                 else None)  # fmt: skip
        assert response.status_code == 200
        assert "tiny" in response.text
        assert "many-fields" not in response.text, path


def test_nor_does_an_error_tell_it_of_others(guarded):
    url, _, ring = guarded
    _, secret = ring.add("web", Rights(roles=("ask",), models=("tinny",)))
    head = {"Authorization": f"Bearer {secret}"}
    response = httpx.post(f"{url}/predict/tinny", headers=head, json={"inputs": ["great"]})
    assert response.status_code == 404
    assert "many-fields" not in response.text
    assert "'tiny'" not in response.text.replace("'tinny'", "")


def test_the_document_says_where_a_key_is_needed(guarded, client):
    url, keys, _ = guarded
    head = {"Authorization": f"Bearer {keys['read', 'all']}"}
    document = httpx.get(f"{url}/openapi.json", headers=head).json()
    assert set(document["components"]["securitySchemes"]) == {"bearer", "key"}
    for path, item in document["paths"].items():
        (operation,) = item.values()
        needed = "security" in operation
        assert needed == ("401" in operation["responses"]) == ("/health/" not in path), path
    assert "security" not in json.dumps(client.get("/openapi.json").json()).lower()


def test_a_revoked_key_is_shut_out_of_a_running_service(guarded):
    url, _, ring = guarded
    key, secret = ring.add("guest", Rights())
    head = {"Authorization": f"Bearer {secret}"}
    assert httpx.get(f"{url}/v2", headers=head).status_code == 200
    ring.revoke(key.prefix)
    assert httpx.get(f"{url}/v2", headers=head).status_code == 401


def test_limits_tell_when_to_come_again(guarded):
    url, _, ring = guarded
    _, secret = ring.add("slow", Rights(rate=1.0, burst=3))
    head = {"Authorization": f"Bearer {secret}"}
    body = {"inputs": ["great"]}
    seen = [httpx.post(f"{url}/predict/tiny", json=body, headers=head) for _ in range(6)]
    refused = [response for response in seen if response.status_code == 429]
    assert seen[0].status_code == 200
    assert refused
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert "faster" in refused[0].json()["error"]["message"]


@pytest.mark.parametrize(("name", "value"), [("X-Deadline-Ms", "soon"), ("X-Deadline-Ms", "-1"),
                                             ("X-Priority", "10"), ("X-Priority", "1.5"),
                                             ("X-Deadline-Ms", "nan")])  # fmt: skip
def test_terms_that_are_no_numbers_are_named(client, name, value):
    response = client.post("/predict/tiny", json={"inputs": ["great"]}, headers={name: value})
    assert response.status_code == 400
    assert response.json()["error"]["field"] == name.lower()


def test_a_deadline_that_cannot_be_kept_is_told_at_once(client):
    client.post("/predict/tiny", json={"inputs": ["great"] * 500})  # its pace is known from here
    head = {"X-Deadline-Ms": "0"}
    response = client.post("/predict/tiny", json={"inputs": ["great"]}, headers=head)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    head = {"X-Deadline-Ms": "20000", "X-Priority": "9"}
    assert client.post("/predict/tiny", json={"inputs": ["great"]}, headers=head).is_success


def serve(place, *options, **environment):
    return subprocess.run(
        [Path(sys.executable).parent / "luodi", "serve", "./tiny", "--port", "0", *options],
        cwd=place, capture_output=True, text=True, timeout=60, check=False, env=environment or None,
    )  # fmt: skip


def test_other_machines_need_keys_and_tls(place, tmp_path, monkeypatch):
    monkeypatch.setenv("LUODI_HOME", str(tmp_path))
    refused = serve(place, "--host", EVERYWHERE)
    assert refused.returncode == 2
    assert "luodi keys add" in refused.stderr
    KeyRing(tmp_path).add("web", Rights())
    refused = serve(place, "--host", EVERYWHERE)
    assert refused.returncode == 2
    assert "TLS" in refused.stderr
    refused = serve(place, "--tls-cert", "nothing.pem", "--tls-key", "nothing.pem")
    assert refused.returncode == 2
    assert "nothing.pem" in refused.stderr


def certificate(folder):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem",
         "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def test_tls(place, tmp_path):
    import shutil
    import ssl

    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    certificate(tmp_path)
    files = ("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    with running("./tiny", *files, cwd=place) as document:
        assert document["url"].startswith("https://")
        trust = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        with httpx.Client(base_url=document["url"], verify=trust) as client:
            assert client.post("/predict/tiny", json={"inputs": ["great"]}).is_success
        with pytest.raises(httpx.HTTPError):
            httpx.get(document["url"].replace("https", "http") + "/v2", timeout=5)


def test_keys_that_cannot_be_read_are_told_as_such_and_not_where_they_lie(tmp_path):
    (tmp_path / "registry.db").write_bytes(b"no database " * 1000)
    access = Access(KeyRing(tmp_path))
    with pytest.raises(BusyError) as told:
        access.admit({"x-api-key": "luodi_aaaaaaaa_" + "a" * 43}, "ask", "tiny")
    assert str(tmp_path) not in str(told.value)


def test_the_command(luodi, tmp_path):
    home = {"LUODI_HOME": str(tmp_path)}
    added = luodi("keys", "add", "web shop", "--role", "ask", "--rate", "5", "--json", **home)
    assert added.returncode == 0, added.stderr
    document = json.loads(added.stdout)
    assert KeyRing(tmp_path).match(document["key"]).rights.rate == 5
    listed = luodi("keys", **home).stdout
    assert document["prefix"] in listed
    assert document["key"] not in listed
    assert luodi("keys", "revoke", document["prefix"], **home).returncode == 0
    assert KeyRing(tmp_path).match(document["key"]) is None
    assert luodi("keys", "remove", "x", **home).returncode == 2
    assert luodi("keys", "add", "x", "--role", "root", **home).returncode == 1
