"""What `luodi export --ray` writes is valid to Ray, and answers on a real one that loses a replica.

Skipped where Ray is not installed.
"""

from __future__ import annotations

import concurrent.futures
import copy
import importlib.util
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import yaml
from tiny_service import environment, luodi

from luodi.bundle.verification import compare_answers, read_golden
from luodi.contracts import MissingPartError, UsageError
from luodi.registry.keys import KeyRing, Rights
from luodi.serving.ray import application

LOG = logging.getLogger(__name__)
SERVE = Path(sys.executable).parent / "serve"
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None or not SERVE.exists(),
    reason="Ray Serve is not installed: pip install 'luodi[ray]'",
)
VALID = """
import json, sys
from pydantic import ValidationError
from ray.serve.config import AutoscalingConfig
from ray.serve.schema import ServeDeploySchema
def told(document):
    try:
        found = ServeDeploySchema.model_validate(document)
        for application in found.applications:  # to the schema, any dict is one
            for each in application.deployments:
                AutoscalingConfig.model_validate(each.autoscaling_config)
    except ValidationError as error:
        return str(error)
    return "valid"
print(json.dumps([told(document) for document in json.load(sys.stdin)]))
"""


@pytest.fixture(scope="module")
def exported(place):
    """The tiny bundle, exported for Ray."""
    done = luodi("export", "./tiny", "--ray", "-o", "for ray", "--json", cwd=place,
                 LUODI_HOME=str(place / "home"))  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["commands"]["ray"]
    return place / "for ray" / "ray"


