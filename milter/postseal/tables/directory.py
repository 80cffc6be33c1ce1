"""Rows from an LDAP directory.

NAME
    directory - LdapStore: a search for the entries of an author

GIVEN
    an address as in RFC 4516: ldap://host/BASE?ATTRIBUTE,...?SCOPE?FILTER, with $d for the
    text that is looked up and, in BASE, $D for it as dc=example,dc=com, as OpenDKIM has it.

GIVES
    rows: the attributes of each entry, joined by colons; several values of an
    attribute are several rows.  Where the filter has (ATTRIBUTE=$d) alone, all keys are
    asked for in one search and told apart by that attribute; otherwise one by one.

DOES NOT
    follow referrals.

SEE ALSO
    https://www.python-ldap.org, an optional dependency: pip install postseal[ldap].  It stands
    on OpenLDAP's own library, which has timeouts for connecting and for answers.
"""

from __future__ import annotations

import contextlib
import queue
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import ldap
from ldap.dn import escape_dn_chars
from ldap.filter import escape_filter_chars

from postseal.tables.store import Author, Found, TableUnavailable, fault

_WHOM_TO_TRUST = "its certificate must be by an authority in TLS_CACERT of ldap.conf(5)"
MOST = 100  # entries of one answer
_BY_ATTRIBUTE = re.compile(r"\(([A-Za-z][A-Za-z0-9.;-]*)=\$d\)")
LASTING = (ldap.NO_SUCH_OBJECT, ldap.FILTER_ERROR, ldap.INVALID_DN_SYNTAX, ldap.UNDEFINED_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is asked.  attributes: those of the value, in their order."""

    base: str
    attributes: tuple[str, ...]
    scope: int
    filter: str

    @property
    def key_attribute(self) -> str:
        """The attribute that tells for which key an entry is; "" when there is none."""
        found = _BY_ATTRIBUTE.findall(self.filter)
        alone = len(found) == 1 and self.filter.count("$d") == 1 and "$" not in self.base
        return str(found[0]) if alone else ""

    def filter_for(self, keys: Sequence[str]) -> str:
        """The filter for all of these keys."""
        one = self.key_attribute
        if not one:
            return self.filter.replace("$d", escape_filter_chars(keys[0]))
        some = "".join(f"({one}={escape_filter_chars(key)})" for key in keys)
        return self.filter.replace(f"({one}=$d)", f"(|{some})")

    def base_for(self, key: str) -> str:
        labels = key.rpartition("@")[2].strip(".").split(".")
        whole = ",".join(f"dc={escape_dn_chars(label)}" for label in labels)
        return self.base.replace("$D", whole).replace("$d", escape_dn_chars(key))


class LdapStore:
    """One search in one directory, or in one of several servers that hold the same.

    Connects at the first find(), after fork().
    """

    def __init__(
        self,
        servers: str,
        search: Search,
        *,
        user: str = "",
        password: str = "",
        start_tls: bool = False,
        timeout: float,
        connections: int,
    ) -> None:
        self._servers = servers
        self._search = search
        self._user = user
        self._password = password
        self._start_tls = start_tls
        self._timeout = timeout
        # For all connections: a context of one connection's own would know nothing of the
        # authorities in ldap.conf(5), and trust nobody.
        ldap.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
        self._idle: queue.LifoQueue[ldap.LDAPObject] = queue.LifoQueue(connections)

    def find(self, keys: Sequence[str], _author: Author, /) -> Found:
        try:
            with self._connection() as (directory, is_new):
                try:
                    return self._find(directory, keys)
                except ldap.SERVER_DOWN:
                    if is_new:
                        raise
            # it was closed while it was idle
            with self._connection(fresh=True) as (directory, _):
                return self._find(directory, keys)
        except ldap.LDAPError as error:
            raise self._fault(error) from None

    def close(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().unbind_s()

    @contextlib.contextmanager
    def _connection(self, *, fresh: bool = False) -> Iterator[tuple[ldap.LDAPObject, bool]]:
        """A connection, and whether it was made just now.  Kept when nothing went wrong."""
        idle = self._idle
        try:
            directory, is_new = (self._connect(), True) if fresh else (idle.get_nowait(), False)
        except queue.Empty:
            directory, is_new = self._connect(), True
        try:
            yield directory, is_new
            idle.put_nowait(directory)
        except ldap.LDAPError:
            with contextlib.suppress(ldap.LDAPError):
                directory.unbind_s()
            raise
        except queue.Full:
            with contextlib.suppress(ldap.LDAPError):
                directory.unbind_s()

    def _connect(self) -> ldap.LDAPObject:
        directory = ldap.initialize(self._servers)
        directory.set_option(ldap.OPT_NETWORK_TIMEOUT, self._timeout)
        directory.set_option(ldap.OPT_TIMEOUT, self._timeout)
        directory.set_option(ldap.OPT_REFERRALS, 0)
        if self._start_tls:
            directory.start_tls_s()
        directory.simple_bind_s(self._user, self._password)
        return directory

    def _find(self, directory: ldap.LDAPObject, keys: Sequence[str]) -> Found:
        by = self._search.key_attribute
        if not by:
            return [(key, row) for key in keys for _, row in self._rows(directory, [key])]
        asked = {key.lower(): key for key in keys}
        return [
            (asked[name.lower()], row)
            for names, row in self._rows(directory, keys)
            for name in names
            if name.lower() in asked
        ]

    def _rows(
        self, directory: ldap.LDAPObject, keys: Sequence[str]
    ) -> Iterator[tuple[list[str], str]]:
        """Values of the key's attribute and the row, for every row of every entry."""
        search, by = self._search, self._search.key_attribute
        try:
            answer = directory.search_ext_s(
                search.base_for(keys[0]),
                search.scope,
                search.filter_for(keys),
                list({*search.attributes, by} - {""}),
                timeout=self._timeout,
                sizelimit=MOST * len(keys),
            )
        except ldap.NO_SUCH_OBJECT:
            if "$" not in search.base:
                raise
            return  # a domain that is none of ours has no such place
        for name, attributes in answer:
            if name is None:  # a referral
                continue
            known = {
                key.lower(): [value.decode("utf-8", "replace").strip() for value in values]
                for key, values in attributes.items()
            }
            columns = [known.get(one.lower(), [""]) for one in search.attributes]
            for row in product(*columns):
                if text := ":".join(row).rstrip(":"):
                    yield known.get(by.lower(), []), text

    def _fault(self, error: ldap.LDAPError) -> TableUnavailable:
        told = error.args[0] if error.args else {}
        said = told if isinstance(told, dict) else {"desc": str(error)}
        text = ": ".join(str(said[name]) for name in ("desc", "info") if said.get(name))
        made = fault(
            RuntimeError(text or type(error).__name__),
            [self._password],
            lasting=isinstance(error, LASTING),
        )
        if self._has_tls and isinstance(error, (ldap.CONNECT_ERROR, ldap.SERVER_DOWN)):
            return TableUnavailable(made.what, _WHOM_TO_TRUST)  # the library does not tell
        return made

    @property
    def _has_tls(self) -> bool:
        return self._start_tls or self._servers.lower().startswith("ldaps:")
