import sys
from pathlib import Path

import pytest

TINY = str(Path(__file__).parents[1] / "bundle" / "tiny")
if TINY not in sys.path:
    sys.path.insert(0, TINY)

from tiny_bundle import make_bundle  # noqa: E402
from tiny_service import running  # noqa: E402

from luodi.registry import Registry  # noqa: E402


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    place = tmp_path_factory.mktemp("client")
    registry = Registry(place / ".luodi")
    for name, weight in (("tiny", 1.0), ("tiny", 2.0), ("评论", 1.0)):
        folder = place / ".luodi" / "bundles" / f"{name}-{weight}"
        make_bundle(folder, name=name, weights={"great": weight})
        registry.add(folder)
    with running("tiny", cwd=place) as document:
        document["registry"] = registry
        yield document
