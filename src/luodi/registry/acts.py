"""The log of acts: each entry's hash covers the entry before it.

A changed, removed or inserted entry breaks the chain from there on. Whoever can write the
database can also compute a new chain: keep the last hash elsewhere to find that too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from luodi.contracts import JsonValue, say

if TYPE_CHECKING:
    from sqlalchemy import Connection

FIRST = "0" * 64
REGISTER, ALIAS, OPEN_TEST, ROUTE = "register", "alias", "open-test", "route"
ADD_KEY, REVOKE_KEY = "add-key", "revoke-key"


def chained(entry: Sequence[JsonValue], previous: str) -> str:
    """The hash of an entry (sequence, time, kind, model, version, body) after `previous`."""
    data = json.dumps([*entry, previous], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(data.encode()).hexdigest()


def append(
    connection: Connection,
    kind: str,
    when: str,
    body: Mapping[str, JsonValue],
    model: str = "",
    version: str = "",
) -> None:
    """Add an entry, inside the transaction that does what it tells of."""
    from luodi.registry.tables import acts

    last = connection.execute(acts.select().order_by(acts.c.sequence.desc()).limit(1)).one_or_none()
    previous = last.hash if last else FIRST
    text = json.dumps(dict(body), ensure_ascii=False, sort_keys=True)
    entry = [last.sequence + 1 if last else 1, when, kind, model, version, text]
    names = ("sequence", "time", "kind", "model", "version", "body")
    connection.execute(
        acts.insert().values(
            **dict(zip(names, entry, strict=True)),
            previous=previous,
            hash=chained(entry, previous),
        )
    )


def check(connection: Connection) -> list[str]:
    """Every way in which the log, or the tables beside it, are not as they were written."""
    from luodi.registry.tables import acts

    problems, previous, entries = [], FIRST, []
    for place, row in enumerate(connection.execute(acts.select().order_by(acts.c.sequence)), 1):
        entry = [row.sequence, row.time, row.kind, row.model, row.version, row.body]
        if row.sequence != place:
            problems.append(say(f"Act {place} is missing.", f"缺少第 {place} 条操作记录。"))
            break
        if row.previous != previous or row.hash != chained(entry, previous):
            problems.append(say(f"Act {place} was changed.", f"第 {place} 条操作记录被改动过。"))
            break
        previous = row.hash
        entries.append(row)
    return problems or _against_tables(connection, entries)


_TOLD = {
    REGISTER: ("digest", "bundle", "run", "metrics", "verdict"),
    ALIAS: ("alias",),
    OPEN_TEST: ("fingerprint", "run", "digest"),
    ROUTE: ("route", "reason"),
    ADD_KEY: ("prefix", "name", "rights", "hash"),
    REVOKE_KEY: ("prefix", "reason"),
}
"""What of an act's body stands in its table too."""


def _against_tables(connection: Connection, entries: Sequence[Any]) -> list[str]:
    """The tables must hold what the acts told, and nothing else."""
    from luodi.registry.tables import aliases, keys, openings, revocations, routes, versions

    told: dict[str, list[tuple[str, ...]]] = {kind: [] for kind in _TOLD}
    for row in entries:
        body = json.loads(row.body)
        if row.kind == REGISTER and body.get("again"):
            continue
        named = (str(body[name]) for name in _TOLD[row.kind])
        told[row.kind].append((row.model, row.version, *named))
    v, a, o, r, k, gone = (
        versions.c, aliases.c, openings.c, routes.c, keys.c, revocations.c,
    )  # fmt: skip
    held = {
        REGISTER: [v.model, v.version, v.digest, v.bundle, v.run, v.metrics, v.verdict],
        ALIAS: [a.model, a.version, a.alias],
        OPEN_TEST: [o.fingerprint, o.run, o.digest],
        ROUTE: [r.model, r.route, r.reason],
        ADD_KEY: [k.prefix, k.name, k.rights, k.hash],
        REVOKE_KEY: [gone.prefix, gone.reason],
    }
    problems = []
    tables = (versions, aliases, openings, routes, keys, revocations)
    for (kind, columns), table in zip(held.items(), tables, strict=True):
        rows = connection.execute(table.select().with_only_columns(*columns))
        found = [tuple(str(value or "") for value in row) for row in rows]
        if kind in (OPEN_TEST, ADD_KEY, REVOKE_KEY):
            found = [("", "", *row) for row in found]
        elif kind == ROUTE:
            found = [(model, "", *rest) for model, *rest in found]
        if sorted(found) != sorted(told[kind]):
            problems.append(
                say(
                    f"The table {table.name} does not hold what the acts tell.",
                    f"表 {table.name} 的内容与操作记录不符。",
                )
            )
    return problems
