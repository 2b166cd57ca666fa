import sys
from pathlib import Path

import pytest

TINY = str(Path(__file__).parents[1] / "bundle" / "tiny")
if TINY not in sys.path:
    sys.path.insert(0, TINY)

from tiny_bundle import make_bundle  # noqa: E402


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def make(home):
    """make(name, weight) -> the folder of a bundle in the home folder."""

    def bundle(name: str = "tiny", weight: float = 2.0) -> Path:
        folder = home / "runs" / f"{name}-{weight}" / "bundle"
        make_bundle(folder, name=name, weights={"great": weight})
        return folder

    return bundle
