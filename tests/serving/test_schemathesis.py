"""Schemathesis makes requests from the service's own OpenAPI document, as every role.

Whatever it sends, there is no 5xx; every answer has a status, a content type and a body that the
document names; what the document forbids is refused, what it allows is taken.
"""

from __future__ import annotations

import functools
import itertools
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest
from tiny_bundle import make_bundle
from tiny_service import running

from luodi.registry import Registry
from luodi.registry.keys import ROLES, KeyRing, Rights
from tests.serving.conftest import MANY
from tests.serving.soaking import either_size, keep, resident

REQUESTS = {
    "short": (80, 4, "examples,fuzzing"),
    "short, of all": (150, 10, "examples,fuzzing"),
    "long": (10_000, 10, "examples,coverage,fuzzing"),
}
"""Requests in each role, at least, examples of each operation in a run, at least, and the phases
that make them. In its short form one role asks as much as finds a fault in reading what is asked;
the others, which meet the same reading, as much as shows what they may."""
GROWTH = 24.0
"""MiB that the service may hold more at the end than after the first of several passes. The first
has requests of 10,000 rows among it, and the allocator keeps what they took; a leak of five
kilobytes a request would be 25 in the rest of the long form."""
CONFIG = Path(__file__).with_name("schemathesis.toml")
MODELS = ("tiny", "many-fields")
EVERYTHING = ((1.0, ()),)
OPERATING = (
    (1.0, ("--exclude-path-regex", "/unload$")), (0.1, ("--include-path-regex", "/(un)?load$"))
)  # fmt: skip
"""Whoever may unload a model would soon have nothing left to ask: that comes last."""
OPEN, NOBODY = "anybody, no keys asked", "nobody, keys asked"

RUNNER = """
import json, os, sys
import schemathesis, schemathesis.cli
info = {"title": "", "version": ""}
schemathesis.openapi.from_dict({"openapi": "3.1.0", "info": info, "paths": {}})  # loads the rest
for line in sys.stdin:
    words, said = json.loads(line)
    if not (child := os.fork()):
        os.chdir(os.path.dirname(said))  # it leaves a folder of its own where it is
        file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1), os.dup2(file, 2)
        sys.argv = ["schemathesis", *words]
        schemathesis.cli.schemathesis()
    os.waitpid(child, 0)
    print("done", flush=True)
"""
"""The command again and again, each time forked from a process that has loaded it."""

