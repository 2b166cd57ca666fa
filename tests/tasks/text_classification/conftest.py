"""What tests of encoders share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny_base import make_tiny_base


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that another fit has measured or fetched."""
    monkeypatch.setenv("LUODI_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with an encoder made on the spot."""
    return str(make_tiny_base(tmp_path_factory.mktemp("base") / "tiny"))
