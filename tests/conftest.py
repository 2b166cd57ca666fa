"""What every test may use."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from luodi.contracts import use_language
from tests import forked

# Both would measure the machine's haste, which other tests share.
settings.register_profile("luodi", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("luodi")

_LONGEST = (
    "test_readme", "serving/test_ray", "serving/test_slow_callers", "serving/test_schemathesis",
    "test_byo_guide", "e2e/",
    "lifecycle/", "cli/", "serving/", "solutions/", "tasks/",
)  # fmt: skip
"""Files that take long, the longest first: each is one worker's, and none should be left with one
at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; within a file as they stand."""
    root = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(root).as_posix()
        return next((n for n, start in enumerate(_LONGEST) if name.startswith(start)), 99)

    items.sort(key=place)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tests read English unless they ask for Chinese."""
    monkeypatch.setenv("LUODI_LANGUAGE", "en")
    use_language(None)
    yield
    use_language(None)


@pytest.fixture
def luodi() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call the command line in a process of its own."""
    return forked.call
