"""PostfixAdmin's tables: whose domains they are, and who owns an address."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.conf.mistake import ConfigError
from postseal.tables import site
from support.sites import private

# As PostfixAdmin 3.3 makes them with SQLite, without the columns that do not matter here.
TABLES = """
CREATE TABLE domain (domain VARCHAR(255) NOT NULL PRIMARY KEY, backupmx INT(1) NOT NULL DEFAULT 0,
    active INT(1) NOT NULL DEFAULT 1);
CREATE TABLE mailbox (username VARCHAR(255) NOT NULL PRIMARY KEY, password VARCHAR(255) NOT NULL,
    active INT(1) NOT NULL DEFAULT 1);
CREATE TABLE alias (address VARCHAR(255) NOT NULL PRIMARY KEY, goto TEXT NOT NULL,
    active INT(1) NOT NULL DEFAULT 1);
CREATE TABLE alias_domain (alias_domain VARCHAR(255) NOT NULL PRIMARY KEY,
    target_domain VARCHAR(255) NOT NULL, active INT(1) NOT NULL DEFAULT 1);
INSERT INTO alias_domain VALUES ('too.example', 'A.example', 1), ('was.example', 'a.example', 0),
    ('trap.example', 'catch.example', 1);
INSERT INTO domain (domain) VALUES ('ALL'), ('a.example'), ('xn--mnchen-3ya.example');
INSERT INTO domain VALUES ('backup.example', 1, 1), ('off.example', 0, 0);
INSERT INTO mailbox VALUES ('joe@a.example', 'x', 1), ('ann@a.example', 'x', 1),
    ('gone@a.example', 'x', 0), ('eve@too.example', 'x', 1), ('eve@a.example', 'x', 1);
INSERT INTO alias VALUES ('joe@a.example', 'joe@a.example', 1),
    ('ann@a.example', 'ann@a.example,joe@a.example', 1),
    ('info@a.example', 'joe@a.example,ext@b.example', 1),
    ('old@a.example', 'joe@a.example', 0),
    ('@catch.example', 'ann@a.example', 1);
"""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[site.Site]:
    database = sqlite3.connect(tmp_path / "postfixadmin.db")
    database.executescript(TABLES)
    database.close()
    for domain in ("a.example", "xn--mnchen-3ya.example", "backup.example", "off.example"):
        private(tmp_path / f"keys/{domain}.private")
    file = tmp_path / "postseal.toml"
    file.write_text(
        f'[sign]\nkey_table = "csl:default=%:mail:{tmp_path}/keys/%.private"\n'
        'signing_table = "postfixadmin:postfixadmin.db"\n'
        'sender_login = "postfixadmin:postfixadmin.db"\n'
    )
    found = site.load(load.read(file))
    yield found
    found.close()


@pytest.mark.parametrize(
    ("author", "signed"),
    [
        pytest.param("joe@a.example", "mail._domainkey.a.example", id="domain"),
        pytest.param(
            "x@xn--mnchen-3ya.example", "mail._domainkey.xn--mnchen-3ya.example", id="idn"
        ),
        pytest.param("x@sub.a.example", "", id="not-below"),
        pytest.param("x@off.example", "", id="inactive"),
        pytest.param("x@backup.example", "", id="backup-mx"),
        pytest.param("x@all", "", id="all-is-no-domain"),
        pytest.param("x@b.example", "", id="not-ours"),
    ],
)
def test_domains_sign(made: site.Site, author: str, signed: str) -> None:
    assert "".join(one.key.query_name for one in made.chooser.choose(author)) == signed


@pytest.mark.parametrize(
    ("login", "author", "allowed"),
    [
        pytest.param("joe@a.example", "joe@a.example", True, id="mailbox"),
        pytest.param("JOE@A.example", "Joe@a.example", True, id="case"),
        pytest.param("joe@a.example", "info@a.example", True, id="alias"),
        pytest.param("ann@a.example", "info@a.example", False, id="other-alias"),
        pytest.param("joe@a.example", "ann@a.example", False, id="forwarding-is-no-right"),
        pytest.param("joe@a.example", "old@a.example", False, id="alias-off"),
        pytest.param("gone@a.example", "gone@a.example", False, id="mailbox-off"),
        pytest.param("ann@a.example", "any@catch.example", True, id="whole-domain"),
        pytest.param("joe@a.example", "any@catch.example", False, id="whole-domain-of-other"),
        pytest.param("joe@a.example", "any@a.example", False, id="no-such-address"),
        pytest.param("joe@a.example", "joe@too.example", True, id="alias-domain"),
        pytest.param("joe@a.example", "info@too.example", True, id="alias-in-alias-domain"),
        pytest.param("ann@a.example", "joe@too.example", False, id="other-in-alias-domain"),
        pytest.param("joe@too.example", "joe@too.example", False, id="no-login-of-alias-domain"),
        pytest.param("eve@too.example", "eve@too.example", True, id="mailbox-in-alias-domain"),
        pytest.param("eve@a.example", "eve@too.example", False, id="mailbox-before-target"),
        pytest.param("joe@a.example", "joe@was.example", False, id="alias-domain-off"),
        pytest.param("ann@a.example", "any@trap.example", True, id="alias-domain-of-whole-domain"),
        pytest.param("joe@a.example", "any@trap.example", False, id="alias-domain-of-other"),
    ],
)
def test_owners(made: site.Site, login: str, author: str, allowed: bool) -> None:
    assert made.logins is not None
    assert made.logins.allows(login, author) is allowed


def test_old_versions_have_no_alias_domains(tmp_path: Path, made: site.Site) -> None:
    with sqlite3.connect(tmp_path / "postfixadmin.db") as database:
        database.execute("DROP TABLE alias_domain")
    database.close()
    assert made.logins is not None
    assert made.logins.allows("joe@a.example", "joe@a.example")
    assert not made.logins.allows("joe@a.example", "joe@too.example")


def test_it_has_no_keys(tmp_path: Path) -> None:
    file = tmp_path / "postseal.toml"
    file.write_text(
        '[sign]\nkey_table = "postfixadmin:p.db"\nsigning_table = "postfixadmin:p.db"\n'
    )
    with pytest.raises(ConfigError, match="has no keys"):
        site.load(load.read(file))
