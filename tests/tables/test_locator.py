"""Addresses of tables elsewhere: what is ours, what is the driver's, what is refused."""

from __future__ import annotations

import random
import string
from contextlib import suppress

import pytest

from postseal.tables.locator import Place, parse
from postseal.tables.source import SourceError

TKV = {"table": "t", "key": "k", "value": "v"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(
            "sqlite:/a/b.db?table=t&key=k&value=v",
            Place(kind="sqlite", url="sqlite:/a/b.db", ours=TKV),
            id="sqlite",
        ),
        pytest.param(
            "sqlite:////a/b.db", Place(kind="sqlite", url="sqlite:/a/b.db"), id="sqlite-url"
        ),
        pytest.param("sqlite:///b.db", Place(kind="sqlite", url="sqlite:b.db"), id="sqlite-near"),
        pytest.param("sqlite:b%20c.db", Place(kind="sqlite", url="sqlite:b c.db"), id="quoted"),
        pytest.param(
            "postgresql://u@h:1/d?sslmode=require&table=t&key=k&value=v",
            Place(kind="postgresql", url="postgresql://u@h:1/d?sslmode=require", ours=TKV),
            id="postgresql",
        ),
        pytest.param(
            "MySQL://u@h/d?charset=utf8mb4",
            Place(kind="mysql", url="MySQL://u@h/d?charset=utf8mb4"),
            id="mysql",
        ),
        pytest.param(
            "redis://h:6380/2?prefix=dkim:",
            Place(kind="redis", url="redis://h:6380/2", ours={"prefix": "dkim:"}),
            id="redis",
        ),
        pytest.param(
            "valkey:///run/v.sock?hash=h",
            Place(kind="valkey", url="valkey:///run/v.sock", ours={"hash": "h"}),
            id="valkey-socket",
        ),
        pytest.param(
            "ldap://h/dc=x?mail?sub?(cn=$d)",
            Place(kind="ldap", url="ldap://h/dc=x?mail?sub?(cn=$d)"),
            id="ldap-as-it-is",
        ),
        pytest.param(
            "postfixadmin:/p.db?key=x",
            Place(kind="sqlite", url="sqlite:/p.db", ours={"key": "x"}, postfixadmin=True),
            id="postfixadmin-file",
        ),
        pytest.param(
            "postfixadmin:mysql://u@h/d",
            Place(kind="mysql", url="mysql://u@h/d", postfixadmin=True),
            id="postfixadmin-mysql",
        ),
        pytest.param(
            "dsn:mysql://u:p@3307+h/d/table=t?keycol=k?datacol=v",
            Place(kind="mysql", url="mysql://u:p@h:3307/d", ours=TKV),
            id="dsn",
        ),
        pytest.param(
            "dsn:pgsql://h/d/table=t?keycol=k?datacol=a,b?filter=active=3D1",
            Place(
                kind="postgresql",
                url="postgresql://h/d",
                ours={"table": "t", "key": "k", "value": "a,b", "filter": "active=1"},
            ),
            id="dsn-filter",
        ),
        pytest.param(
            "dsn:mysql://u:p=40=3A@h/d/table=t?keycol=k?datacol=v",
            Place(kind="mysql", url="mysql://u:p%40%3A@h/d", ours=TKV),
            id="dsn-quoted-password",
        ),
        pytest.param(
            "dsn:sqlite3:///var/x.db/table=t?keycol=k?datacol=v",
            Place(kind="sqlite", url="sqlite:/var/x.db", ours=TKV),
            id="dsn-sqlite",
        ),
    ],
)
def test_places(text: str, place: Place) -> None:
    assert parse(text) == place


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("oracle://h/d", "unknown kind", id="kind"),
        pytest.param("mysql:h/d", "expected mysql://", id="no-slashes"),
        pytest.param("mysql://h:port/d", "cannot be read", id="port"),
        pytest.param("mysql://h/d?x", "cannot be read", id="query"),
        pytest.param("sqlite:", "path of the database is missing", id="no-path"),
        pytest.param("sqlite://host/x", "path of the database is missing", id="sqlite-host"),
        pytest.param("dsn:mysql", "expected dsn:BACKEND", id="dsn-short"),
        pytest.param("dsn:oracle://h/d/table=t", "expected dsn:BACKEND", id="dsn-backend"),
        pytest.param("dsn:mysql://h/d/table=t", "keycol and datacol is missing", id="dsn-parts"),
    ],
)
def test_refused(text: str, part: str) -> None:
    with pytest.raises(SourceError, match=part):
        parse(text)


@pytest.mark.parametrize(
    "text", ["redis://u:hush/1@h/0", "mysql://u:[hush@h/d", "mysql://u:1?hush@h/d"]
)
def test_a_password_that_is_not_quoted_is_not_repeated(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(text)
    assert "hush" not in str(caught.value) + caught.value.hint
    assert caught.value.hint


def test_noise_is_read_or_refused() -> None:
    rng = random.Random(4516)
    starts = ["sqlite:", "mysql://", "dsn:", "dsn:mysql://", "redis://", "postfixadmin:", "ldap:"]
    for _ in range(5000):
        tail = "".join(rng.choices(string.printable + "=&?/@:+[]%", k=rng.randrange(30)))
        with suppress(SourceError):
            parse(rng.choice(starts) + tail)
