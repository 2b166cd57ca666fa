"""Who may ask a service: keys of 256 bits, of which only a keyed hash is kept.

A key reads `luodi_PREFIX_SECRET`. The prefix names it in lists, logs and limits; the secret is
shown once. What is stored is HMAC-SHA-256 of the whole key under a pepper that lies outside the
database: a stolen database alone lets nobody in, and nobody can add a key to it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import math
import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from luodi.contracts import JsonValue, RegistryError, say
from luodi.registry import acts
from luodi.registry.store import Store

Role = Literal["ask", "read", "operate"]
"""`ask`: predictions, feedback. `read`: metadata, metrics, documents. `operate`: load, unload."""
ROLES: tuple[Role, ...] = get_args(Role)
PEPPER, PEPPER_VARIABLE = "keys.pepper", "LUODI_KEYS_PEPPER"
LOG = logging.getLogger("luodi.serving")
_AGAIN = 1.0
"""Seconds until keys that could not be read are tried again."""
_KEY = re.compile(r"luodi_([a-z2-7]{8})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True)
class Rights:
    """What the holder of a key may do.

    Attributes:
        models: names, or `*` for every model.
        rate: rows a second that it may ask on average; None for no limit. A row of feedback counts
            as one too.
        burst: rows that it may ask at once.
        daily: rows a day (UTC); None for no limit.
        priority: the most urgent class that it may ask for: higher goes first.
        expires: ISO time from which on it is no key any more; empty for never.
    """

    roles: tuple[Role, ...] = ("ask", "read")
    models: tuple[str, ...] = ("*",)
    rate: float | None = None
    burst: int = 100
    daily: int | None = None
    priority: int = 0
    expires: str = ""

    def may(self, role: Role, model: str) -> bool:
        """Whether it may do this, to this model (empty: to none in particular)."""
        named = not model or "*" in self.models or model.partition("@")[0] in self.models
        return role in self.roles and named

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Rights:
        """What `asdict` made, read back from JSON."""
        plain = {k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}
        return cls(**plain)  # type: ignore[arg-type]  # what asdict wrote fits


@dataclass(frozen=True)
class Key:
    """A key as it is listed: never its secret."""

    prefix: str
    name: str
    rights: Rights
    created: str
    revoked: str = ""
    hashed: str = field(default="", repr=False)

    def to_json(self) -> dict[str, JsonValue]:
        """For `luodi keys --json`."""
        return {
            "prefix": self.prefix,
            "name": self.name,
            **asdict(self.rights),
            "created": self.created,
            "revoked": self.revoked or None,
        }

    def valid(self, now: datetime) -> bool:
        """Whether it opens anything now."""
        expires = self.rights.expires
        return not self.revoked and (not expires or now < datetime.fromisoformat(expires))


class KeyRing:
    """The keys of one home folder."""

    def __init__(self, home: Path) -> None:
        self._home = home.resolve()
        self._store = Store(self._home / "registry.db")
        self._known: dict[str, Key] = {}
        self._stamp = b"never read"
        self._again = 0.0
        self._pepper: bytes | None = None

    def add(self, name: str, rights: Rights) -> tuple[Key, str]:
        """A new key, and its secret, which is told here and never again.

        Raises:
            RegistryError: for a name or rights that are none.
        """
        _check(name, rights)
        from luodi.registry.tables import keys

        prefix = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz234567") for _ in range(8))
        secret = f"luodi_{prefix}_{secrets.token_urlsafe(32)}"
        when = datetime.now(UTC).isoformat(timespec="seconds")
        row = {
            "prefix": prefix,
            "name": name,
            "hash": self._hash(secret),
            "rights": json.dumps(asdict(rights), sort_keys=True),
        }
        with self._store.writing() as connection:
            acts.append(connection, acts.ADD_KEY, when, row)
            connection.execute(keys.insert().values(**row, created=when))
        return Key(prefix, name, rights, when), secret

    def revoke(self, prefix: str, reason: str = "") -> Key:
        """Let a key open nothing from now on; running services follow within a second.

        Raises:
            RegistryError: when there is no such key.
        """
        from luodi.registry.tables import revocations

        found = next((key for key in self.all() if key.prefix == prefix), None)
        if found is None:
            raise RegistryError(
                say(f"There is no key {prefix!r}.", f"没有密钥 {prefix!r}。"),
                "",
                say("luodi keys lists them.", "luodi keys 可列出密钥。"),
            )
        if found.revoked:
            return found
        when = datetime.now(UTC).isoformat(timespec="seconds")
        with self._store.writing() as connection:
            acts.append(connection, acts.REVOKE_KEY, when, {"prefix": prefix, "reason": reason})
            connection.execute(
                revocations.insert().values(prefix=prefix, reason=reason, revoked=when)
            )
        return Key(found.prefix, found.name, found.rights, found.created, when)

    def all(self) -> list[Key]:
        """Every key, the oldest first."""
        stamp = self._store.stamp()
        if stamp != self._stamp:
            self._known = {key.prefix: key for key in self._read()} if stamp else {}
            self._stamp = stamp
        return list(self._known.values())

    def match(self, given: str) -> Key | None:
        """The valid key that this is; None for anything else. Takes the same time either way.

        A registry that is gone or damaged for a while does not shut everybody out: what was read
        last counts until it can be read again.

        Raises:
            RegistryError: when it was never read, and cannot be.
        """
        self._refresh()
        shape = _KEY.fullmatch(given)
        key = self._known.get(shape[1]) if shape else None
        same = hmac.compare_digest(self._hash(given), key.hashed if key else "0" * 64)
        return key if key and same and key.valid(datetime.now(UTC)) else None

    def _refresh(self) -> None:
        if not self._known:
            self.all()
        elif time.monotonic() >= self._again:
            try:
                if self._store.stamp():
                    self.all()
            except (RegistryError, OSError) as error:
                LOG.error("the keys cannot be read; those known before count: %s", error)
                self._again = time.monotonic() + _AGAIN

    def _read(self) -> list[Key]:
        from luodi.registry.tables import keys, revocations

        with self._store.reading() as connection:
            gone = {row.prefix: row.revoked for row in connection.execute(revocations.select())}
            rows = connection.execute(keys.select().order_by(keys.c.id)).all()
        return [
            Key(
                row.prefix,
                row.name,
                Rights.from_json(json.loads(row.rights)),
                row.created,
                gone.get(row.prefix, ""),
                row.hash,
            )
            for row in rows
        ]

    def _hash(self, secret: str) -> str:
        data = secret.encode("utf-8", "surrogatepass")
        return hmac.new(self._get_pepper(), data, hashlib.sha256).hexdigest()

    def _get_pepper(self) -> bytes:
        if self._pepper is None:
            given = os.environ.get(PEPPER_VARIABLE, "").encode()
            self._pepper = given or _pepper_file(self._home / PEPPER)
        return self._pepper


def _pepper_file(path: Path) -> bytes:
    """The file's bytes; a new one where there is none, for the owner's eyes only.

    Raises:
        RegistryError: when others may read it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            raise RegistryError(
                say(f"{path} can be read by others.", f"{path} 可被其他用户读取。"),
                say("Expected mode 600.", "权限应为 600。"),
                f"chmod 600 {path}",
            ) from None
        return path.read_bytes()
    with os.fdopen(number, "wb") as file:
        pepper = secrets.token_bytes(32)
        file.write(pepper)
        file.flush()
        os.fsync(file.fileno())
    return pepper


