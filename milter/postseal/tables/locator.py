"""The address of a table that is kept elsewhere: how it is written, and what it says.

NAME
    locator - parse() and from_dsn(): text to Place

GIVEN
    sqlite:/PATH?..., postgresql://USER@HOST/DB?..., mysql://..., mariadb://...,
    postfixadmin:/PATH or postfixadmin:URL, redis://HOST/NUMBER?..., ldap://..., and
    OpenDKIM's dsn:BACKEND://... .

GIVES
    a Place: the address without what is ours, and our part of it (table, key, value, filter,
    prefix, hash).  Or SourceError.

DOES NOT
    connect, or need the libraries that do.

SEE ALSO
    opendkim(8), section DATA SETS.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from postseal.tables.source import SourceError

OURS = ("table", "key", "value", "filter", "prefix", "hash")
SQL = ("sqlite", "postgresql", "mysql", "mariadb")
LDAP = ("ldap", "ldaps", "ldapi")
REDIS = ("redis", "rediss", "valkey")
_BACKENDS = {
    "sqlite": "sqlite", "sqlite3": "sqlite", "pgsql": "postgresql", "postgresql": "postgresql",
    "postgres": "postgresql", "mysql": "mysql", "mariadb": "mariadb",
}  # fmt: skip
_DSN = re.compile(
    r"(?P<backend>\w+)://(?:(?P<user>[^:@/]*)(?::(?P<password>[^@/]*))?@)?"
    r"(?:(?P<port>\d+)\+)?(?P<host>[^/+]*)(?P<path>/.*)?"
)
_UNREADABLE = "the address cannot be read"
_NO_PORT = "expected HOST:PORT, and %2F, %3A and %40 for / : and @ in a name or a password"
_QUOTED = re.compile(r"=([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A kind of store (a word of SQL, LDAP or REDIS), its address, and our part of it."""

    kind: str
    url: str
    ours: Mapping[str, str] = field(default_factory=dict)
    postfixadmin: bool = False


def parse(text: str) -> Place:
    """The place that text names.  Raises SourceError, nothing else."""
    scheme, _, rest = text.partition(":")
    scheme = scheme.lower()
    if scheme == "dsn":
        return from_dsn(rest)
    if scheme == "postfixadmin":
        inner = parse(rest if rest.partition(":")[0].lower() in SQL else f"sqlite:{rest}")
        return Place(kind=inner.kind, url=inner.url, ours=inner.ours, postfixadmin=True)
    if scheme in LDAP:
        return Place(kind=scheme, url=text)
    if scheme not in (*SQL, *REDIS):
        known = ", ".join((*SQL, *LDAP, *REDIS, "dsn", "postfixadmin"))
        raise SourceError(f"unknown kind of table {scheme!r}", f"known kinds are {known}")
    address, _, query = text.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise SourceError(_UNREADABLE, "expected NAME=VALUE&NAME=VALUE after the ?") from None
    try:
        if scheme != "sqlite":
            _ = urlsplit(address).port
    except ValueError:  # whose text may be a piece of a password
        raise SourceError(_UNREADABLE, _NO_PORT) from None
    ours = {name: value for name, value in pairs if name in OURS}
    others = urlencode([(name, value) for name, value in pairs if name not in OURS])
    if scheme == "sqlite":
        address = f"sqlite:{_sqlite_path(address)}"
    elif not rest.startswith("//"):
        raise SourceError(f"expected {scheme}://USER@HOST/NAME")
    return Place(kind=scheme, url=f"{address}?{others}" if others else address, ours=ours)


def _sqlite_path(address: str) -> str:
    """sqlite:PATH; also the usual sqlite:///PATH, with one slash more for an absolute one."""
    path = address.partition(":")[2]
    path = path.removeprefix("///")
    if not path or path.startswith("//"):
        raise SourceError("the path of the database is missing", "sqlite:/PATH?table=...")
    return unquote(path)


def from_dsn(text: str) -> Place:
    """What follows dsn: in opendkim.conf.  Raises SourceError."""
    match = _DSN.fullmatch(text)
    backend = _BACKENDS.get(match["backend"].lower()) if match else None
    if match is None or backend is None:
        raise SourceError(
            "expected dsn:BACKEND://USER:PASSWORD@PORT+HOST/DATABASE/table=T?keycol=K?datacol=D",
            f"known backends are {', '.join(_BACKENDS)}",
        )
    parts = [part for part in re.split(r"[/?]", match["path"] or "") if part]
    pairs = [part.partition("=")[::2] for part in parts if part.startswith(_TOLD)]
    told = {name: _unquoted(value) for name, value in pairs}
    database = "/".join(_unquoted(part) for part in parts if not part.startswith(_TOLD))
    missing = [word for word in ("table", "keycol", "datacol") if not told.get(word)]
    if missing:
        raise SourceError(f"{' and '.join(missing)} is missing in the data source name")
    ours = {"table": told["table"], "key": told["keycol"], "value": told["datacol"]}
    if told.get("filter"):
        ours["filter"] = told["filter"]
    if backend == "sqlite":
        path = f"{_unquoted(match['host'])}/{database}"
        return Place(kind=backend, url=f"sqlite:{path}", ours=ours)
    user = quote(_unquoted(match["user"] or ""), safe="")
    secret = f":{quote(_unquoted(match['password']), safe='')}" if match["password"] else ""
    port = f":{match['port']}" if match["port"] else ""
    at = "@" if user else ""
    return Place(
        kind=backend,
        url=f"{backend}://{user}{secret}{at}{match['host']}{port}/{quote(database)}",
        ours=ours,
    )


_TOLD = ("table=", "keycol=", "datacol=", "filter=")


def _unquoted(text: str) -> str:
    """OpenDKIM's =XX."""
    return _QUOTED.sub(lambda match: chr(int(match[1], 16)), text)
