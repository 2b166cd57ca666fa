"""Triton's and KServe's own clients, unchanged, in an environment of their own.

`make clients` makes it: they need another protobuf than Luodi is tested with, and KServe's brings
Kubernetes' client along. LUODI_CLIENTS names another place for it.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tiny_service import running

from luodi.bundle import read_manifest, version_of

HERE = Path(__file__).parent
PYTHON = Path(
    os.environ.get("LUODI_CLIENTS") or Path.home() / ".cache/luodi/bench/clients/bin/python"
)


@pytest.fixture
def service(place):
    pytest.importorskip("grpc", reason="gRPC is not installed: pip install 'luodi[grpc]'")
    with running("./tiny", "./many", "--grpc-port", "0", cwd=place) as document:
        document["version"] = version_of(read_manifest(place / "tiny")[1])
        yield document


def call(script, needs, *arguments):
    if not PYTHON.exists():
        pytest.skip(f"there is no {PYTHON}: make clients")
    known = subprocess.run([PYTHON, "-c", f"import {needs}"], capture_output=True, check=False)
    if known.returncode:
        pytest.skip(f"{PYTHON} has no {needs}")
    done = subprocess.run(
        [PYTHON, HERE / "clients" / script, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1])["done"]


def test_tritons_http_client(service):
    url = service["url"].removeprefix("http://")
    call("triton_http.py", "tritonclient.http", url, service["version"])


def test_tritons_grpc_client(service):
    call("triton_grpc.py", "tritonclient.grpc", service["grpc"], service["version"])


def test_kserves_clients(service):
    url = service["url"].removeprefix("http://")
    call("kserve_both.py", "kserve", url, service["grpc"], service["version"])
