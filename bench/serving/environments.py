"""An environment of its own for each peer, made once."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from luodi.contracts import MissingPartError, say

PEERS = Path(__file__).with_name("peers")


def peer_python(name: str, cache: Path) -> Path:
    """The interpreter of a peer's environment, made when it is not there yet.

    Raises:
        MissingPartError: with pip's own words, when a package cannot be had.
    """
    wanted = PEERS / f"{name}.txt"
    key = hashlib.sha256(f"{sys.version_info[:2]}".encode() + wanted.read_bytes()).hexdigest()[:12]
    folder = cache / f"serving-{name}-{key}"
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.exists():
        return python
    print(f"Making the environment of {name} (once): {folder}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    _client([sys.executable, "-m", "venv", str(folder)], name)
    _client(
        [
            str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--requirement", str(wanted),
        ],
        name,
    )  # fmt: skip
    ready.touch()
    return python


def _client(command: list[str], name: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingPartError(
            say(f"The environment of {name} could not be made.", f"无法建立 {name} 的环境。"),
            "",
            done.stderr.strip()[-1000:],
        )
