"""PostfixAdmin's database as a source of domains and logins.

NAME
    postfixadmin - the questions to its tables domain, mailbox and alias

GIVES
    senders(): every active domain that is not a mere backup MX, with one key's name.
    owners(): who may write as an address: its mailbox, or those an alias delivers to.  An
    alias beside a mailbox (a forwarding) makes nobody an owner.  In an alias domain, every
    address belongs to whom it belongs to in the target domain.

SEE ALSO
    https://github.com/postfixadmin/postfixadmin, upgrade.php has the tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, ProgrammingError

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
_ALIAS_DOMAIN = sa.table(
    "alias_domain",
    sa.column("alias_domain", sa.String),
    sa.column("target_domain", sa.String),
    *_flags("active"),
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


_TARGETS = sa.select(_ALIAS_DOMAIN.c.target_domain).where(
    _ALIAS_DOMAIN.c.alias_domain == sa.bindparam("domain"), _is("active", _ALIAS_DOMAIN, True)
)


def senders(key: str) -> Ask:
    """The rows of a signing table: every domain signs with that key of the key table."""

    def ask(connection: sa.Connection, keys: Sequence[str], _author: Author) -> Found:
        rows = connection.execute(_SENDERS, {"keys": list(keys)})
        return [(str(row[0]), key) for row in rows]

    return ask


def owners() -> Ask:
    """The rows of sender_login.  An alias for a whole domain is @DOMAIN there."""
    has_none: list[bool] = []  # filled once it is known that there are no alias domains

    def ask(connection: sa.Connection, keys: Sequence[str], author: Author) -> Found:
        found = _owned(connection, keys)
        if has_none or any(key.lower() == author.address for key, _ in found):
            return found
        try:
            targets = connection.execute(_TARGETS, {"domain": author.domain}).scalars().all()
        except DBAPIError as error:
            if not _is_not_there(error):
                raise
            has_none.append(True)
            return found
        for target in map(str.lower, map(str, targets)):
            here = {f"{author.local}@{target}": author.address, target: author.domain}
            found += [(here.get(key.lower(), ""), who) for key, who in _owned(connection, [*here])]
        return found

    return ask


def _is_not_there(error: DBAPIError) -> bool:
    """Whether a table is missing, or not to be read: PostfixAdmin before 2.3, narrow rights."""
    told = error.orig
    code = told.args[:1] if told else ()
    return isinstance(error, ProgrammingError) or code == (1142,) or "no such table" in str(told)


def _owned(connection: sa.Connection, keys: Sequence[str]) -> Found:
    """Addresses and domains among keys, each with its owners."""
    wanted = {"keys": [*keys, *(f"@{key}" for key in keys if "@" not in key)]}
    found = [(str(row[0]), str(row[0])) for row in connection.execute(_MAILBOXES, wanted)]
    for address, goto in connection.execute(_ALIASES, wanted):
        found.append((str(address).removeprefix("@"), str(goto)))
    return found
