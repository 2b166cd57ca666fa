"""Keys: shown once, stored hashed, gone when revoked."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from luodi.contracts import RegistryError
from luodi.registry import Registry
from luodi.registry.keys import PEPPER, KeyRing, Rights


@pytest.fixture
def ring(tmp_path):
    return KeyRing(tmp_path)


def test_a_key_opens_and_nothing_else_does(ring):
    key, secret = ring.add("web shop", Rights())
    assert ring.match(secret).prefix == key.prefix
    assert len(secret.split("_", 2)[2]) == 43  # 256 bits, six in a character
    for other in (
        "",
        "luodi_",
        secret[:-1],
        secret[:-1] + ("A" if secret[-1] != "A" else "B"),
        secret.upper(),
        secret + "\n",
        "luodi_aaaaaaaa_" + "a" * 43,
        "密钥",
        "\ud800",
    ):
        assert ring.match(other) is None, other  # fmt: skip


def test_the_secret_is_nowhere_on_the_disk(ring, tmp_path):
    _, secret = ring.add("web", Rights())
    for path in tmp_path.rglob("*"):
        assert secret.encode() not in path.read_bytes(), path
        assert secret.split("_", 2)[2].encode() not in path.read_bytes(), path


def test_a_database_without_the_pepper_lets_nobody_in(ring, tmp_path):
    _, secret = ring.add("web", Rights())
    (tmp_path / PEPPER).unlink()
    assert KeyRing(tmp_path).match(secret) is None


def test_a_pepper_that_others_can_read_is_refused(ring, tmp_path):
    _, secret = ring.add("web", Rights())
    (tmp_path / PEPPER).chmod(0o644)
    with pytest.raises(RegistryError, match="600"):
        KeyRing(tmp_path).match(secret)


def test_revoked_and_expired_keys_open_nothing(ring, tmp_path):
    key, secret = ring.add("web", Rights())
    other = KeyRing(tmp_path)  # another process
    assert other.match(secret)
    ring.revoke(key.prefix, "lost")
    assert other.match(secret) is None
    soon = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    _, expired = ring.add("guest", Rights(expires=soon))
    assert ring.match(expired) is None
    with pytest.raises(RegistryError, match="no key"):
        ring.revoke("nokeyhere")


def test_a_damaged_registry_shuts_out_nobody_that_was_known(ring, tmp_path, monkeypatch):
    monkeypatch.setattr("luodi.registry.keys._AGAIN", 0.0)
    key, secret = ring.add("web", Rights())
    other = KeyRing(tmp_path)  # a service
    assert other.match(secret)
    path = tmp_path / "registry.db"
    whole = path.read_bytes()
    path.write_bytes(b"no database " * 1000)
    assert other.match(secret)
    assert other.match(secret[:-1] + "-") is None
    path.unlink()
    assert other.match(secret)
    path.write_bytes(b"no database " * 1000)
    with pytest.raises(RegistryError):
        KeyRing(tmp_path).match(secret)  # never read: nothing is known
    path.write_bytes(whole)
    ring.revoke(key.prefix)
    assert other.match(secret) is None


def test_rights():
    rights = Rights(roles=("ask",), models=("credit",))
    assert rights.may("ask", "credit")
    assert rights.may("ask", "credit@staging")
    assert not rights.may("ask", "creditor")
    assert not rights.may("read", "credit")
    assert not rights.may("operate", "credit")


@pytest.mark.parametrize(
    ("name", "rights"),
    [("", Rights()), ("a\nb", Rights()), ("x", Rights(roles=("root",))), ("x", Rights(roles=())),
     ("x", Rights(rate=0)), ("x", Rights(rate=float("nan"))),
     ("x", Rights(rate=float("inf"))), ("x", Rights(daily=-1)),
     ("x", Rights(expires="tomorrow")),
     ("x", Rights(expires="2027-01-01T00:00:00"))],
)  # fmt: skip
def test_nonsense_makes_no_key(ring, name, rights):
    with pytest.raises(RegistryError):
        ring.add(name, rights)
    assert ring.all() == []


def test_keys_stand_in_the_log_of_acts_and_cannot_be_slipped_in(ring, tmp_path):
    key, _ = ring.add("web", Rights())
    ring.revoke(key.prefix)
    registry = Registry(tmp_path)
    assert registry.check_acts() == []
    with sqlite3.connect(tmp_path / "registry.db") as database:
        database.execute(
            "INSERT INTO keys (prefix, name, hash, rights, created) VALUES ('evilevil', 'x', "
            "'00', '{}', '2026')"
        )
    assert any("keys" in problem for problem in registry.check_acts())
    with (
        sqlite3.connect(tmp_path / "registry.db") as database,
        pytest.raises(sqlite3.IntegrityError, match="never changed"),
    ):
        database.execute("DELETE FROM revocations")
