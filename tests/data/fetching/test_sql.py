# ruff: noqa: S608 - the statements are the tests' own
"""SQLite, PostgreSQL, MariaDB: the same rows, streamed, and nothing can be written."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from luodi.contracts import ROW, DataError, MissingPartError
from luodi.data.fetching import Access
from luodi.data.sources import collect
from luodi.project.sources import SqlSource
from tests.data.fetching.servers import server

SERVERS = {
    "postgresql": (5432, "postgresql+pg8000://postgres@127.0.0.1:{port}/postgres"),
    "mariadb": (3306, "mysql+pymysql://root@127.0.0.1:{port}/test"),
}
ROWS = [
    (1, "好书,值得买", 1.5, dt.date(2024, 5, 31)),
    (2, None, None, None),
    (3, "x\ny", -2.25, dt.date(1970, 1, 1)),
]


@pytest.fixture(params=SERVERS, scope="module")
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    usual, url = SERVERS[request.param]
    with server(request.param, usual) as port:
        yield url.format(port=port)


@pytest.fixture
def table(address: str) -> Iterator[tuple[str, str, sqlalchemy.Engine]]:
    url = address
    name = f"luodi_test_{secrets.token_hex(4)}"
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"create table {name} (n integer, words varchar(80), price numeric(10, 2), day date)"
            + (" character set utf8mb4" if "mysql" in url else "")
        )
        for row in ROWS:
            connection.execute(
                sqlalchemy.text(f"insert into {name} values (:n, :words, :price, :day)"),
                dict(zip(("n", "words", "price", "day"), row, strict=True)),
            )
    yield name, url.replace("+pg8000", "").replace("+pymysql", ""), engine
    with engine.begin() as connection:
        connection.exec_driver_sql(f"drop table {name}")
    engine.dispose()


def test_rows_of_a_server(table, access: Access) -> None:
    name, url, engine = table
    source = SqlSource(sql=f"select * from {name} where words is null or words like '%' order by n",
                       url=url, batch=2)  # fmt: skip
    collected = collect(source, access.root, access=access)
    assert collected.table.drop(ROW).rows() == ROWS
    # What was collected is not fetched again, whatever becomes of the table.
    with engine.begin() as connection:
        connection.exec_driver_sql(f"delete from {name} where n = 1")
    assert collect(source, access.root, access=access).table.rows() == collected.table.rows()
    again = Access(access.home, access.root, access.allow_private, refresh=True)
    assert collect(source, access.root, access=again).table.height == 2


def test_nothing_can_be_written(table, access: Access) -> None:
    name, url, engine = table
    evils = {
        "postgresql": [
            (f"with gone as (delete from {name} returning *) select * from gone", "must not"),
            (f"select 1; delete from {name}", "multiple|syntax|cannot"),
            (f"select 1; commit; delete from {name}", "read-only"),
            ("select lo_create(0)", "read-only"),
        ],
        "mysql": [
            (f"select n from {name}; delete from {name}", "syntax"),
            (f"select n from {name} where n = 1 for update", "READ ONLY|read only|"),
        ],
    }[url.partition(":")[0]]
    for evil, words in evils:
        try:
            # Past the project file's own check: the server has to refuse it as well.
            source = SqlSource.model_construct(sql=evil, url=url)
            collect(source, access.root, access=access)
        except DataError as error:
            assert "nothing was changed there" in str(error)  # noqa: PT017
            assert re.search(words, str(error))  # noqa: PT017
    with engine.connect() as connection:
        assert connection.exec_driver_sql(f"select count(*) from {name}").scalar() == 3


def test_a_server_answers_in_its_own_words(table, access: Access) -> None:
    _, url, _ = table
    with pytest.raises(DataError, match="no_such_table"):
        collect(SqlSource(sql="select * from no_such_table", url=url), access.root, access=access)
    with pytest.raises(DataError, match="no rows"):
        collect(SqlSource(sql="select 1 as a where 1 = 0", url=url), access.root, access=access)


def test_sqlite_of_the_project(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("create table r (text, label, blob)")
        connection.executemany("insert into r values (?, ?, ?)",
                               [("a", 1, b"\x01"), ("b", "x", None)])  # fmt: skip
    source = SqlSource(sql="select *, '10:30' as at from r", url="sqlite:///shop.db", batch=1)
    table = collect(source, tmp_path).table
    assert table.drop(ROW).rows() == [("a", "1", "01", "10:30"), ("b", "x", None, "10:30")]
    with pytest.raises(DataError, match="no database file"):
        collect(SqlSource(sql="select 1", url="sqlite:///none.db"), tmp_path)
    assert not (tmp_path / "none.db").exists()
    twice = SqlSource(sql="select text, label as text from r", url="sqlite:///shop.db")
    with pytest.raises(DataError, match="one name: text"):
        collect(twice, tmp_path)
    hook = SqlSource(sql="select writefile('x', 'y')", url="sqlite:///shop.db")
    with pytest.raises(DataError, match="no such function"):
        collect(hook, tmp_path)


def test_a_server_that_is_not_there(access: Access) -> None:
    for url in ("postgresql://u@127.0.0.1:1/x", "mysql://u@127.0.0.1:1/x"):
        with pytest.raises(DataError, match="database answered"):
            collect(SqlSource(sql="select 1", url=url), access.root, access=access)
    with pytest.raises(MissingPartError, match="secret SHOP_DB is not set"):
        collect(SqlSource(sql="select 1", url="${SHOP_DB}"), access.root, access=access)
