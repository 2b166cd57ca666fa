"""What a kill leaves in the store makes way, and what is still wanted stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from luodi.data.store import Manifest, Store

KEY = "0123456789abcdef"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def fetched(store: Store, at: int) -> Path:
    """A fetch's folder, all of it written `at` seconds after what is kept."""
    with store.work(KEY) as folder:
        (folder / "page-1.json").write_text("[]")
    then = (store.root / "collected" / f"{KEY}.json").stat().st_mtime + at
    for path in (folder / "page-1.json", folder):
        os.utime(path, (then, then))
    return folder


def test_what_a_kill_left_behind_what_is_kept_is_removed(store):
    store.keep(KEY, Manifest("api", "2026-01-01T00:00:00Z", []))
    folder = fetched(store, at=-5)
    assert store.find(KEY) is not None
    assert not folder.exists()


def test_a_fetch_that_was_asked_for_anew_stays(store):
    store.keep(KEY, Manifest("api", "2026-01-01T00:00:00Z", []))
    folder = fetched(store, at=5)
    assert store.find(KEY) is not None
    assert (folder / "page-1.json").exists()


def test_one_that_another_process_is_at_stays(store):
    store.keep(KEY, Manifest("api", "2026-01-01T00:00:00Z", []))
    folder = fetched(store, at=-5)
    with store.work(KEY):
        os.utime(folder, (1, 1))
        assert Store(store.root.parent).find(KEY) is not None
    assert folder.exists()
