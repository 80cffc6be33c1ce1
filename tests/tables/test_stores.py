"""What the configuration says of a table elsewhere, made ready or refused."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

from postseal.conf.remote import RemoteTable
from postseal.tables import stores
from postseal.tables.source import SourceError
from postseal.tables.stores import Use, Wanted, has_password, of
from support.sites import private

TKV = "?table=t&key=k&value=v"


def wanted(text: str, base: Path, *tables: RemoteTable, use: Use = Use.SENDERS) -> Wanted:
    return Wanted(
        text=text,
        use=use,
        tables=tables,
        base=base,
        uid=os.geteuid(),
        tell=lambda _level, _pairs: None,
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"sqlite:t.db{TKV}", id="sqlite"),
        pytest.param(f"postgresql://u@127.0.0.1:1/d{TKV}", id="postgresql"),
        pytest.param(f"postgresql:///d{TKV}&host=/run/postgresql", id="postgresql-socket"),
        pytest.param(f"mysql://u@127.0.0.1:1/d{TKV}", id="mysql"),
        pytest.param(f"mariadb://u@127.0.0.1:1/d{TKV}", id="mariadb"),
        pytest.param("redis://127.0.0.1:1/0?hash=h", id="redis"),
        pytest.param("rediss://127.0.0.1:1/0?prefix=h", id="rediss"),
        pytest.param("valkey:///run/v.sock?prefix=h", id="valkey-socket"),
        pytest.param("ldap://127.0.0.1:1/dc=x?a?sub?(b=$d)", id="ldap"),
        pytest.param("ldapi://%2Frun%2Fldapi/dc=x?a?sub?(b=$d)", id="ldapi"),
        pytest.param("ldap://127.0.0.1:1/$D?a", id="ldap-base"),
        pytest.param(
            "ldap://127.0.0.1:1/dc=x?a?sub?(b=$d) ldap://127.0.0.1:2/dc=x", id="ldap-servers"
        ),
        pytest.param("dsn:mysql://u:p@1+h/d/table=t?keycol=k?datacol=v", id="dsn"),
        pytest.param("postfixadmin:mysql://u@127.0.0.1:1/d", id="postfixadmin"),
    ],
)
def test_nothing_is_asked_yet(text: str, tmp_path: Path) -> None:
    """Every kind is made without its server, so that it can be made before fork()."""
    remote, store = of(wanted(text, tmp_path))
    assert remote.name == "signing_table"
    store.close()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("sqlite:t.db", "does not say table and key and value", id="sql-nothing"),
        pytest.param("sqlite:t.db?table=t&key=k", "does not say value", id="sql-no-value"),
        pytest.param("table:x", "no [[table]] with the name 'x'", id="no-such-table"),
        pytest.param("ldap://h/dc=x?a", "has no $d", id="ldap-no-key"),
        pytest.param("ldap://h/dc=x??sub?(a=$d)", "expected ldap://", id="ldap-no-attribute"),
        pytest.param("ldap://h/dc=x?a?tree?(a=$d)", "expected ldap://", id="ldap-scope"),
        pytest.param("redis://h:x/0", "cannot be read", id="redis-port"),
        pytest.param("mysql://u@h:99999999/d", "cannot be read", id="mysql-port"),
    ],
)
def test_refused(text: str, part: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        of(wanted(text, tmp_path))
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("ldap://h/dc=x?a?sub?(|(a=$d)(b=$d))", "(ATTRIBUTE=$d) once", id="ldap-two"),
        pytest.param("ldap://h/$D?a?base", "(ATTRIBUTE=$d) once", id="ldap-base"),
        pytest.param("table:x", "must have :keys", id="one-by-one"),
        pytest.param("postfixadmin:/t.db", "no hosts", id="postfixadmin"),
    ],
)
def test_refused_for_hosts(text: str, part: str, tmp_path: Path) -> None:
    """A client has up to three hundred keys: nobody asks for one after the other."""
    query = "SELECT a FROM b WHERE c = :key"
    one = RemoteTable(name="x", url="sqlite:t.db", query=query)
    with pytest.raises(SourceError) as caught:
        of(wanted(text, tmp_path, one, use=Use.HOSTS))
    assert part in str(caught.value)


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(name: str) -> None:
        raise ImportError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(SourceError, match="package redis is not installed") as caught:
        of(wanted("redis://h/0", tmp_path))
    assert caught.value.hint == "pip install 'postseal[redis]'"
    with pytest.raises(SourceError) as caught:
        of(wanted(f"sqlite:x{TKV}", tmp_path))
    assert caught.value.hint == "pip install 'postseal[sql]'"


def told(url: str, path: Path | None = None) -> RemoteTable:
    return RemoteTable(name="x", url=url, password_file=path)


def test_the_limits_of_a_table(tmp_path: Path) -> None:
    one = RemoteTable(
        name="x", url=f"sqlite:t.db{TKV}", cache=7, cache_negative=8, stale=9, retry=10,
        cache_entries=11,
    )  # fmt: skip
    remote, store = of(wanted("table:x", tmp_path, one))
    limits = remote.limits
    assert (limits.fresh, limits.negative, limits.stale, limits.retry) == (7, 8, 9, 10)
    assert limits.entries == 11
    store.close()


@pytest.mark.parametrize(
    ("mode", "data", "part"),
    [
        pytest.param(0o644, b"x", "can be read or written by every user", id="mode"),
        pytest.param(0o600, b"x" * 5000, "longer than 4096", id="long"),
        pytest.param(None, b"", "No such file", id="missing"),
    ],
)
def test_a_password_file_is_as_safe_as_a_key(
    tmp_path: Path, mode: int | None, data: bytes, part: str
) -> None:
    path = tmp_path / "secret"
    if mode is not None:
        private(path, data).chmod(mode)
    with pytest.raises(SourceError, match=part):
        of(wanted("table:x", tmp_path, told("redis://h/0?hash=x", path)))


@pytest.mark.parametrize(
    ("text", "url", "there"),
    [
        pytest.param("mysql://u:p@h/d", "", True, id="url"),
        pytest.param("dsn:mysql://u:p@h/d/table=t", "", True, id="dsn"),
        pytest.param("redis://:p@h/0", "", True, id="without-user"),
        pytest.param("table:x", "mysql://u:p@h/d", True, id="in-the-table"),
        pytest.param("table:y", "mysql://u:p@h/d", False, id="of-another-table"),
        pytest.param("mysql://u@h:1/d", "", False, id="port"),
        pytest.param("sqlite:/a:b@c", "", False, id="path"),
    ],
)
def test_a_password_in_the_configuration(text: str, url: str, there: bool) -> None:
    assert has_password(text, [told(url)] if url else []) is there


def test_each_use_in_sign_has_its_option() -> None:
    uses = {use.value for use in stores.Use if use is not stores.Use.HOSTS}
    assert uses == {"key_table", "signing_table", "sender_login"}
