"""Tables that are kept elsewhere, made ready from what the configuration says of them.

NAME
    stores - of(): the text of an option to a Remote

GIVEN
    table:NAME, which a [[table]] explains, or an address itself.

GIVES
    a Remote that has not connected yet, or SourceError.

SEE ALSO
    tables/locator.py, tables/remote.py, tables/probe.py.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from postseal.conf.remote import RemoteTable
from postseal.tables import locator
from postseal.tables.asking import Asker
from postseal.tables.cached import Limits, Tell
from postseal.tables.locator import LDAP, REDIS, Place
from postseal.tables.remote import Remote
from postseal.tables.safety import Inspector
from postseal.tables.source import SourceError
from postseal.tables.store import Store, TableUnavailable

if TYPE_CHECKING:
    from postseal.tables.directory import Search
    from postseal.tables.sql import Ask

PASSWORD_MAX = 4096
_ALL_AT_ONCE = "a client is looked up by its names, its address and all networks it is in"
PACKAGES = {
    "sqlalchemy": "sql",
    "psycopg": "sql",
    "pymysql": "sql",
    "ldap": "ldap",
    "redis": "redis",
}
_NO_OPTIONS = re.compile(r"[?&]options=(&|$)")
DEFAULT_KEY = "default"  # the key that PostfixAdmin's domains sign with
SCOPES = {"": "SCOPE_BASE", "base": "SCOPE_BASE", "one": "SCOPE_ONELEVEL", "sub": "SCOPE_SUBTREE"}


class Use(StrEnum):
    """What a table is for."""

    KEYS = "key_table"
    SENDERS = "signing_table"
    LOGINS = "sender_login"
    HOSTS = "hosts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A table that an option names."""

    text: str
    use: Use
    tables: tuple[RemoteTable, ...]
    base: Path
    uid: int
    tell: Tell

    def told(self) -> RemoteTable:
        """What is known of it.  Raises SourceError for a name that no [[table]] has."""
        scheme, _, name = self.text.partition(":")
        if scheme.lower() != "table":
            return RemoteTable(name=self.use.value, url=self.text)
        for one in self.tables:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.tables)
        raise SourceError(
            f"there is no [[table]] with the name {name!r}",
            f"known: {known}" if known else f'add [[table]] with name = "{name}" and url',
        )


def of(wanted: Wanted) -> tuple[Remote, Store]:
    """The table, and the store alone to be probed.  Raises SourceError, nothing else."""
    told = wanted.told()
    place = locator.parse(told.url)
    password = _password(told, wanted.uid)
    try:
        store = _store(told, place, wanted, password)
    except TableUnavailable as error:
        raise SourceError(error.what, error.hint) from None
    limits = Limits(
        entries=told.cache_entries,
        fresh=told.cache,
        negative=told.cache_negative,
        stale=told.stale,
        retry=told.retry,
    )
    asker = Asker(told.connections, told.timeout)
    return Remote(told.name, store, asker, limits, wanted.tell), store


def has_password(text: str, tables: Iterable[RemoteTable]) -> bool:
    """Whether a password stands in the configuration itself."""
    urls = [text, *(one.url for one in tables if text == f"table:{one.name}")]
    return any(_in_address(url) for url in urls)


def _in_address(url: str) -> bool:
    """Whether there is USER:PASSWORD@ in it."""
    user, at, _ = url.partition("//")[2].partition("@")
    return bool(at) and ":" in user and "/" not in user


def _password(told: RemoteTable, uid: int) -> str:
    """What is in password_file.  Raises SourceError."""
    path = told.password_file
    if path is None:
        return ""
    try:
        found = Inspector(uid).inspect(path)
        if found is not None:
            raise SourceError(f"password_file: {found.path} {found.what}", found.mend)
        with path.open("rb") as file:
            data = file.read(PASSWORD_MAX + 1)
    except OSError as error:
        raise SourceError(
            f"password_file: {path}: {error.strerror}", "check the name, and who may read it"
        ) from None
    if len(data) > PASSWORD_MAX:
        raise SourceError(
            f"password_file: {path}: longer than {PASSWORD_MAX} octets",
            "the file holds the password alone",
        )
    return data.decode("utf-8", "replace").rstrip("\r\n")


def _needs(module: str) -> None:
    """Have the module, while root can still read it."""
    try:
        importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or module).partition(".")[0]
        extra = PACKAGES.get(missing, PACKAGES[module.partition(".")[0]])
        raise SourceError(
            f"the Python package {missing} is not installed", f"pip install 'postseal[{extra}]'"
        ) from None


def _store(told: RemoteTable, place: Place, wanted: Wanted, password: str) -> Store:
    if place.kind in LDAP:
        return _ldap(told, place, wanted.use, password)
    if place.kind in REDIS:
        return _redis(told, place, password)
    return _sql(told, place, wanted, password)


