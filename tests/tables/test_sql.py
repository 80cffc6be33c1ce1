"""Questions to a database, on SQLite; tests/e2e/test_stores.py has the others."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from postseal.tables.sql import Ask, SqlStore, by_columns, by_text, session
from postseal.tables.store import Author, Found, TableUnavailable

AUTHOR = Author(address="joe@a.example", local="joe", domain="a.example")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "odd name?#.db"
    with sqlite3.connect(path) as made:
        made.executescript(
            """CREATE TABLE "select" ("from" TEXT, b TEXT, c TEXT, d BLOB, active INT);
            INSERT INTO "select" VALUES ('k1', 'x', NULL, 'z', 1), ('k1', 'y', NULL, NULL, 1),
                ('k2', NULL, NULL, NULL, 1), (NULL, 'x', 'y', 'z', 1), ('k3', 'o:n', 'q', x'41', 0);
            """
        )
    made.close()
    return path


class Stores:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.made: list[SqlStore] = []

    def find(self, ask: Ask, *keys: str) -> Found:
        url = sa.URL.create("sqlite", database=str(self.path))
        self.made.append(SqlStore(url, ask, timeout=1, connections=1))
        return self.made[-1].find(keys, AUTHOR)


@pytest.fixture
def stores(database: Path) -> Iterator[Stores]:
    made = Stores(database)
    yield made
    for one in made.made:
        one.close()


@pytest.mark.parametrize(
    ("values", "condition", "keys", "found"),
    [
        pytest.param("b", "", ["k1"], [("k1", "x"), ("k1", "y")], id="several-rows"),
        pytest.param("b,c,d", "", ["k1"], [("k1", "x::z"), ("k1", "y")], id="null-columns"),
        pytest.param("b", "", ["k2"], [], id="no-value"),
        pytest.param("b,c,d", "", ["k3", "k4"], [("k3", "o:n:q:A")], id="octets"),
        pytest.param("b", "active = 1", ["k3"], [], id="filter"),
        pytest.param("b", "", ["' OR 1=1 --"], [], id="bound"),
    ],
)
def test_by_columns(
    stores: Stores, values: str, condition: str, keys: list[str], found: Found
) -> None:
    """The names are quoted: a table may be called select, and a column from."""
    ask = by_columns("select", "from", values.split(","), condition)
    assert stores.find(ask, *keys) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param('SELECT "from", b FROM "select" WHERE "from" IN :keys AND b = \'x\'',
                     [("k1", "x")], id="keys"),
        pytest.param('SELECT b FROM "select" WHERE "from" = :key AND b IS NOT NULL',
                     [("k1", "x"), ("k1", "y"), ("k3", "o:n")], id="key"),
        pytest.param("SELECT :key, :address, :local, :domain",
                     [(key, f"{key}:joe@a.example:joe:a.example") for key in ("k1", "k3")],
                     id="author"),
        pytest.param("SELECT ':no' FROM (SELECT 1) WHERE :key = 'k3' AND '12:30' > ''", None,
                     id="colon-in-text"),
    ],
)  # fmt: skip
def test_by_text(stores: Stores, query: str, found: Found | None) -> None:
    if found is None:  # SQLAlchemy cannot tell a text from SQL: say so, do not guess
        with pytest.raises(TableUnavailable, match=":no is not a parameter"):
            by_text(query)
        return
    assert stores.find(by_text(query), "k1", "k3") == found


@pytest.mark.parametrize(
    ("table", "key", "part"),
    [
        pytest.param("nowhere", "from", "no such table", id="table"),
        pytest.param("select", "nope", "no such column", id="column"),
        pytest.param("other.select", "from", "unknown database|no such table", id="schema"),
    ],
)
def test_what_is_not_there_is_a_lasting_fault(
    stores: Stores, table: str, key: str, part: str
) -> None:
    with pytest.raises(TableUnavailable, match=part) as caught:
        stores.find(by_columns(table, key, ["b"]), "k1")
    assert caught.value.lasting
    assert "\n" not in caught.value.what


def test_blanks_and_octets_around_texts(stores: Stores) -> None:
    """CHAR(n) is filled with blanks, and a BINARY key arrives as octets."""
    query = """SELECT CAST("from" AS BLOB), b || '   ', d || ' ' FROM "select"
        WHERE "from" IN :keys AND d IS NOT NULL"""
    assert stores.find(by_text(query), "k1") == [("k1", "x:z")]
    padded = """SELECT "from" || '    ', '   ' FROM "select" WHERE "from" IN :keys"""
    assert stores.find(by_text(padded), "k1") == []


def test_passwords_for_mysql_are_utf8() -> None:
    place = sa.URL.create("mysql+pymysql", "mail", "schl\u00fcssel\u20ac", "h", None, "d")
    assert session(place, 3)["password"] == b"schl\xc3\xbcssel\xe2\x82\xac"
    assert "password" not in session(sa.URL.create("mysql+pymysql", "mail", host="h"), 3)


def test_a_lock_is_an_outage(stores: Stores, database: Path) -> None:
    lock = sqlite3.connect(database)
    lock.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TableUnavailable, match="locked") as caught:
        stores.find(by_columns("select", "from", ["b"]), "k1")
    assert not caught.value.lasting
    lock.close()


@pytest.mark.parametrize(
    ("mode", "what", "told"),
    [
        ("WAL", "attempt to write a readonly database", True),
        ("WAL", "unable to open database file", True),
        ("WAL", "no such table: a", False),
        ("DELETE", "unable to open database file", False),
    ],
)
def test_wal_mode_is_named_where_it_is_in_the_way(
    database: Path, mode: str, what: str, told: bool
) -> None:
    """Who may not write to the folder cannot make the files that a reader needs beside it."""
    made = sqlite3.connect(database)
    made.execute(f"PRAGMA journal_mode={mode}")
    made.close()

    def ask(*_: object) -> Found:
        raise sa.exc.OperationalError("", {}, sqlite3.OperationalError(what))

    url = sa.URL.create("sqlite", database=str(database))
    store = SqlStore(url, ask, timeout=1, connections=1)
    with pytest.raises(TableUnavailable, match=what) as caught:
        store.find(["k1"], AUTHOR)
    store.close()
    assert caught.value.lasting
    assert ("WAL mode" in caught.value.hint) is told


def test_nothing_is_written(stores: Stores) -> None:
    ask = by_text('DELETE FROM "select" WHERE "from" IN :keys RETURNING "from", b')
    with pytest.raises(TableUnavailable, match="readonly"):
        stores.find(ask, "k1")


def test_a_missing_file_is_not_made(stores: Stores, tmp_path: Path) -> None:
    stores.path = tmp_path / "nowhere.db"
    with pytest.raises(TableUnavailable, match="unable to open"):
        stores.find(by_columns("a", "b", ["c"]), "k1")
    assert not stores.path.exists()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        pytest.param("postgresql+psycopg://h/d", True, id="usual"),
        pytest.param("postgresql+psycopg://h/d", False, id="pgbouncer"),
    ],
)
def test_sessions_of_postgresql_are_read_only_unless_told(url: str, told: bool) -> None:
    place = sa.make_url(url)
    if not told:
        place = place.update_query_dict({"options": ""})
    options = session(place, 1.5)
    assert ("default_transaction_read_only=on" in options.get("options", "")) is told
    assert options["tcp_user_timeout"] == 1500