def _check(name: str, rights: Rights) -> None:
    if not re.fullmatch(r"\w[\w .@-]{0,79}", name):
        raise RegistryError(
            say(f"{name!r} cannot name a key.", f"{name!r} 不能作为密钥名称。"),
            say("Expected letters, digits, spaces and . @ -, at most 80.",
                "应由字母、数字、空格和 . @ - 组成，至多 80 个字符。"),
        )  # fmt: skip
    unknown = [role for role in rights.roles if role not in ROLES]
    if unknown or not rights.roles:
        raise RegistryError(
            say(f"The roles are {', '.join(rights.roles) or 'none'}.",
                f"角色为 {'、'.join(rights.roles) or '空'}。"),
            say(f"Expected some of {', '.join(ROLES)}.", f"应取自 {'、'.join(ROLES)}。"),
        )  # fmt: skip
    numbers = (rights.rate, rights.daily, rights.burst)
    if any(number is not None and not 0 < number < math.inf for number in numbers):
        raise RegistryError(
            say("A limit is no number above 0.", "限额必须是大于 0 的数。"),
            say("Leave it out for none.", "不限则不要给出。"),
        )
    if rights.expires:
        try:
            aware = datetime.fromisoformat(rights.expires).tzinfo is not None
        except ValueError:
            aware = False
        if not aware:
            raise RegistryError(
                say(f"{rights.expires!r} is no time with a zone.",
                    f"{rights.expires!r} 不是带时区的时间。"),
                say("Expected one such as 2027-01-31T00:00:00+00:00.",
                    "应形如 2027-01-31T00:00:00+00:00。"),
            )  # fmt: skip
