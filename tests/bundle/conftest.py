import sys
from pathlib import Path

import pytest

TINY = str(Path(__file__).with_name("tiny"))
if TINY not in sys.path:
    sys.path.insert(0, TINY)

from tiny_bundle import make_bundle  # noqa: E402


@pytest.fixture
def bundle(tmp_path):
    """A bundle with an evaluation, and nothing else in its folder's parent but what made it."""
    from luodi.bundle import attach_evaluation

    folder = tmp_path / "bundle"
    make_bundle(folder)
    attach_evaluation(folder, {"report.html": b"<p>0.9</p>", "deep/result.json": b"{}\n"})
    return folder