pytestmark = pytest.mark.skipif(
    find_spec("schemathesis") is None, reason="schemathesis is not installed: pip install .[dev]"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A place with two registered models and a key for each role."""
    place = tmp_path_factory.mktemp("fuzzed")
    registry = Registry(place / ".luodi")
    for name, more in (("tiny", {}), ("many-fields", {"schema": MANY})):
        folder = place / ".luodi" / "bundles" / name
        make_bundle(folder, name=name, **more)
        registry.add(folder)
    ring = KeyRing(place / ".luodi")
    return place, {role: ring.add(role, Rights((role,)))[1] for role in ROLES}


@pytest.fixture(scope="module")
def guarded(home):
    with running(*MODELS, "--keys", cwd=home[0]) as service:
        yield service


@pytest.fixture(scope="module")
def unguarded(home):
    with running(*MODELS, cwd=home[0]) as service:
        yield service


@pytest.fixture(scope="module")
def schemathesis():
    """Schemathesis' command: one run; what it reports, as JSON, and its words."""
    runner = subprocess.Popen([sys.executable, "-c", RUNNER], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)  # fmt: skip

    def run(document, url, folder, *options, key=""):
        source, report, said = (folder / name for name in ("openapi.json", "report.json", "said"))
        source.write_text(json.dumps(document), "utf-8")
        command = ["--config-file", CONFIG, "--no-color", "run", source, "--url", url]
        command += ["--continue-on-failure", "--no-shrink", "--generation-database", "none"]
        command += ["--suppress-health-check", "all"]  # they measure the machine's haste
        command += ["--report", "json", "--report-json-path", report]
        command += ["--header", f"Authorization: Bearer {key}"] if key else []
        print(json.dumps([[str(word) for word in (*command, *options)], str(said)]),
              file=runner.stdin, flush=True)  # fmt: skip
        assert runner.stdout.readline() == "done\n"
        words = said.read_text("utf-8")
        assert report.is_file(), words[-3000:]
        found = json.loads(report.read_text("utf-8"))
        report.unlink()
        return found, words

    yield run
    runner.communicate()


def ask_on(run, document, much, passes):
    """Yields how many requests have been made, until they are enough; `passes`: which paths each
    pass asks, and its share of them."""
    posts = sum("post" in item for item in document["paths"].values())
    (wanted, fewest, phases), sent = much, 0
    for seed in itertools.count(1):
        left = wanted - sent
        if left <= 0:
            return
        some = ("--seed", seed, "--phases", phases)
        for share, paths in passes:
            # About two requests come of each example, one within the document and one beside it.
            most = ("-n", max(int(left / posts / 2 * share), fewest))
            found, words = run(*some, *most, *paths)
            assert found["failures"] == [], words[-6000:]
            assert found["errors"] == [], words[-6000:]
            assert found["stop_reason"] == "completed"
            sent += found["test_cases"]["generated"]
        yield sent


@either_size
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("role", [OPEN, NOBODY, *ROLES])
def test_every_answer_is_as_the_document_says(home, role, size, schemathesis, tmp_path, request):
    service = request.getfixturevalue("unguarded" if role == OPEN else "guarded")
    url, pid, keys = service["url"], service["process"].pid, home[1]
    head = {} if role == OPEN else {"Authorization": f"Bearer {keys['read']}"}
    document = httpx.get(f"{url}/openapi.json", headers=head).json()
    if size == "short" and role != OPEN:  # one of the two models
        document["paths"] = {p: i for p, i in document["paths"].items() if MODELS[1] not in p}
    held = [resident(pid)]
    passes = OPERATING if role in (OPEN, "operate") else EVERYTHING
    run = functools.partial(schemathesis, document, url, tmp_path, key=keys.get(role, ""))
    much = REQUESTS["short, of all" if size == "short" and role == OPEN else size]
    for asked in ask_on(run, document, much, passes):
        sent = asked
        held.append(resident(pid))
    # Whoever may operate has unloaded the models: here they are again.
    head = {} if role == OPEN else {"Authorization": f"Bearer {keys['operate']}"}
    for name in MODELS:
        loaded = httpx.post(f"{url}/v2/repository/models/{name}/load", headers=head, timeout=30)
        assert loaded.is_success
    assert service["process"].poll() is None
    keep(
        f"Schemathesis: {role}",
        requests=sent,
        failures=0,
        **{"MiB before, and after each pass": ", ".join(f"{each:.1f}" for each in held)},
    )
    assert sent >= much[0]
    assert held[-1] - held[1] < GROWTH


def test_the_check_sees(unguarded, schemathesis, tmp_path):
    """A 500, and an answer that is not as the document says, are both found."""
    url = unguarded["url"]
    document = httpx.get(f"{url}/openapi.json").json()
    asked = document["paths"]["/predict/tiny"]["post"]
    asked["requestBody"]["content"]["application/json"]["example"] = {"inputs": ["boom"]}
    only = ("--include-path-regex", "^/predict/tiny$", "--phases", "examples")
    found, _ = schemathesis(document, url, tmp_path, *only)
    assert "ServerError" in {each["type"] for each in found["failures"]}
    asked["requestBody"]["content"]["application/json"]["example"] = {"inputs": ["great"]}
    answer = asked["responses"]["200"]["content"]["application/json"]["schema"]
    answer["required"] = [*answer["required"], "never there"]
    found, _ = schemathesis(document, url, tmp_path, *only)
    assert "JsonSchemaError" in {each["type"] for each in found["failures"]}
