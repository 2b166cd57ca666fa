"""Killed at any moment while it collects and prepares, the next run ends with the same rows."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from tests import forked
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


def prepare_rows(folder: Path, told: Connection) -> None:
    """What a run does before it trains, in a process of its own: "begin", then the fingerprints.

    Long files begin at a few bytes, so that one is scanned too.
    """
    from luodi.contracts import Quiet
    from luodi.data import reading, textstream
    from luodi.lifecycle.place import open_check
    from luodi.lifecycle.rows import collect, prepare, split
    from luodi.project.file import load_project

    class Nobody:
        def begin(self, stage: str) -> Quiet:
            return Quiet()

        def end(self, stage: str, seconds: float, reused: bool) -> None: ...
        def broken(self, stage: str, seconds: float, stopped: bool) -> None: ...
        def tell(self, message: str) -> None: ...

    os.chdir(folder)
    os.environ["LUODI_HOME"] = str(folder / "home")
    reading.FROM, textstream._BLOCK = 1 << 10, 1 << 12
    told.send("begin")
    run = open_check(load_project(), Nobody(), "en")
    raw = collect(run)
    cut = split(run, raw, prepare(run, raw))
    told.send(dict(cut.fingerprints))


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


def start(folder: Path) -> tuple[BaseProcess, Connection]:
    """A process that prepares the rows of `folder`, at the moment when it begins."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = forked.begin(prepare_rows, folder, there)
    there.close()
    assert here.recv() == "begin"
    return process, here


def finish(folder: Path) -> dict[str, str]:
    process, told = start(folder)
    prints: dict[str, str] = told.recv()
    process.join(120)
    assert process.exitcode == 0
    return prints


def killed_at(moments: int, site: Site, tmp_path: Path) -> None:
    process, told = start(project(tmp_path / "whole", site))
    started = time.monotonic()
    expected = told.recv()
    process.join(120)
    span = time.monotonic() - started
    assert {"data", "test", "part:train", "part:valid", "part:test"} <= set(expected)
    chance = random.Random(7)
    struck = 0
    for number in range(moments):
        folder = project(tmp_path / f"k{number}", site)
        process, _ = start(folder)
        time.sleep(chance.uniform(0, span))
        process.kill()
        process.join()
        struck += process.exitcode == -signal.SIGKILL
        assert finish(folder) == expected, f"kill {number}"
        left = list((folder / "home" / "data").rglob("*.partial"))
        assert left == [], f"kill {number}"
    assert struck >= moments // 2  # the others had just ended


def test_a_few_kills(site: Site, tmp_path: Path) -> None:
    killed_at(3, site, tmp_path)


@pytest.mark.soak
def test_fifty_kills(site: Site, tmp_path: Path) -> None:
    killed_at(50, site, tmp_path)
