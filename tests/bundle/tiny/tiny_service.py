"""Starts real server processes, for tests."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

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


@dataclass
class Done:
    """How a command ended."""

    returncode: int
    stdout: bytes
    stderr: bytes


def luodi(*arguments, cwd, **more):
    """Run a command to its end, in this process: its words, its files and its exit code."""
    from luodi.cli import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with (
        mock.patch.dict(os.environ, environment(**more)),
        chdir(cwd),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = exit_.code
    for stream in (out, err):
        stream.flush()
    return Done(code, out.buffer.getvalue(), err.buffer.getvalue())


@contextmanager
def running(*arguments, cwd, **more):
    """A service that answers: yields its ready document, with `process` in it."""
    started = time.perf_counter()
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe that nobody reads would fill up
    process = subprocess.Popen(
        [sys.executable, "-m", "luodi", "serve", *map(str, arguments), "--port", "0", "--json"],
        cwd=cwd,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=errors,
    )
    try:
        line = process.stdout.readline()
        if not line.startswith(b'{"url"'):
            raise AssertionError(line + said(errors))
        document = json.loads(line)
        document["process"] = process
        document["said"] = lambda: said(errors)
        document["until_ready"] = time.perf_counter() - started
        yield document
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
        errors.close()


def said(errors):
    """What a service has written to its log so far."""
    errors.seek(0)
    return errors.read()
