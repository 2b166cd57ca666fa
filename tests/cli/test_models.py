import json
import sqlite3
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
    registry = Registry(tmp_path / ".luodi")
    for number in (1, 2):
        folder = tmp_path / ".luodi" / "bundles" / str(number)
        make_bundle(folder, weights={"great": float(number)})
        registry.add(folder, run=f"r{number}", metrics={"accuracy": {"value": 0.9}})
    return tmp_path


def models(place, *arguments):
    done = luodi("models", *arguments, "--json", cwd=place)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)["models"]


def test_versions_are_listed_the_newest_first(place):
    rows = models(place)
    assert [row["run"] for row in rows] == ["r2", "r1"]
    assert rows[0]["metrics"] == {"accuracy": {"value": 0.9}}
    assert models(place, "tiny") == rows
    shown = luodi("models", cwd=place).stdout.decode()
    assert rows[0]["version"] in shown
    assert "accuracy 0.9" in shown


def test_an_alias_is_set_and_moved(place):
    new, old = models(place)
    rows = models(place, "alias", f"tiny:{old['version']}", "production")
    assert [row["aliases"] for row in rows] == [[], ["production"]]
    rows = models(place, "alias", "tiny", "production")
    assert [row["aliases"] for row in rows] == [["production"], []]
    assert new["version"] == rows[0]["version"]


def test_the_folder_of_the_project_can_be_given(place, tmp_path_factory):
    assert models(tmp_path_factory.mktemp("else"), "--project", str(place)) == models(place)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["tinny"], 1),
        (["alias", "tiny"], 2),
        (["alias", "tiny:ffffff", "production"], 1),
        (["alias", "tiny", "No Such"], 1),
        (["a", "b"], 2),
        (["--nope"], 2),
    ],
)
def test_wrong_words(place, arguments, code):
    done = luodi("models", *arguments, "--json", cwd=place)
    assert done.returncode == code
    assert json.loads(done.stdout)["error"]["message"]


def test_no_models_is_no_error(tmp_path):
    assert models(tmp_path) == []
    assert b"No model is registered" in luodi("models", cwd=tmp_path).stdout
    assert not list(tmp_path.iterdir())


def test_a_registry_that_was_tampered_with_is_told(place):
    connection = sqlite3.connect(place / ".luodi" / "registry.db")
    connection.execute("DROP TRIGGER versions_no_update")
    connection.execute("UPDATE versions SET metrics = '{\"accuracy\": 1.0}'")
    connection.commit()
    connection.close()
    done = luodi("models", cwd=place)
    assert done.returncode == 1
    assert b"changed from outside" in done.stderr
