"""Rows from SQLite, PostgreSQL, MySQL and MariaDB, through SQLAlchemy Core.

NAME
    sql - SqlStore: a question to a database

GIVEN
    an address, and a question: a text with :keys or :key, or the names of a table and its
    columns.  Values always travel as parameters, never within the text.

GIVES
    rows.  All keys in one question, where it has :keys.

DOES NOT
    write: sessions are read-only where the database knows that.

SEE ALSO
    https://docs.sqlalchemy.org, an optional dependency: pip install postseal[sql].
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from postseal.tables.store import Author, Found, TableUnavailable, fault

DRIVERS = {
    "postgresql": ("postgresql+psycopg", "psycopg"),
    "mysql": ("mysql+pymysql", "pymysql"),
    "mariadb": ("mysql+pymysql", "pymysql"),
}
RECYCLE = 300  # seconds after which a connection is made anew: firewalls forget idle ones
LASTING = (sa.exc.ProgrammingError, sa.exc.InternalError, sa.exc.ArgumentError)
MYSQL_LASTING = (1054, 1142, 1143)  # no such column, not allowed: for MySQL, operational errors
PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)")
KNOWN = {"keys", "key", "address", "local", "domain"}


class SqlStore:
    """One question to one database.

    Connects at the first find(), so that one that was made before fork() can be used after.
    """

    def __init__(self, url: URL, ask: Ask, *, timeout: float, connections: int) -> None:
        self._url = url
        self._ask = ask
        self._timeout = timeout
        self._engine = self._make(connections)

    def find(self, keys: Sequence[str], author: Author, /) -> Found:
        try:
            with self._engine.connect() as connection:
                return self._ask(connection, keys, author)
        except SQLAlchemyError as error:
            raise self._fault(error) from None

    def close(self) -> None:
        self._engine.dispose()

    def _make(self, connections: int) -> sa.Engine:
        pool: dict[str, Any] = {
            "poolclass": QueuePool,
            "pool_size": connections,
            "max_overflow": 0,
            "pool_timeout": self._timeout,
            "pool_recycle": RECYCLE,
            "isolation_level": "AUTOCOMMIT",
        }
        if self._url.get_backend_name() == "sqlite":
            path = Path(self._url.database or "")

            def connect() -> sqlite3.Connection:
                place = f"file:{quote(str(path))}?mode=ro"
                return sqlite3.connect(
                    place, uri=True, timeout=self._timeout, check_same_thread=False
                )

            return sa.create_engine("sqlite://", creator=connect, **pool)
        return sa.create_engine(
            self._url, connect_args=session(self._url, self._timeout), pool_pre_ping=True, **pool
        )

    def _fault(self, error: SQLAlchemyError) -> TableUnavailable:
        """The database's own words; SQLAlchemy adds the query and its parameters."""
        inner = error.orig if isinstance(error, DBAPIError) and error.orig else error
        lasting = isinstance(error, LASTING) or inner.args[:1] in [
            (code,) for code in MYSQL_LASTING
        ]
        hint = _SOCKET_HINT if inner.args[:1] == (2003,) and self._url.host == "localhost" else ""
        if self._url.get_backend_name() == "sqlite":  # nothing mends itself but a lock
            lasting = "locked" not in str(inner)
            stopped = any(word in str(inner) for word in ("readonly", "unable to open"))
            hint = _WAL_HINT if stopped and _has_wal(Path(self._url.database or "")) else ""
        hide = [str(self._url.password)] if self._url.password else []
        return fault(inner, hide, hint, lasting=lasting)


_SOCKET_HINT = (
    "localhost means TCP here; where the server listens on its socket alone, add"
    " unix_socket=/run/mysqld/mysqld.sock to the address (with mysql://, not dsn:)"
)
_WAL_HINT = (
    "it is in WAL mode, which needs files beside it even for reading: let the daemon's user write"
    " to its folder, or set PRAGMA journal_mode=DELETE"
)


def _has_wal(path: Path) -> bool:
    """Whether an SQLite file says so (fileformat2.html, section 1.3.3, octet 18)."""
    try:
        with path.open("rb") as file:
            return file.read(20)[18:19] == b"\2"
    except OSError:
        return False


def session(url: URL, timeout: float) -> dict[str, Any]:
    """What the driver is told about time, and that we only read."""
    if url.get_backend_name() == "postgresql":
        told = f"-c statement_timeout={int(timeout * 1000)} -c default_transaction_read_only=on"
        return {
            "connect_timeout": max(2, round(timeout)),  # libpq makes 2 of 1
            "tcp_user_timeout": int(timeout * 1000),
            "application_name": "postseal",
            "prepare_threshold": None,  # a pool in between may lead to another session
            **({} if "options" in url.query else {"options": told}),
        }
    seconds = max(1, round(timeout))
    # PyMySQL takes a text for Latin-1, where the server's tools write UTF-8.
    secret = {"password": str(url.password).encode()} if url.password else {}
    return {"connect_timeout": seconds, "read_timeout": seconds, **secret}


Ask = Callable[[sa.Connection, Sequence[str], Author], Found]


def by_text(query: str) -> Ask:
    """Ask with the text of an administrator.  Raises TableUnavailable when it cannot be one."""
    names = set(PARAMETER.findall(query))
    if names - KNOWN or not names & {"keys", "key"}:
        raise TableUnavailable(
            f":{min(names - KNOWN)} is not a parameter of queries"
            if names - KNOWN
            else "the query has neither :keys nor :key",
            "SELECT sender, keyname FROM senders WHERE sender IN :keys",
            lasting=True,
        )
    statement = sa.text(query)
    if "keys" in names:
        statement = statement.bindparams(sa.bindparam("keys", expanding=True))

    def ask(connection: sa.Connection, keys: Sequence[str], author: Author) -> Found:
        known = {"address": author.address, "local": author.local, "domain": author.domain}
        values: dict[str, Any] = {name: known[name] for name in names & known.keys()}
        if "keys" in names:
            return _pairs(connection.execute(statement, {**values, "keys": list(keys)}))
        found: Found = []
        for key in keys:
            rows = connection.execute(statement, {**values, "key": key})
            found += [(key, text) for text in map(_joined, rows) if text]
        return found

    return ask


def by_columns(table: str, key: str, values: Sequence[str], condition: str = "") -> Ask:
    """Ask a table for rows by one of its columns.  condition is SQL of the administrator."""
    schema, _, name = table.rpartition(".")
    column: sa.ColumnClause[str] = sa.column(key)
    statement: Any = (
        sa.select(column, *(sa.column(one) for one in values))
        .select_from(sa.table(name, schema=schema or None))
        .where(column.in_(sa.bindparam("keys", expanding=True)))
    )
    if condition:
        statement = statement.where(sa.text(condition.replace(":", "\\:")))

    def ask(connection: sa.Connection, keys: Sequence[str], _author: Author) -> Found:
        return _pairs(connection.execute(statement, {"keys": list(keys)}))

    return ask


def _pairs(rows: Iterable[Any]) -> Found:
    """First column and the rest, but for rows without a key or a value."""
    made = [(_text(row[0]), _joined(row[1:])) for row in rows]
    return [(key, text) for key, text in made if key and text]


def _joined(columns: Iterable[Any]) -> str:
    """Columns as one value: domain:selector:key, keyname:identity."""
    texts = [_text(one) for one in columns]
    while texts and not texts[-1]:
        texts.pop()
    return ":".join(texts)


def _text(value: Any) -> str:
    """A column without the blanks around it: CHAR(n) is filled with them."""
    if value is None:
        return ""
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip()
