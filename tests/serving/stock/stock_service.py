"""Starts it under stock uvicorn."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

FOLDER = Path(__file__).parent


@contextmanager
def stock():
    """A running server: its `url` and `process`, as those of a service of ours."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe that nobody reads would fill up
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "stock_app:app", "--port", str(port), "--no-access-log"],
        cwd=FOLDER, env=os.environ, stdout=said, stderr=said,
    )  # fmt: skip
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + 60
    try:
        while True:
            with suppress(httpx.TransportError):
                httpx.get(f"{url}/v2")
                break
            assert process.poll() is None
            assert time.monotonic() < end, "stock uvicorn does not answer"
            time.sleep(0.1)
        yield {"url": url, "process": process}
    finally:
        process.kill()
        process.wait()
        said.close()
