import json
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest
from tiny_service import luodi, running

from luodi.contracts import LuodiError, UsageError
from luodi.serving.server import listening_socket
from luodi.serving.settings import ServeSettings

HEAVY = ("torch", "transformers", "sklearn", "scipy", "onnx", "onnxscript", "polars", "pandas")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A bundle of the built-in linear learner, trained on sentences that it can learn."""
    import polars as pl

    from luodi.bundle import BundleFacts, write_bundle
    from luodi.contracts import ROW, Dataset, FitSettings, Quiet, Role
    from luodi.data.preparation import Preparation
    from luodi.tasks import find_task

    place = tmp_path_factory.mktemp("real")
    texts = [f"第{n}次来,服务{'很好' if n % 2 else '太差'},room {n % 7}" for n in range(120)]
    labels = ["pos" if n % 2 else "neg" for n in range(120)]
    table = pl.DataFrame({"review": texts, "label": labels}).with_row_index(ROW)
    data = Dataset(table, {Role.TEXT: ("review",), Role.LABEL: ("label",)})
    task = find_task("text-classification")
    learner, schema = task.learners["linear"], task.schema(data)
    settings = FitSettings(schema=schema, metric=task.metrics[0], folder=place / "scratch")
    settings.folder.mkdir()
    (place / "exported").mkdir()
    learner.fit(data, data, settings, Quiet()).export(place / "exported")
    requests = task.requests(data, schema)[:20]
    predictor = learner.predictor.load(place / "exported", 1)
    write_bundle(
        place / "bundle",
        exported=place / "exported",
        facts=BundleFacts("reviews", "text-classification", "linear", learner.version, {}),
        schema=schema,
        golden=list(zip(requests, predictor.predict(requests), strict=True)),
        preparation=Preparation(),
    )
    return place


def test_a_real_bundle_verifies_exactly_and_answers_by_its_columns_name(real):
    from luodi.bundle import open_predictor, verify

    seen = verify(real / "bundle")
    assert (seen.ok, seen.golden_checked, seen.max_difference) == (True, 20, 0.0)
    answers = open_predictor(real / "bundle").predict(["服务很好", {"review": "服务太差"}])
    assert [answer["label"] for answer in answers] == ["pos", "neg"]


def test_a_serving_process_loads_no_trainer(real):
    """Asked of the kernel: what the process has mapped, and what it says it imported."""
    with running("./bundle", cwd=real, PYTHONPROFILEIMPORTTIME="1") as service:
        process = service["process"]
        answer = httpx.post(f"{service['url']}/predict/reviews", json={"inputs": ["服务很好"]})
        assert answer.json()["outputs"][0]["label"] == "pos"
        mapped = Path(f"/proc/{process.pid}/maps").read_text()
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        said = service["said"]()
    imported = {line.rpartition(b"|")[2].strip().decode() for line in said.splitlines()}
    assert {"starlette.applications", "numpy"} <= imported  # the list is a real one
    for name in HEAVY:
        assert f"site-packages/{name}/" not in mapped
        assert not any(each == name or each.startswith(f"{name}.") for each in imported), name


def test_the_port_answers_in_time(place):
    with running("./tiny", cwd=place) as service:
        answer = httpx.post(f"{service['url']}/predict/tiny", json={"inputs": ["a"]})
        assert answer.status_code == 200
        # Two seconds on a quiet machine; tests share theirs.
        assert service["until_ready"] < 10


def test_sigterm_answers_what_was_begun_and_ends_with_success(place):
    answers = []

    def ask(url):
        body = {"inputs": ["slow"] * 10}
        answers.append(httpx.post(f"{url}/predict/tiny", json=body, timeout=30).status_code)

    with running("./tiny", cwd=place) as service:
        callers = [threading.Thread(target=ask, args=(service["url"],)) for _ in range(3)]
        for caller in callers:
            caller.start()
        time.sleep(0.5)
        service["process"].send_signal(signal.SIGTERM)
        for caller in callers:
            caller.join(30)
        assert service["process"].wait(20) == 0
    assert answers == [200] * 3


def test_ctrl_c_ends_with_success(place):
    with running("./tiny", cwd=place) as service:
        service["process"].send_signal(signal.SIGINT)
        assert service["process"].wait(20) == 0


def test_health_answers_while_a_model_works(place):
    with running("./tiny", cwd=place) as service:
        body = {"inputs": ["slow"] * 20}
        work = threading.Thread(
            target=lambda: httpx.post(f"{service['url']}/predict/tiny", json=body, timeout=30)
        )
        work.start()
        time.sleep(0.2)
        started = time.perf_counter()
        httpx.get(f"{service['url']}/v2/health/live").raise_for_status()
        assert time.perf_counter() - started < 1.0
        work.join()


def test_a_changed_bundle_is_not_served(place, tmp_path):
    import shutil

    shutil.copytree(place / "tiny", tmp_path / "tiny")
    path = tmp_path / "tiny" / "model" / "weights.json"
    path.write_bytes(path.read_bytes().replace(b"2.0", b"2.1"))
    done = luodi("serve", "./tiny", "--port", "0", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "weights.json" in json.loads(done.stdout)["error"]["message"]


def test_a_taken_port_is_told(place):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = luodi("serve", "./tiny", "--port", port, cwd=place)
    assert done.returncode == 1
    assert f"Port {port} is taken".encode() in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104
def test_other_machines_are_kept_out(host):
    with pytest.raises(UsageError, match="--insecure"):
        listening_socket(ServeSettings(host=host, port=0))


def test_insecure_listens_for_all():
    with listening_socket(ServeSettings(host="0.0.0.0", port=0, insecure=True)) as bound:  # noqa: S104
        assert bound.getsockname()[1] > 0


@pytest.mark.parametrize(("host", "port"), [("no such host", 0), ("127.0.0.1", 70_000)])
def test_no_address(host, port):
    with pytest.raises(UsageError):
        listening_socket(ServeSettings(host=host, port=port))


def test_an_address_of_another_machine_cannot_be_had():
    with pytest.raises(LuodiError, match="cannot be listened on"):
        listening_socket(ServeSettings(host="192.0.2.1", port=0, insecure=True))
