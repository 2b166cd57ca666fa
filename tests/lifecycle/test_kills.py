"""Killed at any moment while it collects and prepares, the next run ends with the same rows."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.fetching.conftest import Site
from tests.reviews import make_reviews

PAGES = 12
ROWS = [{"review": text, "sentiment": label} for text, label in make_reviews(360)]
PROJECT = """\
name: shop-reviews
task: text-classification
data:
  source: {{api: "{address}/reviews", pagination: page, rate: 1000}}
  test: official.csv
  allow_private: [127.0.0.1]
  columns: {{text: review, label: sentiment}}
model: {{learner: linear}}
"""
# What a run does before it trains; long files begin at a few bytes, so that one is scanned too.
SCRIPT = """
import json, sys
from luodi.contracts import Quiet
from luodi.data import reading, scan, textstream
from luodi.lifecycle.place import open_check
from luodi.lifecycle.rows import collect, prepare, split
from luodi.project.file import load_project
import luodi.data.clean, luodi.data.fetching.api, luodi.data.split, polars, urllib3

reading.FROM, textstream._BLOCK = 1 << 10, 1 << 12

class Nobody:
    def begin(self, stage): return Quiet()
    def end(self, stage, seconds, reused): pass
    def broken(self, stage, seconds, stopped): pass
    def tell(self, message): pass

print("begin", flush=True)
run = open_check(load_project(), Nobody(), "en")
raw = collect(run)
clean = prepare(run, raw)
cut = split(run, raw, clean)
print(json.dumps(dict(cut.fingerprints)), flush=True)
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    def answer(path: str, _: object):
        time.sleep(0.01)
        page = int(path.rpartition("page=")[2])
        part = ROWS[30 * (page - 1) : 30 * page]
        body = json.dumps(part).encode()
        return 200, {"Content-Type": "application/json"}, body

    server = Site(answer)
    yield server
    server.close()


def project(folder: Path, site: Site) -> Path:
    folder.mkdir()
    (folder / "luodi.yaml").write_text(PROJECT.format(address=site.address))
    rows = "".join(f'"{text}",{label}\n' for text, label in make_reviews(200, seed=11))
    (folder / "official.csv").write_text("review,sentiment\n" + rows)
    return folder


def start(folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"LUODI_HOME": str(folder / "home"), "POLARS_MAX_THREADS": "2"}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT], cwd=folder, stdout=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip
    assert process.stdout
    assert process.stdout.readline() == "begin\n"
    return process


def finish(folder: Path) -> dict[str, str]:
    process = start(folder)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    prints: dict[str, str] = json.loads(out)
    return prints


def killed_at(moments: int, site: Site, tmp_path: Path) -> None:
    whole = project(tmp_path / "whole", site)
    started = time.monotonic()
    process = start(whole)
    started = time.monotonic()
    out, _ = process.communicate(timeout=120)
    span = time.monotonic() - started
    expected = json.loads(out)
    assert {"data", "test", "part:train", "part:valid", "part:test"} <= set(expected)
    chance = random.Random(7)
    struck = 0
    for number in range(moments):
        folder = project(tmp_path / f"k{number}", site)
        process = start(folder)
        time.sleep(chance.uniform(0, span))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        struck += process.returncode == -signal.SIGKILL
        assert finish(folder) == expected, f"kill {number}"
        left = list((folder / "home" / "data").rglob("*.partial"))
        assert left == [], f"kill {number}"
    assert struck >= moments // 2  # the others had just ended


def test_a_few_kills(site: Site, tmp_path: Path) -> None:
    killed_at(4, site, tmp_path)


@pytest.mark.soak
def test_fifty_kills(site: Site, tmp_path: Path) -> None:
    killed_at(50, site, tmp_path)
