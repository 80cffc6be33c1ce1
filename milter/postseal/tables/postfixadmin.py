"""PostfixAdmin's database as a source of domains and logins.

NAME
    postfixadmin - the questions to its tables domain, mailbox and alias

GIVES
    senders(): every active domain that is not a mere backup MX, with one key's name.
    owners(): who may write as an address: its mailbox, or those an alias delivers to.  An
    alias beside a mailbox (a forwarding) makes nobody an owner.

SEE ALSO
    https://github.com/postfixadmin/postfixadmin, upgrade.php has the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from postseal.tables.sql import Ask
from postseal.tables.store import Author, Found


def _is(name: str, of: sa.TableClause, wanted: bool) -> sa.ColumnElement[bool]:
    """A column that is a number in one database and a boolean in another."""
    return of.c[name].is_(sa.true() if wanted else sa.false())


def _flags(*names: str) -> list[sa.ColumnClause[bool]]:
    return [sa.column(name, sa.Boolean) for name in names]


_DOMAIN = sa.table("domain", sa.column("domain", sa.String), *_flags("active", "backupmx"))
_MAILBOX = sa.table("mailbox", sa.column("username", sa.String), *_flags("active"))
_ALIAS = sa.table(
    "alias", sa.column("address", sa.String), sa.column("goto", sa.Text), *_flags("active")
)
_KEYS: sa.BindParameter[Any] = sa.bindparam("keys", expanding=True)

_SENDERS = sa.select(_DOMAIN.c.domain).where(
    _DOMAIN.c.domain.in_(_KEYS),
    _DOMAIN.c.domain != "ALL",  # not a domain: the right of an administrator
    _is("active", _DOMAIN, True),
    _is("backupmx", _DOMAIN, False),
)
_MAILBOXES = sa.select(_MAILBOX.c.username).where(
    _MAILBOX.c.username.in_(_KEYS), _is("active", _MAILBOX, True)
)
_ALIASES = sa.select(_ALIAS.c.address, _ALIAS.c.goto).where(
    _ALIAS.c.address.in_(_KEYS),
    _is("active", _ALIAS, True),
    ~sa.exists().where(_MAILBOX.c.username == _ALIAS.c.address),
)


def senders(key: str) -> Ask:
    """The rows of a signing table: every domain signs with that key of the key table."""

    def ask(connection: sa.Connection, keys: Sequence[str], _author: Author) -> Found:
        rows = connection.execute(_SENDERS, {"keys": list(keys)})
        return [(str(row[0]), key) for row in rows]

    return ask


def owners() -> Ask:
    """The rows of sender_login.  An alias for a whole domain is @DOMAIN there."""

    def ask(connection: sa.Connection, keys: Sequence[str], _author: Author) -> Found:
        wanted = {"keys": [*keys, *(f"@{key}" for key in keys if "@" not in key)]}
        found = [(str(row[0]), str(row[0])) for row in connection.execute(_MAILBOXES, wanted)]
        for address, goto in connection.execute(_ALIASES, wanted):
            found.append((str(address).removeprefix("@"), str(goto)))
        return found

    return ask
