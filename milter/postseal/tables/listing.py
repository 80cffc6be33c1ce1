"""Which keys there are, before anybody asks for one.

NAME
    listing - listed(): the keys that can be named beforehand; gaps(): why that is not all

GIVEN
    a signing table, a key table and its keyring.

GIVES
    Listed values, for whoever looks all keys up in DNS (sign.check_published).  A row with
    % gives one for every domain that the signing table names in full, and for every file
    that is there where its path has a % as well.

DOES NOT
    ask tables elsewhere: nobody lists what they hold.

SEE ALSO
    tables/chooser.py, daemon/published.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from postseal.core.dkim.sign import SigningKey, signing_key
from postseal.core.names import BadDomain, ascii_domain
from postseal.tables.keyring import Keyring
from postseal.tables.keytable import ANY, Entry, Keys
from postseal.tables.remote import RemoteKeys, RemoteSenders
from postseal.tables.senders import SAME, Senders

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")  # of a name that is no pattern
_ANYBODY = "postmaster"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A key that is known by name.  load makes it ready; it raises KeyFault or UnusableKey."""

    domain: str
    selector: str
    load: Callable[[], SigningKey]

    @property
    def name(self) -> str:
        """Where it should be published."""
        return f"{self.selector}._domainkey.{self.domain}"


def ready(entry: Entry, domain: str, keyring: Keyring) -> SigningKey:
    """The key of a row, for an author in domain.  Raises KeyFault or UnusableKey."""
    if entry.is_file:
        private = keyring.file(entry.path(domain))
    else:
        private = keyring.key(entry.key.encode(), f"line {entry.line} of the key table")
    return signing_key(private, domain if entry.domain == ANY else entry.domain, entry.selector)


def plain_domain(pattern: str) -> str:
    """The domain that a row of the signing table is for; "" for a pattern of several."""
    host = pattern.rpartition("@")[2]
    return host if not host.startswith(".") and set(host) <= _PLAIN else ""


def listed(senders: Senders, keys: Keys, keyring: Keyring) -> Iterator[Listed]:
    """Every key whose domain is known.  The same may come twice."""
    for entry in keys.entries:
        if entry.domain != ANY:
            yield _one(entry, entry.domain, keyring)
    if not any(entry.domain == ANY for entry in keys.entries):
        return
    for row in senders.rows:
        domain = plain_domain(row.pattern)
        if domain:
            found = keys.get(domain if row.key == SAME else row.key)
            if found is not None and found.domain == ANY:
                yield _one(found, domain, keyring)
    for entry in keys.entries:
        if entry.is_template:
            for domain in _with_file(entry, keyring):
                if _is_wanted(senders, entry, domain):
                    yield _one(entry, domain, keyring)


def gaps(senders: Senders, keys: Keys) -> Iterator[str]:
    """What listed() leaves out, in words."""
    if isinstance(keys, RemoteKeys):
        yield "the keys of key_table are not checked: nobody lists what a table elsewhere holds"
    for entry in keys.entries:
        if entry.domain != ANY or entry.is_template:
            continue
        why = ""
        if isinstance(senders, RemoteSenders):
            why = "signing_table is kept elsewhere: none"
        elif not all(plain_domain(row.pattern) for row in senders.rows if row.key == entry.name):
            why = "signing_table has patterns: only domains that it names in full"
        if why:
            where = f"line {entry.line}" if entry.line else f"row {entry.name!r}"
            yield f"{where} of key_table has the domain %, and {why} are checked"


def _one(entry: Entry, domain: str, keyring: Keyring) -> Listed:
    load = partial(ready, entry, domain, keyring)
    return Listed(domain=domain, selector=entry.selector, load=load)


def _with_file(entry: Entry, keyring: Keyring) -> Iterator[str]:
    """The domains for which there is a file at a path with %."""
    first, *others = map(re.escape, entry.key.split(ANY))
    path = re.compile(f"{first}(?P<domain>[^/]+){'(?P=domain)'.join(others)}")
    for name in keyring.paths:
        match = path.fullmatch(name)
        if match:
            try:
                yield ascii_domain(match["domain"])
            except BadDomain:  # no domain's, whatever it is
                continue


def _is_wanted(senders: Senders, entry: Entry, domain: str) -> bool:
    """Whether mail of the domain may come to that row, as far as that can be told."""
    if isinstance(senders, RemoteSenders):
        return True
    rows = senders.of(_ANYBODY, domain)
    return any(entry.name == (domain if row.key == SAME else row.key) for row in rows)
