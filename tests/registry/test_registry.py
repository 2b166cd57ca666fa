# ruff: noqa: S608 - the statements are the tests' own
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from luodi.bundle import read_manifest
from luodi.contracts import BundleError, RegistryError
from luodi.registry import REFUSED, Challenger, Registry, Route
from luodi.registry.store import HEAD, migrations

TINY = str(Path(__file__).parents[1] / "bundle" / "tiny")


def test_what_is_added_is_found(home, make):
    folder = make()
    digest = read_manifest(folder)[1]
    added = Registry(home).add(folder, run="r1", metrics={"accuracy": {"value": 0.9}})
    assert added.version == digest[7:19]
    registry = Registry(home)  # another process would see the same
    for wanted in ("tiny", f"tiny:{added.version}", f"tiny:{digest}", f"tiny:{added.version[:6]}"):
        assert registry.find(wanted) == added
    assert added.folder == folder
    assert added.metrics == {"accuracy": {"value": 0.9}}
    assert registry.models() == ["tiny"]
    assert registry.check_acts() == []


def test_a_bundle_folder_is_found_registered_or_not(home, make):
    folder = make()
    found = Registry(home).find(str(folder))
    assert (found.folder, found.verdict) == (folder, "")
    assert not (home / "registry.db").exists()


def test_asking_makes_no_registry(tmp_path):
    registry = Registry(tmp_path / "none")
    assert registry.models() == []
    assert registry.openings("x") == []
    assert registry.check_acts() == []
    with pytest.raises(RegistryError, match="No model is registered"):
        registry.find("tiny")
    assert not (tmp_path / "none").exists()


def test_the_newest_passed_version_is_the_default(home, make):
    registry = Registry(home)
    first = registry.add(make(weight=1.0))
    second = registry.add(make(weight=2.0))
    registry.add(make(weight=3.0), verdict=REFUSED)
    assert registry.find("tiny").version == second.version
    assert [row.verdict for row in registry.versions("tiny")] == ["refused", "passed", "passed"]
    # The same bundle made again is the newest again; its row stays as it was.
    again = registry.add(make(weight=1.0), run="later")
    assert again == first
    assert registry.find("tiny").version == first.version
    assert registry.check_acts() == []


def test_refused_alone_is_no_default(home, make):
    registry = Registry(home)
    registry.add(make(), verdict=REFUSED)
    with pytest.raises(RegistryError, match="passed its gate"):
        registry.find("tiny")


def test_an_alias_moves_and_its_history_stays(home, make):
    registry = Registry(home)
    first, second = registry.add(make(weight=1.0)), registry.add(make(weight=2.0))
    assert registry.set_alias("tiny", first.version, "production").aliases == ("production",)
    registry.set_alias("tiny", second.version, "production")
    registry.set_alias("tiny", second.version, "staging")
    assert registry.find("tiny@production").version == second.version
    assert registry.find("tiny").aliases == ("production", "staging")
    assert registry.find(f"tiny:{first.version}").aliases == ()
    history = registry.alias_history("tiny", "production")
    assert [version for _, version in history] == [second.version, first.version]
    assert registry.check_acts() == []


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("tinny", "Did you mean tiny?"),
        ("tiny@producton", "Did you mean production?"),
        ("tiny:ffffffffffff", "There are:"),
        ("tiny:", "Expected name"),
        ("no/such/folder", "bundle folder"),
        ("", "bundle folder"),
        ("@production", "bundle folder"),
    ],
)
def test_a_wrong_name_is_told_what_there_is(home, make, wanted, said):
    registry = Registry(home)
    registry.set_alias("tiny", registry.add(make()).version, "production")
    with pytest.raises(RegistryError, match=said.replace("?", r"\?")):
        registry.find(wanted)


@pytest.mark.parametrize("alias", ["", "Production", "a b", "1", "x" * 60, "../x"])
def test_an_alias_must_be_a_word(home, make, alias):
    registry = Registry(home)
    version = registry.add(make()).version
    with pytest.raises(RegistryError, match="alias"):
        registry.set_alias("tiny", version, alias)


