"""What is written to run elsewhere passes its own field's linters and schemas, and runs."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from tiny_service import environment, luodi, running

from luodi.registry.keys import KeyRing, Rights
from luodi.serving.deployment.docker import image_name
from luodi.serving.settings import ServeSettings

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def over_tls(place):
    """Its manifests, when the pods end TLS."""
    done = luodi("export", "./tiny", "--kubernetes", "--tls", "-o", "tls", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    return place / "tls", json.loads(done.stdout)


@pytest.fixture(scope="module")
def exported(place):
    """The tiny bundle, exported to everything."""
    done = luodi("export", "./tiny", "--docker", "--kubernetes", "--systemd", "-o", "out", "--json",
                 cwd=place, LUODI_HOME=str(place / "home"))  # fmt: skip
    assert done.returncode == 0, done.stderr
    return place / "out", json.loads(done.stdout)


def test_the_dockerfile_passes_hadolint(exported):
    folder, _ = exported
    hadolint = BIN / "hadolint"
    if not hadolint.exists():
        pytest.skip("hadolint is not installed")
    file = folder / "docker" / "Dockerfile"
    done = subprocess.run([hadolint, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    bad = file.with_name("Dockerfile.bad")  # the fault planted: it is seen
    bad.write_text(file.read_text().replace("python:${PYTHON}-slim AS", "python:latest AS"))
    assert subprocess.run([hadolint, bad], capture_output=True, check=False).returncode != 0
    bad.unlink()


def test_the_image_would_run_as_nobody_with_nothing_to_write(exported):
    folder, _ = exported
    text = (folder / "docker" / "Dockerfile").read_text()
    assert "USER 10001:10001" in text
    assert "HEALTHCHECK" in text
    compose = yaml.safe_load((folder / "docker" / "compose.yaml").read_text())
    (service,) = compose["services"].values()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_no_torch_and_every_package_pinned(exported):
    folder, _ = exported
    lines = (folder / "docker" / "requirements.txt").read_text().split()
    names = {line.partition("==")[0] for line in lines}
    assert all("==" in line for line in lines)
    assert {"onnxruntime", "starlette", "uvicorn", "numpy"} <= names
    assert not names & {"torch", "transformers", "scikit-learn", "luodi", "pytest"}


def test_what_is_in_the_build_folder_serves_and_asks_for_a_key(exported, tmp_path):
    folder, _ = exported
    state = tmp_path / "state"
    _, secret = KeyRing(state).add("web", Rights())
    script = "import luodi; print(luodi.__file__)"
    lib = str(folder / "docker" / "lib")
    env = {**os.environ, "PYTHONPATH": lib}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True,
                          check=True)  # fmt: skip
    assert done.stdout.startswith(lib)
    paths = os.pathsep.join([lib, environment()["PYTHONPATH"]])
    with running(str(folder / "docker" / "bundle"), "--keys", cwd=tmp_path, PYTHONPATH=paths,
                 LUODI_HOME=str(state)) as document:  # fmt: skip
        body = {"inputs": ["great"]}
        url = f"{document['url']}/predict/tiny"
        assert httpx.post(url, json=body).status_code == 401
        head = {"Authorization": f"Bearer {secret}"}
        assert httpx.post(url, json=body, headers=head).is_success


def certificate(folder, name="models.example"):
    """A certificate for a name that is not the loopback address'."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here to make a certificate")
    files = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj",
         f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", files[1],
         "-out", files[0]],
        check=True, capture_output=True,
    )  # fmt: skip
    return "--tls-cert", files[0], "--tls-key", files[1]


@pytest.mark.parametrize("tls", [False, True])
def test_the_images_health_check_passes_with_tls_and_without(exported, place, tmp_path, tls):
    """The very command of the Dockerfile, as it stands there, with this Python and this port."""
    folder, _ = exported
    text = (folder / "docker" / "Dockerfile").read_text()
    command = json.loads(text.partition("HEALTHCHECK")[2].partition("CMD ")[2].partition("\n")[0])
    seconds = int(text.partition("--timeout=")[2].partition("s")[0])
    assert command[0] == "/venv/bin/python"
    env = {**os.environ, "PYTHONPATH": str(folder / "docker" / "lib")}

    def check(url):
        words = [word.replace("8000", url.rpartition(":")[2]) for word in command[1:]]
        return subprocess.run([sys.executable, *words], env=env, capture_output=True, text=True,
                              cwd=tmp_path, check=False, timeout=3 * seconds)  # fmt: skip

    with running("./tiny", *(certificate(tmp_path) if tls else ()), cwd=place) as document:
        assert document["url"].startswith("https://" if tls else "http://")
        done = check(document["url"])
        assert done.returncode == 0, done.stderr
    done = check(document["url"])  # it has ended: the check fails, in words
    assert done.returncode != 0
    assert "ready" in done.stderr
    assert "Traceback" not in done.stderr


