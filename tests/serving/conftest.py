import sys
from pathlib import Path

import pytest

TINY = str(Path(__file__).parents[1] / "bundle" / "tiny")
if TINY not in sys.path:
    sys.path.insert(0, TINY)

from tiny_bundle import make_bundle  # noqa: E402
from tiny_service import running  # noqa: E402

from luodi.contracts import Field, Schema  # noqa: E402

MANY = Schema(
    request=(
        Field("text", "text", example="fine"),
        Field("amount", "number", required=False, example=1.5),
        Field("member", "boolean", required=False, example=True),
        Field("city", "category", required=False, categories=("上海", "北京"), example="上海"),
    ),
    answer=(
        Field("label", "category", categories=("bad", "good")),
        Field("probabilities", "scores", categories=("bad", "good")),
    ),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with three bundles: tiny, another version of it, and one of many fields."""
    place = tmp_path_factory.mktemp("service")
    make_bundle(place / "tiny")
    make_bundle(place / "tiny-2", weights={"great": -3.0})
    make_bundle(place / "many", name="many-fields", schema=MANY)
    return place


@pytest.fixture(scope="module")
def service(place):
    """A running service of the three bundles; its process must outlive every test."""
    with running("./tiny", "./tiny-2", "./many", cwd=place) as document:
        yield document
        assert document["process"].poll() is None


@pytest.fixture
def client(service):
    import httpx

    with httpx.Client(base_url=service["url"], timeout=30) as client:
        yield client
