"""The database behind the registry: opened carefully, migrated quietly.

Rollback journal, not write-ahead log: some SQLite releases in the field can lose a committed
write-ahead transaction when a checkpoint races with a writer. With synchronous FULL a commit that
returned is on the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luodi.contracts import RegistryError, say
from luodi.contracts.refusals import refusal

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD = "0003"
"""The newest migration: a database that stands there needs no Alembic, which is slow to load."""
BUSY_SECONDS = 30
_WRITES = "luodi_writes"


class Store:
    """The database file and its transactions; safe to use from several processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine: Engine | None = None

    def stamp(self) -> bytes:
        """Changes with every commit, of any process; costs no lock. Empty when there is no file.

        SQLite counts transactions in bytes 24 to 27 of the file (database file format, 1.3.7).
        """
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                return b"%d:" % status.st_ino + file.read(28)[24:]
        except FileNotFoundError:
            return b""

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one state of the database.

        Raises:
            RegistryError: when it is no database of ours, or is locked for too long.
        """
        with self._transaction(writes=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection that alone may write, from its first statement on; all or nothing.

        Raises:
            RegistryError: as for `reading`, or when a row would be changed.
            MachineError: there is no room to write, or no right to.
        """
        with self._transaction(writes=True) as connection:
            yield connection

    @contextmanager
    def _transaction(self, writes: bool) -> Iterator[Connection]:
        from sqlalchemy.exc import DBAPIError

        try:
            if self._engine is None:
                self._engine = self._open()
            with self._engine.connect() as raw:
                connection = raw.execution_options(**{_WRITES: writes})
                with connection.begin():
                    yield connection
        except DBAPIError as error:
            raise refusal(error) or RegistryError(
                say(
                    f"The registry {self.path} says: {error.orig}.",
                    f"登记库 {self.path} 报告：{error.orig}。",
                ),
                "",
                say(
                    "If another process holds it, try again; if the file is damaged, put back a "
                    "copy of it.",
                    "若被其他进程占用，请稍后再试；若文件损坏，请用备份恢复。",
                ),
            ) from error

    def _open(self) -> Engine:
        from sqlalchemy import create_engine, event
        from sqlalchemy.pool import NullPool

        self.path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            f"sqlite:///{self.path}",
            poolclass=NullPool,
            connect_args={"timeout": BUSY_SECONDS},
        )
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
        with engine.connect() as connection, connection.begin():
            stands_at = _revision(connection)
        if stands_at != HEAD:
            migrate(engine)
        return engine


def _set_up(connection: Any, _record: object) -> None:
    # The driver's own habit of opening transactions late would let two readers both become
    # writers and deadlock: transactions are opened by `_begin` alone.
    connection.isolation_level = None
    for setting in ("journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _revision(connection: Connection) -> str:
    tables = "SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'"
    if not connection.exec_driver_sql(tables).scalar_one():
        return ""
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(found or "")


def migrate(engine: Engine) -> None:
    """Bring the database to `HEAD`, in one transaction: a kill leaves it as it was.

    Raises:
        RegistryError: when a newer Luodi made it.
    """
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext

    script = migrations()
    # The default loop over `env.py` would print and read a file of settings; this is all it does.
    environment = EnvironmentContext(
        Config(),
        script,
        fn=lambda revision, _: script._upgrade_revs(HEAD, revision),  # as alembic.command does
    )
    with engine.connect() as raw:
        connection = raw.execution_options(**{_WRITES: True})
        with connection.begin():
            stands_at = _revision(connection)
            known = {step.revision for step in script.walk_revisions()} | {""}
            if stands_at not in known:
                raise RegistryError(
                    say(
                        f"The registry is of revision {stands_at}.",
                        f"登记库的版本是 {stands_at}。",
                    ),
                    say(f"This Luodi knows {HEAD}.", f"此版 Luodi 只认识 {HEAD}。"),
                    say("Update luodi, then try again.", "请升级 luodi 后再试。"),
                )
            if stands_at != HEAD:  # else another process was faster
                environment.configure(connection=connection, transactional_ddl=True)
                environment.run_migrations()


def migrations() -> Any:
    """The steps that are shipped with Luodi, as Alembic's script directory."""
    from alembic.script import ScriptDirectory

    folder = Path(__file__).with_name("migrations")
    return ScriptDirectory(folder, version_locations=[folder])
