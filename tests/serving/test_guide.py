"""docs/guide/serve.md is carried out as it stands."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tiny_bundle import make_bundle
from tiny_service import environment, luodi, running

from luodi.project.schema import ServeSettings
from luodi.registry import Registry

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "serve.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ luodi (.*)$", GUIDE, re.MULTILINE)
CURLS = re.findall(r"^(curl .*)$", GUIDE, re.MULTILINE)
PYTHON = re.findall(r"<!-- python -->\n```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def place(tmp_path):
    registry = Registry(tmp_path / ".luodi")
    for number in (1, 2):
        folder = tmp_path / ".luodi" / "bundles" / str(number)
        make_bundle(folder, name="reviews", weights={"great": float(number), "awful": -1.0})
        registry.add(folder)
    return tmp_path


def test_every_line_of_it_works(place):
    serve, *others = COMMANDS
    assert len(others) == 10
    assert all(command.startswith(("models", "export")) for command in others)
    _, *arguments = shlex.split(serve)
    at = arguments.index("--port")
    del arguments[at : at + 2]  # `running` says it itself
    with running(*arguments, cwd=place) as service:
        assert service["grpc"]
        for curl in CURLS:
            line = shlex.split(curl.replace("URL", service["url"]))
            done = subprocess.run(
                [*line, "--silent", "--show-error", "--fail-with-body", "--noproxy", "*"],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (curl, done.stdout, done.stderr)
        done = subprocess.run(
            [sys.executable, "-c", f"URL = {service['url']!r}\n{PYTHON[0]}"],
            env=environment(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert b"good" in done.stdout
    for command in others:
        done = luodi(*shlex.split(command), cwd=place)
        assert done.returncode == 0, (command, done.stderr)
    done = subprocess.run(
        [sys.executable, "-c", PYTHON[1]],
        cwd=place,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_its_project_file_is_one():
    (block,) = re.findall(r"```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    settings = ServeSettings.model_validate(yaml.safe_load(block)["serve"])
    assert settings.rollback.p99 == pytest.approx(0.5)
    assert settings.traffic.age == 30 * 86_400
