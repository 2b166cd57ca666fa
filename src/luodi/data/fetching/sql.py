"""Rows of a database: one query, one read-only transaction, a batch at a time.

SQLAlchemy speaks to SQLite, PostgreSQL (pg8000) and MySQL or MariaDB (PyMySQL): drivers in
Python, so that the check of the address that is connected to holds for them as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from luodi.contracts import DataError, Progress, say
from luodi.data.fetching.pieces import Pieces, table_of
from luodi.project.sources import SqlSource

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

_DRIVERS = {
    "postgresql": ("postgresql+pg8000", "pg8000"),
    "mysql": ("mysql+pymysql", "pymysql"),
    "mariadb": ("mariadb+pymysql", "pymysql"),
}
_SECONDS = 15


def fetch_sql(
    source: SqlSource, address: str, root: Path, pieces: Pieces, progress: Progress
) -> None:
    """Keep what the query gives; returns the host that was asked, empty for a file.

    A query cannot be gone on with in its middle: one transaction saw one state of the tables.

    Args:
        address: the source's url with its secrets.
        root: a relative SQLite path starts here.

    Raises:
        DataError: the database cannot be reached, or refuses the query; in its own words.
    """
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    pieces.restart()
    url = _url(address, root)
    try:
        with _reading(_engine(url)) as connection:
            statement = sqlalchemy.text(source.sql.strip().rstrip(";").replace(":", "\\:"))
            result = connection.execution_options(
                stream_results=True, max_row_buffer=source.batch
            ).execute(statement)
            names = list(map(str, result.keys()))
            for batch in result.partitions(source.batch):
                pieces.add(table_of(names, [tuple(row) for row in batch], str(source)))
                progress.step(0, 0, say(f"{pieces.rows:,} rows", f"{pieces.rows:,} 行"))
            if not pieces.rows:
                pieces.add(table_of(names, [], str(source)))
    except SQLAlchemyError as error:
        raise _refused(source, error) from None


def host_of(address: str) -> str:
    """The host in a database's address; empty for a file."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(address).host or ""
    except (ArgumentError, ValueError):
        return ""


def _url(address: str, root: Path) -> URL:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise DataError(
            say("The database's url is not understood.", "无法理解数据库的 url。"),
            say("Expected postgresql://USER@HOST/NAME, mysql://..., or sqlite:///FILE.",
                "应为 postgresql://用户@主机/库名、mysql://... 或 sqlite:///文件。"),
        ) from None  # fmt: skip
    family = url.get_backend_name()
    family = "postgresql" if family == "postgres" else family
    if family == "sqlite":
        path = root / (url.database or "")
        if not path.is_file():
            raise DataError(
                say(f"There is no database file {path}.", f"没有数据库文件 {path}。"),
                say("Expected sqlite:///PATH, from the project's folder.",
                    "应为 sqlite:///路径，从项目目录开始。"),
            )  # fmt: skip
        # mode=ro: SQLite itself refuses to write, and makes no file where none is.
        return url.set(
            drivername="sqlite", database=f"file:{path}", query={"mode": "ro", "uri": "true"}
        )
    if family not in _DRIVERS:
        raise DataError(
            say(f"The database is of the kind {family}.", f"数据库类型为 {family}。"),
            say("Read are: postgresql, mysql, mariadb, sqlite.",
                "可读取：postgresql、mysql、mariadb、sqlite。"),
        )  # fmt: skip
    return url.set(drivername=_DRIVERS[family][0])


def _engine(url: URL) -> Engine:
    import sqlalchemy
    from sqlalchemy.pool import NullPool

    options: dict[str, object] = {}
    if "pg8000" in url.drivername:
        options = {"timeout": _SECONDS}
    elif "pymysql" in url.drivername:
        options = {"connect_timeout": _SECONDS, "charset": "utf8mb4", "local_infile": False}
    return sqlalchemy.create_engine(url, connect_args=options, poolclass=NullPool)


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction in which the server itself refuses every write."""
    name = engine.dialect.name
    with engine.connect() as connection:
        if name == "postgresql":
            # Of this transaction, and of any that a query may begin in its place.
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        elif name in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            connection.exec_driver_sql("START TRANSACTION READ ONLY")
        else:
            connection.exec_driver_sql("PRAGMA query_only = ON")
        try:
            yield connection
        finally:
            connection.rollback()
    engine.dispose()


def _refused(source: SqlSource, error: Exception) -> DataError:
    inner = getattr(error, "orig", None) or error
    reason = _words(inner)
    return DataError(
        say(f"The database answered: {reason}.", f"数据库应答：{reason}。"),
        say(f"Asked was: {source}.", f"查询为：{source}。"),
        say("Mend the query or the address; nothing was changed there.",
            "请修正查询或地址；未对数据库作任何改动。"),
    )  # fmt: skip


def _words(error: BaseException) -> str:
    """A driver's error in one line: pg8000 gives a mapping, PyMySQL (number, text)."""
    first = error.args[0] if error.args else ""
    if isinstance(first, dict):
        return str(first.get("M", first))
    text = " ".join(str(part) for part in error.args) or type(error).__name__
    return " ".join(text.split())[:300].rstrip(".")