def documents(folder):
    for file in sorted((folder / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            yield file.name, document


@pytest.mark.parametrize("given", ["exported", "over_tls"])
def test_manifests_fit_kubernetes_own_schemas(given, request):
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    folder, _ = request.getfixturevalue(given)
    kinds = set()
    for file, document in documents(folder):
        if file in ("kserve.yaml", "prometheus.yaml"):
            continue  # of kinds that are not Kubernetes' own
        kubernetes_validate.validate(document, "1.33", strict=True)
        kinds.add(document["kind"])
        broken = {**document, "spec": {**document["spec"], "replicass": 1}}  # the fault planted
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(broken, "1.33", strict=True)
    assert kinds == {"Deployment", "Service", "NetworkPolicy", "PodDisruptionBudget",
                     "HorizontalPodAutoscaler"}  # fmt: skip


def test_pods_that_end_tls_are_asked_over_it(over_tls, exported):
    folder, told = over_tls
    assert any("secret tls tiny-tls" in line for line in told["commands"]["kubernetes"])
    for place, scheme, port in ((folder, "HTTPS", 443), (exported[0], "HTTP", 80)):
        found = dict(documents(place))
        pod = found["deployment.yaml"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness",
                                                                    "liveness")]  # fmt: skip
        assert {probe["scheme"] for probe in probes} == {scheme}
        assert found["service.yaml"]["spec"]["ports"][0]["port"] == port
        # KServe's own gateway ends it.
        (behind,) = found["kserve.yaml"]["spec"]["predictor"]["containers"]
        assert behind["readinessProbe"]["httpGet"]["scheme"] == "HTTP"
        assert "--proxied" in behind["args"]
    args = dict(documents(folder))["deployment.yaml"]["spec"]["template"]["spec"]
    (container,) = args["containers"]
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    secrets = {each["name"]: each.get("secret", {}).get("secretName") for each in args["volumes"]}
    assert secrets["tls"] == "tiny-tls"
    assert container["args"][0] == "--replicated"
    said = dict(zip(container["args"][1::2], container["args"][2::2], strict=True))
    assert said == {"--tls-cert": f"{mounted['tls']}/tls.crt",
                    "--tls-key": f"{mounted['tls']}/tls.key"}  # fmt: skip


def test_tls_is_about_manifests(place):
    done = luodi("export", "./tiny", "--docker", "--tls", "-o", "none", cwd=place)
    assert done.returncode == 2
    assert b"--kubernetes" in done.stderr


def test_every_container_is_held_tight(exported):
    folder, _ = exported
    found = dict(documents(folder))
    pods = [found["deployment.yaml"]["spec"]["template"]["spec"],
            found["kserve.yaml"]["spec"]["predictor"]]  # fmt: skip
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in (*pod["initContainers"], *pod["containers"]):
            held = container["securityContext"]
            assert held["readOnlyRootFilesystem"] is True
            assert held["allowPrivilegeEscalation"] is False
            assert held["capabilities"] == {"drop": ["ALL"]}


def test_what_ends_is_sent_nothing_any_more_before_it_ends(exported):
    folder, _ = exported
    pod = dict(documents(folder))["deployment.yaml"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    command, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    drain = ServeSettings().drain_seconds
    assert 3 <= int(seconds) <= pod["terminationGracePeriodSeconds"] - drain


@pytest.mark.parametrize("given", ["exported", "over_tls"])
def test_the_monitor_is_one_to_prometheus_operator(given, request):
    reason = "the operator's kinds are not installed: pip install 'luodi[dev]'"
    kinds = pytest.importorskip("cloudcoil.models.prometheus_operator", reason=reason)
    folder, _ = request.getfixturevalue(given)
    document = dict(documents(folder))["prometheus.yaml"]

    def as_read(given):
        """What its own kind makes of it: what it does not know is not there."""
        read = kinds.v1.ServiceMonitor.model_validate(given)
        return read.model_dump(mode="json", by_alias=True, exclude_unset=True)

    assert as_read(document) == document
    (endpoint,) = document["spec"]["endpoints"]
    for fault in ({"prt": "http"}, {"authorization": {"kind": "Bearer"}}):
        wrong = {**document, "spec": {**document["spec"], "endpoints": [{**endpoint, **fault}]}}
        assert as_read(wrong) != wrong


@pytest.mark.parametrize("given", ["exported", "over_tls"])
def test_prometheus_gets_the_metrics_as_it_is_told_to(given, request, place, tmp_path):
    """A scrape of a real service by what the manifests and the commands say, word by word."""
    folder, told = request.getfixturevalue(given)
    found = dict(documents(folder))
    monitor, service = found["prometheus.yaml"], found["service.yaml"]
    pods = found["deployment.yaml"]["spec"]["template"]["metadata"]
    assert "annotations" not in pods  # who heeds them comes without a key, and is refused
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert wanted <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    commands = told["commands"]["kubernetes"]
    make = shlex.split(next(line for line in commands if "keys add" in line))
    credentials = endpoint["authorization"]["credentials"]
    assert (f"kubectl create secret generic {credentials['name']} "
            f"--from-literal={credentials['key']}=KEY") in commands  # fmt: skip
    made = luodi(*make[2:], "--json", cwd=tmp_path, LUODI_HOME=str(tmp_path / "state"))
    secret = json.loads(made.stdout)["key"]
    head = {"Authorization": f"{endpoint['authorization']['type']} {secret}"}
    files, trust = (), True
    if "tlsConfig" in endpoint:
        files = certificate(tmp_path, endpoint["tlsConfig"]["serverName"])
        trust = ssl.create_default_context(cafile=files[1])
    with (
        running("./tiny", "--keys", *files, cwd=place,
                LUODI_HOME=str(tmp_path / "state")) as document,
        httpx.Client(verify=trust) as client,
    ):  # fmt: skip
        assert document["url"].startswith(f"{endpoint['scheme']}://")
        name = endpoint.get("tlsConfig", {}).get("serverName", "127.0.0.1")
        more = {"extensions": {"sni_hostname": name}} if files else {}
        url = document["url"] + endpoint["path"]
        answer = client.get(url, headers=head, **more)
        assert answer.status_code == 200
        assert "luodi_model_info" in answer.text
        assert client.get(url, **more).status_code == 401
        asked = client.post(f"{document['url']}/predict/tiny", json={"inputs": ["great"]},
                            headers=head, **more)  # fmt: skip
        assert asked.status_code == 403  # it reads, and asks nothing


CLIENTS = Path.home() / ".cache" / "luodi" / "bench" / "clients" / "bin" / "python"
KSERVE = """
import json, sys
from kserve import V1beta1InferenceService, V1beta1InferenceServiceSpec, V1beta1PredictorSpec
def unknown(document):
    known = [(document, V1beta1InferenceService), (document["spec"], V1beta1InferenceServiceSpec),
             (document["spec"]["predictor"], V1beta1PredictorSpec)]
    return [name for part, kind in known for name in part
            if name not in kind.attribute_map.values()]
print(json.dumps([unknown(document) for document in json.load(sys.stdin)]))
"""


def test_the_inference_service_is_one_to_kserves_own_client(exported):
    if not CLIENTS.exists():
        pytest.skip("KServe's client is not here: make clients")
    folder, _ = exported
    document = dict(documents(folder))["kserve.yaml"]

    both = [document, {**document, "spek": {}}]  # and a fault planted
    done = subprocess.run([CLIENTS, "-c", KSERVE], input=json.dumps(both), text=True,
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    assert json.loads(done.stdout) == [[], ["spek"]]
    assert document["apiVersion"] == "serving.kserve.io/v1beta1"
    assert document["spec"]["predictor"]["containers"][0]["name"] == "kserve-container"


def test_the_unit_is_one_to_systemd(exported):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    folder, _ = exported
    unit = folder / "systemd" / "tiny.service"
    assert " --keys " in unit.read_text()  # as every form that runs elsewhere does
    verify = ["systemd-analyze", "verify", "--man=no"]
    done = subprocess.run([*verify, unit], capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "tiny.service" in line]
    assert done.returncode == 0, said
    assert not said
    bad = unit.with_name("bad.service")
    bad.write_text(unit.read_text().replace("Type=exec", "Type=exce"))
    done = subprocess.run([*verify, bad], capture_output=True, text=True, check=False)
    assert "exce" in done.stdout + done.stderr
    bad.unlink()


def test_a_folder_that_is_there_is_left_alone(exported):
    folder, _ = exported
    before = (folder / "docker" / "Dockerfile").read_text()
    done = luodi("export", "./tiny", "--docker", "-o", "out", cwd=folder.parent)
    assert done.returncode == 2
    assert (folder / "docker" / "Dockerfile").read_text() == before
    assert luodi("export", "./tiny", "-o", "other", cwd=folder.parent).returncode == 2


def test_a_changed_bundle_does_not_travel(place):
    shutil.copytree(place / "tiny", place / "changed")
    victim = next(path for path in (place / "changed" / "model").rglob("*") if path.is_file())
    victim.write_bytes(victim.read_bytes() + b" ")
    done = luodi("export", "./changed", "--docker", "-o", "never", cwd=place)
    assert done.returncode == 1
    assert not (place / "never").exists()


@pytest.mark.parametrize(
    ("model", "image"),
    [("Credit_Score.v2", "credit-score-v2"), ("评论", "model"), ("a" * 80, "a" * 50), ("x-", "x")],
)
def test_names_that_images_may_have(model, image):
    assert image_name(model) == image
