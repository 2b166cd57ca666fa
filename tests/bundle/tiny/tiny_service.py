"""Starts real server processes, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

TINY = str(Path(__file__).parent)


def environment(**more):
    """What a child process needs to find the tiny task, and to speak English."""
    paths = [TINY, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "LUODI_LANGUAGE": "en",
        **more,
    }


def luodi(*arguments, cwd, **more):
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "luodi", *map(str, arguments)],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running(*arguments, cwd, **more):
    """A service that answers: yields its ready document, with `process` in it."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "luodi", "serve", *map(str, arguments), "--port", "0", "--json"],
        cwd=cwd,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        line = process.stdout.readline()
        if not line.startswith(b'{"url"'):
            raise AssertionError(line + process.stderr.read())
        document = json.loads(line)
        document["process"] = process
        document["until_ready"] = time.perf_counter() - started
        yield document
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
