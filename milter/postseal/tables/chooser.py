"""Which keys sign for an author, from configuration.

NAME
    chooser - DomainChooser for one domain, TableChooser for tables

GIVEN
    an author's address, its domain in A-labels and lower case.

GIVES
    core.signing.Choice values (a core.signing.KeyChooser); SigningUnavailable, with
    place and way out, when the tables name a key that cannot be had.

SEE ALSO
    tables/site.py makes them; tables/senders.py has the order of look-ups.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from functools import partial
from math import inf

from postseal.core.dkim.sign import SigningKey, UnusableKey
from postseal.core.names import is_at_or_below, mailbox_domain
from postseal.core.signing import Choice, SigningUnavailable
from postseal.tables.keyring import KEEP, KeyFault, Keyring
from postseal.tables.keytable import ANY, Entry, Keys
from postseal.tables.listing import Listed, gaps, listed, ready
from postseal.tables.senders import SAME, Sender, Senders

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")  # of a name that is no pattern
LOOK_AGAIN = 60.0  # seconds; key files that a table elsewhere names are not watched


def identity_of(template: str, local: str, domain: str) -> str | None:
    """The i= that sign.identity asks for; None for none."""
    if not template:
        return None
    return template.format(local=local, domain=domain, address=f"{local}@{domain}")


def is_within(identity: str, domain: str) -> bool:
    """Whether i= may be this beside that d= (RFC 6376 section 3.5)."""
    below = mailbox_domain(identity)
    return below is not None and is_at_or_below(below, domain)


class DomainChooser:
    """All keys of one domain, for its authors and, where wanted, those of its sub-domains."""

    def __init__(
        self, keys: Iterable[SigningKey], domain: str, *, below: bool = False, identity: str = ""
    ) -> None:
        self._keys = tuple(keys)
        self._domain = domain
        self._below = below
        self._identity = identity

    def choose(self, address: str, /) -> tuple[Choice, ...]:
        """Every key for an author of ours, () for anybody else."""
        local, _, domain = address.rpartition("@")
        ours = is_at_or_below(domain, self._domain) if self._below else domain == self._domain
        if not ours or not local:
            return ()
        identity = identity_of(self._identity, local, domain)
        return tuple(Choice(key=key, identity=identity) for key in self._keys)

    @property
    def domains(self) -> frozenset[str]:
        """The domains that are ours."""
        return frozenset((self._domain,))

    def listed(self) -> Iterator[Listed]:
        """Every key."""
        for key in self._keys:
            yield Listed(domain=key.domain, selector=key.selector, load=partial(_same, key))


class TableChooser:
    """A SigningTable and a KeyTable."""

    def __init__(
        self,
        senders: Senders,
        keys: Keys,
        keyring: Keyring,
        *,
        multiple: bool = False,
        identity: str = "",
    ) -> None:
        self._senders = senders
        self._keys = keys
        self._keyring = keyring
        self._multiple = multiple
        self._identity = identity
        self._ready: OrderedDict[tuple[Entry, str], tuple[SigningKey, float]] = OrderedDict()
        self._lock = threading.Lock()

    def choose(self, address: str, /) -> tuple[Choice, ...]:
        """One choice for the first row that matches, or for every row: as configured.

        Two rows that come to the same key and identity make one signature.
        """
        local, _, domain = address.rpartition("@")
        if not local or not domain:
            return ()
        rows = self._senders.of(local, domain)
        if not self._multiple:
            row = next(rows, None)
            return () if row is None else (self._choice(row, local, domain),)
        made: dict[tuple[str, str | None], Choice] = {}
        for row in rows:
            choice = self._choice(row, local, domain)
            made.setdefault((choice.key.query_name, choice.identity), choice)
        return tuple(made.values())

    def _choice(self, row: Sender, local: str, domain: str) -> Choice:
        """What a row comes to, for that author."""
        name = domain if row.key == SAME else row.key
        entry = self._keys.get(name)
        if entry is None:
            where = f"line {row.line}" if row.line else f"row {row.pattern!r}"
            raise SigningUnavailable(
                f"{where} of the signing table wants key {name!r} for {local}@{domain}, which"
                " is not in the key table (hint: add the key, or take the row out)"
            )
        key = self._key(entry, domain)
        identity = row.identity.replace("%", domain) if row.identity else None
        identity = identity or identity_of(self._identity, local, domain)
        return Choice(key, identity if identity and is_within(identity, key.domain) else None)

    @property
    def domains(self) -> frozenset[str]:
        """The domains that are plainly ours: of keys, and of senders written without patterns."""
        found = {key.domain for key in self.listed()}
        for row in self._senders.rows:
            name = row.pattern.rpartition("@")[2].removeprefix("*").removeprefix(".")
            if "." in name and set(name) <= _PLAIN:
                found.add(name)
        return frozenset(found)

    def listed(self) -> Iterator[Listed]:
        """Every key whose domain is known beforehand."""
        return listed(self._senders, self._keys, self._keyring)

    def gaps(self) -> Iterator[str]:
        """What listed() leaves out, in words."""
        return gaps(self._senders, self._keys)

    def _key(self, entry: Entry, domain: str) -> SigningKey:
        """The key of a row; the last KEEP made are remembered."""
        place = entry, domain if entry.domain == ANY else ""
        known = self._ready.get(place)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        try:
            made = ready(entry, domain, self._keyring)
        except (KeyFault, UnusableKey) as fault:
            raise SigningUnavailable(f"key {entry.name!r}: {fault}") from None
        lasts = not entry.is_file or self._keyring.has(entry.path(domain))
        until = inf if lasts else time.monotonic() + LOOK_AGAIN
        with self._lock:
            self._ready[place] = made, until
            while len(self._ready) > KEEP:
                self._ready.popitem(last=False)
        return made


def _same(key: SigningKey) -> SigningKey:
    return key
