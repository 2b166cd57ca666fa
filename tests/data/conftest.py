"""Tests of this room keep what they collect to themselves."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own: one above the test's folder would be shared."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("LUODI_HOME", str(home))
    return home
