import json
import sys
from pathlib import Path

import pytest

TINY = str(Path(__file__).parents[1] / "bundle" / "tiny")
if TINY not in sys.path:
    sys.path.insert(0, TINY)

from tiny_bundle import make_bundle  # noqa: E402
from tiny_service import luodi  # noqa: E402

from luodi.registry import Registry  # noqa: E402


@pytest.fixture
def place(tmp_path):
    make_bundle(tmp_path / ".luodi" / "bundle")
    Registry(tmp_path / ".luodi").add(tmp_path / ".luodi" / "bundle")
    return tmp_path


def test_a_sound_bundle_by_path_and_by_name(place):
    for bundle in (".luodi/bundle", "tiny"):
        done = luodi("verify", bundle, cwd=place)
        assert done.returncode == 0, done.stderr
        assert b"6 golden answers" in done.stdout
    document = json.loads(luodi("verify", "tiny", "--json", cwd=place).stdout)
    assert (document["ok"], document["golden_checked"]) == (True, 6)
    assert document["max_difference"] == 0.0


def test_a_changed_bundle_fails_with_1_and_names_the_file(place):
    path = place / ".luodi" / "bundle" / "model" / "weights.json"
    path.write_bytes(path.read_bytes().replace(b"2.0", b"2.1"))
    done = luodi("verify", "tiny", cwd=place)
    assert done.returncode == 1
    assert b"BAD model/weights.json" in done.stdout
    assert b"REFUSED" in done.stdout
    done = luodi("verify", "tiny", "--json", cwd=place)
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert not document["ok"]
    assert "weights.json" in document["problems"][0]


def test_a_bundle_that_was_exchanged_whole_is_found_by_name(place):
    """The registry knows the digest: another sound bundle in the same place is not the one."""
    import shutil

    shutil.rmtree(place / ".luodi" / "bundle")
    make_bundle(place / ".luodi" / "bundle", weights={"great": 9.0})
    assert luodi("verify", ".luodi/bundle", cwd=place).returncode == 0
    assert luodi("verify", "tiny", cwd=place).returncode == 1


def test_what_is_no_bundle_is_told_in_words(place):
    (place / "empty").mkdir()
    for bundle in ("empty", "./none", "nobody"):
        done = luodi("verify", bundle, "--json", cwd=place)
        assert done.returncode == 1
        assert json.loads(done.stdout)
        assert b"Traceback" not in done.stderr


def test_a_folder_that_only_has_the_models_name_is_not_meant(place):
    (place / "tiny").mkdir()
    assert luodi("verify", "tiny", cwd=place).returncode == 0
    assert luodi("verify", "./tiny", cwd=place).returncode == 1


def test_chinese_is_spoken(place):
    done = luodi("verify", "tiny", cwd=place, LUODI_LANGUAGE="zh")
    assert "完好" in done.stdout.decode()
