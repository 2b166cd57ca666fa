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


def test_promote_and_rollback(place):
    new, old = models(place)
    assert models(place, "promote", f"tiny:{old['version']}")[1]["aliases"] == ["production"]
    assert models(place, "promote", "tiny")[0]["aliases"] == ["production"]
    done = luodi("models", "rollback", "tiny", "--json", cwd=place)
    document = json.loads(done.stdout)
    assert document["rolled_back"] == {
        "model": "tiny",
        "from": new["version"],
        "to": old["version"],
    }
    assert [row["aliases"] for row in document["models"]] == [[], ["production"]]


def test_a_refused_version_is_not_promoted(place):
    folder = place / ".luodi" / "bundles" / "bad"
    make_bundle(folder, weights={"great": 9.0})
    bad = Registry(place / ".luodi").add(folder, verdict="refused")
    done = luodi("models", "promote", f"tiny:{bad.version}", cwd=place)
    assert done.returncode == 1
    assert b"gate refused" in done.stderr


def route(place, *arguments):
    done = luodi("models", "route", "tiny", *arguments, "--json", cwd=place)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)


def test_a_route_is_shown_and_changed(place):
    new, old = (row["version"] for row in models(place))
    assert route(place)["route"]["challengers"] == []
    canary = ("--canary", old, "--percent", "10", "--header", "X-Beta: yes")
    shown = route(place, *canary, "--sticky", "X-User")
    assert shown["champion"] == new
    assert shown["route"] == {
        "challengers": [
            {"version": old, "mode": "canary", "percent": 10.0, "header": "X-Beta: yes"}
        ],
        "sticky": "X-User",
    }
    assert route(place) == shown
    assert route(place, "--shadow", f"tiny:{old[:8]}")["route"]["challengers"] == [
        {"version": old, "mode": "shadow", "percent": 100.0, "header": None}
    ]
    assert old in luodi("models", "route", "tiny", cwd=place).stdout.decode()
    assert route(place, "--remove", old)["route"]["challengers"] == []
    assert b"answers alone" in luodi("models", "route", "tiny", cwd=place).stdout


def test_a_challenger_that_was_promoted_challenges_no_more(place):
    new, old = (row["version"] for row in models(place))
    route(place, "--canary", old, "--percent", "10")
    models(place, "promote", f"tiny:{old}")
    assert route(place)["route"]["challengers"] == []
    shown = route(place, "--shadow", new)
    assert [each["version"] for each in shown["route"]["challengers"]] == [new]


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
        (["rollback", "tiny", "more"], 2),
        (["rollback", "none"], 1),
        (["promote", "tiny", "more"], 2),
        (["route", "none"], 1),
        (["route", "tiny", "--percent", "10"], 2),
        (["route", "tiny", "--canary", "ffffff"], 1),
        (["route", "tiny", "--canary", "@none"], 1),
        (["route", "tiny", "--canary", "a", "--shadow", "b"], 2),
        (["tiny", "--percent", "10"], 2),
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
