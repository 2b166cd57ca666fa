import json
import signal
import sys
from pathlib import Path

import httpx
import pytest

TINY = str(Path(__file__).parents[1] / "bundle" / "tiny")
if TINY not in sys.path:
    sys.path.insert(0, TINY)

from tiny_bundle import make_bundle  # noqa: E402
from tiny_service import luodi, running  # noqa: E402

from luodi.registry import REFUSED, Registry  # noqa: E402


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("serve")
    registry = Registry(tmp_path / ".luodi")
    for name, weight, verdict in (
        ("tiny", 1.0, "passed"),
        ("tiny", 2.0, "passed"),
        ("tiny", 3.0, REFUSED),
        ("other", 1.0, "passed"),
        ("bad", 1.0, REFUSED),
    ):
        folder = tmp_path / ".luodi" / "bundles" / f"{name}-{weight}"
        make_bundle(folder, name=name, weights={"great": weight})
        registry.add(folder, run=str(weight), verdict=verdict)
    return tmp_path


def by_run(place):
    versions = Registry(place / ".luodi").versions("tiny")
    return {row.run: row.version for row in versions}


def test_without_a_name_the_newest_passed_version_of_every_model(place):
    with running(cwd=place) as service:
        served = {model["name"]: model["version"] for model in service["models"]}
        assert served.keys() == {"tiny", "other"}
        assert served["tiny"] == by_run(place)["2.0"]
        answer = httpx.post(f"{service['url']}/predict/tiny", json={"inputs": ["great"]}).json()
        assert answer["version"] == served["tiny"]
        service["process"].send_signal(signal.SIGTERM)
        assert service["process"].wait(20) == 0
        assert service["process"].stdout.read() == b""  # one document, and nothing after it


def test_an_alias_names_the_version(place):
    old = by_run(place)["1.0"]
    Registry(place / ".luodi").set_alias("tiny", old, "production")
    with running("tiny@production", cwd=place) as service:
        assert [model["version"] for model in service["models"]] == [old]


def test_people_are_told_where_to_look(place):
    import subprocess

    from tiny_service import environment

    with subprocess.Popen(
        [sys.executable, "-m", "luodi", "serve", "tiny", "--port", "0"],
        cwd=place,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        lines = [process.stdout.readline(), process.stdout.readline()]
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "/predict/tiny" in lines[0]
    assert "/docs" in lines[1]
    assert "Stopped" in rest


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["none"], 1),
        (["bad"], 1),
        (["tiny@staging"], 1),
        (["--host", "0.0.0.0"], 2),  # noqa: S104 - it must be refused
        (["--port", "70000"], 2),
        (["--port", "x"], 2),
    ],
)
def test_wrong_words(place, arguments, code):
    done = luodi("serve", *arguments, "--json", cwd=place)
    assert done.returncode == code, done.stdout
    assert json.loads(done.stdout)["error"]["message"]
    assert b"Traceback" not in done.stderr


def test_nothing_to_serve(tmp_path):
    done = luodi("serve", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "luodi run" in json.loads(done.stdout)["error"]["message"]
    assert not list(tmp_path.iterdir())