@needs_ray
@pytest.mark.usefixtures("starting")  # it starts while this and the next ones are tested
def test_the_configuration_is_one_to_ray(exported):
    document = yaml.safe_load((exported / "serve.yaml").read_text())
    faulty = copy.deepcopy(document)
    scaling = faulty["applications"][0]["deployments"][0]["autoscaling_config"]
    scaling["max_replicas"] = 1  # the fault planted: fewer at most than at least
    done = subprocess.run([sys.executable, "-c", VALID], input=json.dumps([document, faulty]),
                          text=True, capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    good, bad = json.loads(done.stdout)
    assert good == "valid"
    assert "max_replicas" in bad


def test_every_package_is_pinned_and_torch_is_none_of_them(exported):
    lines = (exported / "requirements.txt").read_text().split()
    names = {line.partition("==")[0].partition(">=")[0] for line in lines}
    assert {"ray[serve]", "onnxruntime", "starlette"} <= names
    assert not names & {"torch", "transformers", "scikit-learn", "luodi"}


def test_wrong_arguments_are_told_before_anything_starts():
    with pytest.raises(UsageError, match="bundel"):
        application({"bundel": "bundle"})


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_it_is_told_how_to_get_it():
    with pytest.raises(MissingPartError, match="ray"):
        application({})


def test_neither_luodi_nor_a_service_imports_ray():
    script = "import sys, luodi.serving.ray, luodi.serving.http; print('ray' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "False"


def free_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def processes(mark):
    """Ids of all processes whose environment holds `mark`."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def replicas(mark):
    """Ids of the replicas: Ray names its workers by what they do."""
    found = []
    for pid in processes(mark):
        with suppress(OSError):
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"ray::ServeReplica"):
                found.append(pid)
    return found


def until(what, seconds=90.0):
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def starting(exported):
    """The exported folder, on a Ray of its own that takes its time to start: its process, url, key,
    and the mark of its processes."""
    _, secret = KeyRing(exported / "state").add("web", Rights())
    document = yaml.safe_load((exported / "serve.yaml").read_text())
    document["http_options"]["port"] = port = free_port()
    (deployment,) = document["applications"][0]["deployments"]
    deployment["ray_actor_options"]["num_cpus"] = 0.1  # a machine of one core runs this too
    deployment["health_check_period_s"] = 1
    (exported / "here.yaml").write_text(yaml.safe_dump(document))
    scratch = tempfile.mkdtemp(prefix="ray-")  # short: sockets have short names
    mark = f"LUODI_TEST_OF_RAY={scratch}"
    env = environment(RAY_TMPDIR=scratch, RAY_USAGE_STATS_ENABLED="0",
                      LUODI_TEST_OF_RAY=scratch, RAY_SERVE_LOG_TO_STDERR="0")  # fmt: skip
    env.pop("RAY_ADDRESS", None)
    with (exported / "log").open("wb") as log:
        process = subprocess.Popen([SERVE, "run", "here.yaml"], cwd=exported, env=env, stdout=log,
                                   stderr=log)  # fmt: skip
    try:
        yield process, f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {secret}"}, mark
    finally:
        while pids := processes(mark):  # how Ray itself ends takes seconds, and is not ours
            for pid in pids:
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            process.poll()  # collects its end
        process.wait()
        shutil.rmtree(scratch, ignore_errors=True)


@pytest.fixture(scope="module")
def deployed(exported, starting):
    """The same, once it answers: url, key, and the mark of its processes."""
    process, url, key, mark = starting

    def ready():
        assert process.poll() is None, (exported / "log").read_text()[-3000:]
        with suppress(httpx.HTTPError):
            return httpx.get(f"{url}/v2/health/ready").is_success
        return False

    until(ready, 240)  # seconds on a quiet machine; Ray starts a dozen processes
    return url, key, mark


def ask(client, request):
    """One answer, and how often it was asked in vain: at most once more, after a second.

    Ray's own proxy goes on sending to a replica that died until it has noticed, which takes a slow
    machine half a second. An answer takes a while, so that a replica that is killed was answering;
    it is the same.
    """
    slow = {"text": f"slow {request['text']}"}
    for tries in (0, 1):
        with suppress(httpx.HTTPError):
            told = client.post("/predict/tiny", json={"inputs": [slow]})
            if told.is_success:
                return told.json()["outputs"][0], tries
        time.sleep(1.0)
    return None, 2


@needs_ray
def test_the_replicas_answer_as_the_bundle_did(exported, deployed):
    url, key, mark = deployed
    golden = read_golden(exported / "bundle")
    requests = [request for request, _ in golden]
    assert httpx.post(f"{url}/predict/tiny", json={"inputs": requests}).status_code == 401
    with httpx.Client(base_url=url, headers=key, timeout=30) as client:
        answers = client.post("/predict/tiny", json={"inputs": requests}).json()["outputs"]
        assert compare_answers([answer for _, answer in golden], answers, 1e-9)[1] == ""
        tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["great"]}
        told = client.post("/v2/models/tiny/infer", json={"inputs": [tensor]}).json()
        assert told["outputs"][0]["data"] == ["good"]
        assert client.get("/v2/models/tiny").json()["name"] == "tiny"
    there = until(lambda: len(found := replicas(mark)) == 2 and found)
    for pid in there:
        assert "torch" not in Path(f"/proc/{pid}/maps").read_text()
        assert "onnxruntime" not in Path(f"/proc/{pid}/maps").read_text()  # no model needs it here


@needs_ray
def test_a_replica_that_is_killed_under_load_costs_no_answer(exported, deployed):
    url, key, mark = deployed
    golden = read_golden(exported / "bundle")
    before = until(lambda: len(found := replicas(mark)) == 2 and found)
    stop, going = threading.Event(), []

    def caller(number):
        counts = {"asked": 0, "again": 0, "failed": 0, "wrong": 0}
        with httpx.Client(base_url=url, headers=key, timeout=30) as client:
            while not stop.is_set():
                request, expected = golden[(number + counts["asked"]) % len(golden)]
                answer, tries = ask(client, request)
                going.append(number)
                counts["asked"] += 1
                counts["again"] += tries > 0
                if answer is None:
                    counts["failed"] += 1
                else:
                    counts["wrong"] += compare_answers([expected], [answer], 1e-9)[1] != ""
        return counts

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        callers = [pool.submit(caller, number) for number in range(8)]
        try:
            until(lambda: len(going) > 40)  # both are at work
            os.kill(before[0], signal.SIGKILL)
            until(lambda: len(now := replicas(mark)) == 2 and before[0] not in now)
            time.sleep(0.5)
        finally:
            stop.set()
    counts = [each.result() for each in callers]
    total = {name: sum(each[name] for each in counts) for name in counts[0]}
    LOG.info("a replica was killed under load: %s", total)
    assert total["asked"] > 20
    assert total["again"], "the one that was killed had nothing to do"
    assert total["failed"] == 0, total
    assert total["wrong"] == 0, total
