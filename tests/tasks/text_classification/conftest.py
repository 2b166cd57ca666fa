"""What tests of encoders share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tiny_base import make_tiny_base


@pytest.fixture(scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that this user's fits have fetched; what the processor is good at is measured once
    for all tests, which takes seconds where it is not good at it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUODI_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with an encoder made on the spot."""
    return str(make_tiny_base(tmp_path_factory.mktemp("base") / "tiny"))