def _sql(told: RemoteTable, place: Place, wanted: Wanted, password: str) -> Store:
    _needs("sqlalchemy")
    from sqlalchemy.engine import URL, make_url
    from sqlalchemy.exc import ArgumentError

    from postseal.tables import sql

    if place.kind == "sqlite":
        path = wanted.base / place.url.partition(":")[2]
        url = URL.create("sqlite", database=str(path))
    else:
        driver, module = sql.DRIVERS[place.kind]
        _needs(module)
        try:
            url = make_url(place.url).set(drivername=driver)
        except (ArgumentError, ValueError) as error:
            raise SourceError(f"the address cannot be read: {type(error).__name__}") from None
        if _NO_OPTIONS.search(place.url):  # make_url leaves empty parameters out
            url = url.update_query_dict({"options": ""})
        if password:
            url = url.set(password=password)
    ask = _question(told, place, wanted.use)
    return sql.SqlStore(url, ask, timeout=told.timeout, connections=told.connections)


def _question(told: RemoteTable, place: Place, use: Use) -> Ask:
    """What to ask a database.  Raises SourceError or TableUnavailable."""
    from postseal.tables import postfixadmin, sql

    ours = place.ours
    if place.postfixadmin:
        if use is Use.HOSTS:
            raise SourceError("PostfixAdmin's database has no hosts")
        if use is Use.KEYS:
            raise SourceError(
                "PostfixAdmin's database has no keys",
                f'key_table = "csl:{DEFAULT_KEY}=%:SELECTOR:/PATH/%.private"',
            )
        key = ours.get("key", DEFAULT_KEY)
        return postfixadmin.owners() if use is Use.LOGINS else postfixadmin.senders(key)
    if told.query:
        if use is Use.HOSTS and ":keys" not in told.query:
            raise SourceError("for hosts, the query must have :keys", _ALL_AT_ONCE)
        return sql.by_text(told.query)
    if use is Use.HOSTS and ours.get("key"):
        ours = {"value": ours["key"], **ours}
    missing = [name for name in ("table", "key", "value") if not ours.get(name)]
    if missing:
        raise SourceError(
            f"the address does not say {' and '.join(missing)}",
            "add ?table=TABLE&key=COLUMN&value=COLUMN,COLUMN, or write a [[table]] with query",
        )
    values = [one.strip() for one in ours["value"].split(",") if one.strip()]
    return sql.by_columns(ours["table"], ours["key"], values, ours.get("filter", ""))


def _redis(told: RemoteTable, place: Place, password: str) -> Store:
    _needs("redis")
    from postseal.tables.keyvalue import RedisStore

    url = place.url.replace("valkey:", "redis:", 1)
    if urlsplit(url).netloc == "":  # redis:///run/redis.sock
        url = f"unix{url.removeprefix('redis')}"
    try:
        return RedisStore(
            url,
            prefix=place.ours.get("prefix", ""),
            hash_name=place.ours.get("hash", ""),
            password=password,
            timeout=told.timeout,
            connections=told.connections,
        )
    except ValueError as error:
        raise SourceError(f"the address cannot be read: {error}") from None


def _ldap(told: RemoteTable, place: Place, use: Use, password: str) -> Store:
    _needs("ldap")
    from postseal.tables.directory import LdapStore

    urls = place.url.split()  # OpenDKIM's list: the first one has the search
    hosts = [url.partition("?")[0].split("/") for url in urls]
    servers = " ".join("/".join(parts[:3]) for parts in hosts)
    told_last = urls[0].split("?")[4:5]
    extensions = [unquote(one) for part in told_last for one in part.split(",")]
    user = next((one.partition("=")[2] for one in extensions if one.startswith("bindname=")), "")
    search = _search(urls[0])
    if use is Use.HOSTS and not search.key_attribute:
        raise SourceError("for hosts, the filter must have (ATTRIBUTE=$d) once", _ALL_AT_ONCE)
    return LdapStore(
        servers,
        search,
        user=user,
        password=password,
        start_tls="x-starttls" in extensions,
        timeout=told.timeout,
        connections=told.connections,
    )


def _search(url: str) -> Search:
    """The search that an LDAP URL says (RFC 4516 section 2).  Raises SourceError."""
    import ldap

    from postseal.tables.directory import Search

    head, *parts = url.split("?")
    attributes, scope, condition = [unquote(one) for one in [*parts, "", "", ""]][:3]
    base = unquote(head.partition("//")[2].partition("/")[2])
    if not attributes or scope.lower() not in SCOPES:
        raise SourceError(
            "expected ldap://HOST/BASE?ATTRIBUTE,ATTRIBUTE?sub?(ATTRIBUTE=$d)",
            "the attributes are those of the value",
        )
    if "$d" not in condition and "$" not in base:
        raise SourceError("the search has no $d: it would find the same for everybody")
    return Search(
        base=base,
        attributes=tuple(one.strip() for one in attributes.split(",")),
        scope=getattr(ldap, SCOPES[scope.lower()]),
        filter=condition or "(objectClass=*)",
    )