def test_a_changed_bundle_and_one_from_elsewhere_are_refused(home, make, tmp_path):
    registry = Registry(home)
    folder = make()
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(RegistryError, match="Copy it"):
        registry.add(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").rename(folder)
    (folder / "manifest.json").write_bytes(b"{}")
    with pytest.raises(BundleError):
        registry.add(folder)
    assert registry.models() == []


def test_the_home_folder_can_move(home, make, tmp_path):
    Registry(home).add(make())
    home.rename(tmp_path / "moved")
    assert Registry(tmp_path / "moved").find("tiny").folder.is_dir()


def test_another_copy_is_used_when_the_first_is_gone(home, make):
    import shutil

    registry = Registry(home)
    folder = make()
    registry.add(folder)
    shutil.copytree(folder, home / "runs" / "again" / "bundle")
    registry.add(home / "runs" / "again" / "bundle")
    assert registry.find("tiny").folder == folder
    shutil.rmtree(folder)
    assert registry.find("tiny").folder == home / "runs" / "again" / "bundle"


def test_openings_count_bundles_not_looks(home):
    registry = Registry(home)
    assert registry.open_test("f", "r1", "sha256:a") == 1
    assert registry.open_test("f", "r1", "sha256:a") == 1
    assert registry.open_test("f", "r2", "sha256:a") == 1
    assert registry.open_test("f", "r2", "sha256:b") == 2
    assert registry.open_test("g", "r3", "sha256:b") == 1
    assert [(seen.run, seen.digest) for seen in registry.openings("f")] == [
        ("r1", "sha256:a"),
        ("r2", "sha256:b"),
    ]
    assert registry.check_acts() == []


TABLES = ("models", "versions", "aliases", "openings", "routes", "acts")


@pytest.fixture
def filled(home, make):
    registry = Registry(home)
    first = registry.add(make()).version
    registry.set_alias("tiny", registry.add(make(weight=3.0)).version, "production")
    registry.set_route("tiny", Route((Challenger(first, "canary", 10),)))
    registry.open_test("f", "r", "sha256:a")
    return registry


@pytest.mark.parametrize("table", TABLES)
def test_rows_are_never_changed_or_removed(filled, home, table):
    with sqlite3.connect(home / "registry.db") as connection:
        column = connection.execute(f"SELECT name FROM pragma_table_info('{table}')").fetchone()[0]
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE acts SET body = replace(body, 'passed', 'PASSED') WHERE sequence = 1",
        "UPDATE acts SET time = '2020' WHERE sequence = 2",
        "DELETE FROM acts WHERE sequence = 2",
        "DELETE FROM acts WHERE sequence = (SELECT max(sequence) FROM acts)",
        "UPDATE versions SET verdict = 'refused'",
        "UPDATE versions SET digest = 'sha256:0'",
        "UPDATE versions SET metrics = '{\"accuracy\": 1}'",
        "DELETE FROM aliases",
        "DELETE FROM openings",
        "UPDATE routes SET route = replace(route, '10', '99')",
        "INSERT INTO openings VALUES (9, 'f', 'r', 'd', 't')",
        "INSERT INTO aliases SELECT 9, model, 'staging', version, created FROM versions LIMIT 1",
    ],
)
def test_tampering_behind_the_triggers_is_found(filled, home, statement):
    assert filled.check_acts() == []
    connection = sqlite3.connect(home / "registry.db")
    for table in TABLES:
        connection.execute(f"DROP TRIGGER {table}_no_update")
        connection.execute(f"DROP TRIGGER {table}_no_delete")
    assert connection.execute(statement).rowcount
    connection.commit()
    connection.close()
    assert filled.check_acts()


def test_the_file_is_kept_as_promised(filled, home):
    connection = sqlite3.connect(home / "registry.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    with filled._store.reading() as ours:
        assert ours.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert ours.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def test_the_newest_migration_is_the_one_the_code_expects():
    assert migrations().get_heads() == [HEAD]


def test_a_newer_registry_and_a_broken_one_are_errors_in_words(filled, home):
    connection = sqlite3.connect(home / "registry.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(RegistryError, match="9999"):
        Registry(home).models()
    (home / "registry.db").write_bytes(b"no database at all, but long enough to be looked at")
    with pytest.raises(RegistryError, match="not a database"):
        Registry(home).models()


ADD = """
import sys
sys.path.insert(0, {tiny!r})
from pathlib import Path
from luodi.registry import Registry
registry = Registry(Path({home!r}))
sys.stdin.readline()
for place in sorted(Path({home!r}, "runs").iterdir()):
    registry.add(place / "bundle", run={who!r})
    registry.open_test("shared", {who!r}, {who!r} + place.name)
    registry.set_alias("tiny", registry.find("tiny").version, "staging")
"""


def test_two_processes_register_at_once(home, make):
    for number in range(6):
        make(weight=float(number))
    both = [
        subprocess.Popen(
            [sys.executable, "-c", ADD.format(tiny=TINY, home=str(home), who=who)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for who in ("one", "two")
    ]
    for process in both:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in both:
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    registry = Registry(home)
    assert len(registry.versions("tiny")) == 6
    assert len(registry.openings("shared")) == 12
    assert len(registry.alias_history("tiny", "staging")) == 12
    assert registry.check_acts() == []


def test_a_killed_writer_leaves_no_half_act(home, make):
    for number in range(4):
        make(weight=float(number))
    code = ADD.format(tiny=TINY, home=str(home), who="one")
    for delay in (0.25, 0.3, 0.35, 0.4):
        with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
            process.stdin.write(b"go\n")
            process.stdin.flush()
            try:
                process.wait(delay)
            except subprocess.TimeoutExpired:
                process.kill()
        registry = Registry(home)
        assert registry.check_acts() == []
        json.dumps([row.to_json() for name in registry.models() for row in registry.versions(name)])


def test_importing_the_registry_loads_no_database_library():
    code = (
        "import sys, luodi.registry, luodi.bundle, luodi.serving\n"
        "heavy = {'sqlalchemy', 'alembic', 'numpy', 'polars', 'starlette', 'uvicorn', 'torch'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"
